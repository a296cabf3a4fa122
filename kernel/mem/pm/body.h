/*
 * What the classes of PMs have in common: the account (account.h) is the body of each, the order of
 * its pages (order.h) a part of it, so that a swap hands everything over by one pointer.
 *
 * A class that chooses pages is a policy of order.h and a table of methods.
 *
 * Locking: account.h. Nothing is called with a lock held.
 * Formats: pm.account, the canonical one: the account with the order of its pages, by pointer.
 */
#ifndef KERNEL_PM_BODY_H
#define KERNEL_PM_BODY_H

#include "account.h"

#include "../../body.h"

struct k42_pair pm_body_take(struct pm *self, unsigned order, unsigned flags);
k42_result pm_body_give(struct pm *self, uint64_t physical, unsigned order, unsigned flags);
k42_result pm_body_enlist(struct pm *self, k42_ref fcm);
k42_result pm_body_delist(struct pm *self, k42_ref fcm);
k42_result pm_body_divide(struct pm *self, uint64_t limit, k42_ref *below);
k42_result pm_body_limit(struct pm *self, uint64_t frames);
k42_result pm_body_usage(struct pm *self, struct pm_usage *usage);
k42_result pm_body_describe(struct k42_object *self, char *text, size_t size);
k42_result pm_body_left(struct pm *self, k42_ref fcm, uint64_t index);
k42_result pm_body_pages(struct pm *self, struct pm_pages *pages);
k42_result pm_body_end_when_unused(struct pm *self);
void pm_body_fini(struct k42_root *root);
extern const struct k42_format pm_account_format;
extern const struct k42_transfer pm_body_transfers[];

/* With a policy: a page came, and frames are wanted. */
k42_result pm_body_came(struct pm *self, k42_ref fcm, uint64_t index,
                        const struct order_policy *policy);
k42_result pm_body_reclaim(struct pm *self, uint64_t wanted, const struct order_policy *policy);

extern const struct order_policy pm_clock_policy, pm_2q_policy, pm_arc_policy, pm_mru_policy;

#define PM_BODY_METHODS                                                                            \
    .object.describe = pm_body_describe, .take = pm_body_take, .give = pm_body_give,               \
    .enlist = pm_body_enlist, .delist = pm_body_delist, .divide = pm_body_divide,                  \
    .limit = pm_body_limit, .usage = pm_body_usage, .pages = pm_body_pages,                        \
    .end_when_unused = pm_body_end_when_unused

/* All methods of a class whose policy is one of order.h, in a table of that name. */
#define PM_ORDER_METHODS(table, policy)                                                            \
    static k42_result table##_came(struct pm *self, k42_ref fcm, uint64_t index) {                 \
        return pm_body_came(self, fcm, index, &(policy));                                          \
    }                                                                                              \
    static k42_result table##_reclaim(struct pm *self, uint64_t wanted) {                          \
        return pm_body_reclaim(self, wanted, &(policy));                                           \
    }                                                                                              \
    static const struct pm_ops table = {PM_BODY_METHODS, .came = table##_came,                     \
                                        .left = pm_body_left, .reclaim = table##_reclaim}

#define PM_BODY_CLASS BODY_LAYOUT, .fini = pm_body_fini, .transfers = pm_body_transfers

#endif
