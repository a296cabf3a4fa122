/*
 * PM, MRU: the page that came last and was used goes first.
 *
 * For loops over more than fits into memory: there every page that waits longest is the one that
 * is wanted next. What is in memory stays, and serves each round.
 *
 * NEW is a stack. A page that was read ahead and not used yet is set aside in OFTEN for this turn,
 * and comes back on top at the next.
 *
 * Locking and formats: body.h. Fails: see pm.h.
 */
#include "body.h"

enum { BACK_AT_ONCE = 256 }; /* of what another policy left there, the rest later */

static void came(struct order *order, struct order_page *page, enum order_list from) {
    (void)from;
    order_put(order, page, ORDER_NEW);
    order_trim(order, ORDER_NEW_GONE, 0);
    order_trim(order, ORDER_OFTEN_GONE, 0);
}

static void begin(struct order *order) {
    for (unsigned i = 0; i < BACK_AT_ONCE && order_count(order, ORDER_OFTEN); i++)
        order_move(order, order->lists[ORDER_OFTEN].newest, ORDER_NEW);
}

static struct order_page *candidate(struct order *order) {
    return order->lists[ORDER_NEW].newest;
}

static void stays(struct order *order, struct order_page *page, enum order_list list,
                  enum order_seen seen) {
    (void)list, (void)seen;
    order_put(order, page, ORDER_OFTEN);
}

static void goes(struct order *order, struct order_page *page, enum order_list list) {
    (void)list;
    order_forget(order, page);
}

const struct order_policy pm_mru_policy = {.new_flags = FCM_LEAVE_USED,
                                           .came = came,
                                           .begin = begin,
                                           .candidate = candidate,
                                           .stays = stays,
                                           .goes = goes};

PM_ORDER_METHODS(mru_ops, pm_mru_policy);

K42_CLASS(pm_mru) = {
    .name = "pm.mru",
    .interface = &pm_interface,
    .version = 1,
    .traits = "choice=mru access=loop",
    PM_BODY_CLASS,
    .ops = &mru_ops,
};
