/*
 * PM, clock: the pages of all its FCMs stand in one ring; a hand goes round. A page that was used
 * since the hand last came by stays, another goes.
 *
 * The yardstick for the other policies, and good where what was used lately is used again.
 *
 * Locking and formats: body.h. Fails: see pm.h.
 */
#include "body.h"

static void came(struct order *order, struct order_page *page, enum order_list from) {
    (void)from;
    order_put(order, page, ORDER_NEW);
    order_trim(order, ORDER_NEW_GONE, 0);
    order_trim(order, ORDER_OFTEN_GONE, 0);
}

/* What another policy had in its second list follows the ring. */
static struct order_page *candidate(struct order *order) {
    struct order_page *oldest = order->lists[ORDER_NEW].oldest;
    struct order_page *other = order->lists[ORDER_OFTEN].oldest;
    return other && (!oldest || order_count(order, ORDER_OFTEN) > order_count(order, ORDER_NEW))
               ? other
               : oldest;
}

static void stays(struct order *order, struct order_page *page, enum order_list list,
                  enum order_seen seen) {
    (void)list, (void)seen;
    order_put(order, page, ORDER_NEW);
}

static void goes(struct order *order, struct order_page *page, enum order_list list) {
    (void)list;
    order_forget(order, page);
}

const struct order_policy pm_clock_policy = {.new_flags = FCM_LEAVE_UNUSED,
                                             .came = came,
                                             .candidate = candidate,
                                             .stays = stays,
                                             .goes = goes};

PM_ORDER_METHODS(clock_ops, pm_clock_policy);

K42_CLASS(pm_clock) = {
    .name = "pm.clock",
    .interface = &pm_interface,
    .version = 1,
    .traits = "choice=clock replace=recency",
    PM_BODY_CLASS,
    .ops = &clock_ops,
};
