/*
 * A replacement policy: PM, bimodal insertion. Who is there stays; of those who come, one in 32.
 *
 *     ./k42 build components/pm_bip.c
 *     k42ctl load pm_bip.k42
 *     exec 3< FILE; echo 3 pm.bip 256 > /proc/k42/replacement    a file has it, with 256 frames
 *     k42ctl swap 4711 pm.bip                                    or a PM that is there already
 *     k42ctl swap --class pm.bip pm.clock; k42ctl unload pm_bip
 *
 * Policies that keep what came last are helpless when a program goes round and round through more
 * than fits: each page goes just before it is wanted. Here pages that come pass through a small
 * queue, NEW, and leave by its other end, whether they were used or not; what was there first, in
 * OFTEN, is left alone, and that part of the round is found in memory each time. One in 32 comes to
 * OFTEN at once, in place of one that was not used since the hand came by: so when the program
 * turns to other pages they get in sooner or later.
 *
 * It is five functions over lists that all policies have (kernel/mem/pm/order.h). It takes pages as
 * another policy left them, and leaves them so that any other can go on; it remembers none that has
 * left.
 *
 * Locking and formats: kernel/mem/pm/body.h. Fails: see pm.h.
 */
#include <k42/kernel/pm.h>

K42_COMPONENT("pm_bip");

enum {
    CHANCE = 32,
    PASSING = 16, /* NEW is a 16th of what fits */
    MANY = 4,     /* more than a quarter: from another policy */
    STEP = 8,     /* pages of such that are put in order for each that goes */
};

/* The policy's number counts who comes. */
static void came(struct order *order, struct order_page *page, enum order_list from) {
    (void)from;
    order->target = (order->target + 1) % CHANCE;
    order_put(order, page, order->target ? ORDER_NEW : ORDER_OFTEN);
    order_trim(order, ORDER_NEW_GONE, 0);
    order_trim(order, ORDER_OFTEN_GONE, 0);
}

static struct order_page *candidate(struct order *order) {
    for (unsigned n = 0; n < STEP && order_count(order, ORDER_NEW) > order->room / MANY + STEP; n++)
        order_move(order, order->lists[ORDER_NEW].oldest, ORDER_OFTEN);
    bool passes = order_count(order, ORDER_NEW) > order->room / PASSING;
    return order->lists[passes || !order_count(order, ORDER_OFTEN) ? ORDER_NEW : ORDER_OFTEN]
        .oldest;
}

/* One that was used, or is held. */
static void stays(struct order *order, struct order_page *page, enum order_list list,
                  enum order_seen seen) {
    (void)seen;
    order_put(order, page, list);
}

static void goes(struct order *order, struct order_page *page, enum order_list list) {
    (void)list;
    order_forget(order, page);
}

static const struct order_policy bip = {.new_flags = FCM_LEAVE_USED | FCM_LEAVE_UNUSED,
                                        .came = came,
                                        .candidate = candidate,
                                        .stays = stays,
                                        .goes = goes};

PM_ORDER_METHODS(bip_ops, bip);

K42_CLASS(pm_bip) = {
    .name = "pm.bip",
    .interface = &pm_interface,
    .version = 1,
    .traits = "choice=bip replace=first loops=yes",
    PM_BODY_CLASS,
    .ops = &bip_ops,
};
