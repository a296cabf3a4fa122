/*
 * The object that the stress run torments: an account that must never lose an addition.
 *
 * Every addition that returned success is counted by its caller; what an account held when it ended
 * is counted in account_retired. So at any quiet moment the balances and what was retired add up to
 * the successes, however often accounts were swapped, upgraded, hooked and destroyed meanwhile.
 */
#ifndef ACCOUNT_H
#define ACCOUNT_H

#include <errno.h>
#include <k42/k42.h>

struct account;
K42_DECLARE_REF(account);

struct account_ops {
    struct k42_object_ops object;
    /* Adds; returns 0. */
    K42_METHOD(add)(struct account *self, long amount);
    /* The balance as a pair: 0 and the balance. */
    K42_METHOD_PAIR(balance)(struct account *self);
    /* Calls pass on `other` with one less, unless `hops` is 0; then adds. */
    K42_METHOD(pass)(struct account *self, account_ref other, long hops, long amount);
    /* Asks for its own replacement by the class given, from inside. */
    K42_METHOD(become)(struct account *self, K42_LOCAL struct k42_class *class_);
};

struct account {
    const struct account_ops *ops;
};

extern const struct k42_interface account_interface;
extern long account_retired;

/* Version 1 and 2 of one class; classes of other layouts; one whose import fails now and then. */
extern struct k42_class account_plain, account_plain2, account_spread, account_brittle;

#endif
