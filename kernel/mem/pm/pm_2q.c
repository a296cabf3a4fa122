/*
 * PM, 2Q: a page that came once leaves soon, in the order of coming; one that comes again while it
 * is still remembered stays with those that are used often.
 *
 * So what is read once and in order goes by without taking the place of what is read again and
 * again. NEW is a queue of a quarter of the memory, in which use does not count: a page's first
 * uses come together. NEW_GONE remembers half as many pages as fit into memory. OFTEN is a clock.
 *
 * Locking and formats: body.h. Fails: see pm.h.
 */
#include "body.h"

static uint64_t most_new(const struct order *order) {
    uint64_t quarter = order->room / 4;
    return quarter ? quarter : 1;
}

static void came(struct order *order, struct order_page *page, enum order_list from) {
    order_put(order, page, from == ORDER_NONE ? ORDER_NEW : ORDER_OFTEN);
}

static struct order_page *candidate(struct order *order) {
    if (order_count(order, ORDER_NEW) > most_new(order) || !order_count(order, ORDER_OFTEN))
        return order->lists[ORDER_NEW].oldest;
    return order->lists[ORDER_OFTEN].oldest;
}

static void stays(struct order *order, struct order_page *page, enum order_list list,
                  enum order_seen seen) {
    (void)seen;
    order_put(order, page, list);
}

static void goes(struct order *order, struct order_page *page, enum order_list list) {
    if (list == ORDER_NEW)
        order_put(order, page, ORDER_NEW_GONE);
    else
        order_forget(order, page);
    order_trim(order, ORDER_NEW_GONE, order->room / 2);
    order_trim(order, ORDER_OFTEN_GONE, 0);
}

const struct order_policy pm_2q_policy = {.new_flags = FCM_LEAVE_USED | FCM_LEAVE_UNUSED,
                                          .came = came,
                                          .candidate = candidate,
                                          .stays = stays,
                                          .goes = goes};

PM_ORDER_METHODS(queues_ops, pm_2q_policy);

K42_CLASS(pm_2q) = {
    .name = "pm.2q",
    .interface = &pm_interface,
    .version = 1,
    .traits = "choice=2q replace=recency scans=yes",
    PM_BODY_CLASS,
    .ops = &queues_ops,
};
