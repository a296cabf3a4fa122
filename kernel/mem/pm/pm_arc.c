/*
 * PM, ARC: balances what came lately against what is used often, and learns from its mistakes
 * which of the two deserves the memory.
 *
 * In the form that needs no work when a page is used (clocks with adaptive replacement): NEW and
 * OFTEN are clocks, and as many pages as fit into memory are remembered after they left. `target`
 * is how many pages NEW should have. A page that comes back and had left NEW says that NEW is too
 * small, one that had left OFTEN that it is too large.
 *
 * Locking and formats: body.h. Fails: see pm.h.
 */
#include "body.h"

static uint64_t step(uint64_t other, uint64_t own) {
    return other > own ? other / own : 1;
}

/* The page that came back is no longer in its list, and counted there all the same. */
static void learn(struct order *order, enum order_list from) {
    uint64_t new = order_count(order, ORDER_NEW_GONE), often = order_count(order, ORDER_OFTEN_GONE);
    if (from == ORDER_NEW_GONE) {
        order->target += step(often, new + 1);
        if (order->target > order->room)
            order->target = order->room;
    } else {
        uint64_t less = step(new, often + 1);
        order->target = order->target > less ? order->target - less : 0;
    }
}

/* What is remembered, with what is there, is at most twice the memory, and of NEW at most once. */
static void forget_some(struct order *order) {
    uint64_t room = order->room, new = order_count(order, ORDER_NEW);
    order_trim(order, ORDER_NEW_GONE, room > new ? room - new : 0);
    uint64_t others = order_present(order) + order_count(order, ORDER_NEW_GONE);
    order_trim(order, ORDER_OFTEN_GONE, 2 * room > others ? 2 * room - others : 0);
}

static void came(struct order *order, struct order_page *page, enum order_list from) {
    if (from != ORDER_NONE)
        learn(order, from);
    order_put(order, page, from == ORDER_NONE ? ORDER_NEW : ORDER_OFTEN);
    forget_some(order);
}

static struct order_page *candidate(struct order *order) {
    uint64_t new = order_count(order, ORDER_NEW), least = order->target ? order->target : 1;
    return new >= least || !order_count(order, ORDER_OFTEN) ? order->lists[ORDER_NEW].oldest
                                                            : order->lists[ORDER_OFTEN].oldest;
}

static void stays(struct order *order, struct order_page *page, enum order_list list,
                  enum order_seen seen) {
    order_put(order, page, seen == ORDER_USED ? ORDER_OFTEN : list);
}

static void goes(struct order *order, struct order_page *page, enum order_list list) {
    order_put(order, page, list == ORDER_NEW ? ORDER_NEW_GONE : ORDER_OFTEN_GONE);
    forget_some(order);
}

const struct order_policy pm_arc_policy = {.new_flags = FCM_LEAVE_UNUSED,
                                           .came = came,
                                           .candidate = candidate,
                                           .stays = stays,
                                           .goes = goes};

PM_ORDER_METHODS(arc_ops, pm_arc_policy);

K42_CLASS(pm_arc) = {
    .name = "pm.arc",
    .interface = &pm_interface,
    .version = 1,
    .traits = "choice=arc replace=frequency scans=yes",
    PM_BODY_CLASS,
    .ops = &arc_ops,
};
