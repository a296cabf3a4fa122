/*
 * The object under measurement: a number to which callers add.
 *
 * Two classes of one interface, each in two versions, so that there is something to swap to and to
 * upgrade to. They differ in nothing else: what is measured is the runtime. An instance has one
 * representative; its state is the number and travels by value in the one canonical format.
 */
#ifndef BENCH_TALLY_H
#define BENCH_TALLY_H

#include <k42/class.h>

struct tally;
struct tally_ops {
    struct k42_object_ops object;
    /* Answers the amount and touches nothing: the cheapest method there is. */
    K42_METHOD(echo)(struct tally *self, long amount);
    /* Adds, atomically; answers 0. */
    K42_METHOD(add)(struct tally *self, long amount);
    /* The sum so far. */
    K42_METHOD(total)(struct tally *self);
};
struct tally {
    const struct tally_ops *ops;
};
K42_DECLARE_REF(tally);

extern struct k42_class tally_plain;   /* "tally.plain", version 1 */
extern struct k42_class tally_plain_2; /* "tally.plain", version 2 */
extern struct k42_class tally_other;   /* "tally.other" */

/* What tally's echo does, under a name of its own, for calls that know whom they call. */
long tally_echo(struct tally *self, long amount);

/* The operations of every class above, for a tally outside the runtime. */
extern const struct tally_ops tally_operations;

/* Makes one, or ends the program. */
tally_ref tally_create(struct k42_class *class_);

#endif
