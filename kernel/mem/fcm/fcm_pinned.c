/*
 * FCM, pinned: the pages of one file that stay in memory until they are cut off.
 *
 * For files with nothing behind them, whose pages are all there is: RAM files, shared memory. One
 * that has an FR all the same (it took the place of a shared one) fills and syncs as that did.
 *
 * Locking, and the life of a page: body.h. Formats: body_state.c's.
 * Fails: -ENOMEM when neither the PM nor the heap has memory.
 */
#include "body.h"
#include "unmanaged.h"

static k42_result give_back(struct fcm *self, uint64_t wanted) {
    (void)self, (void)wanted;
    return 0;
}

static const struct fcm_ops pinned_ops = {
    FCM_BODY_METHODS,
    .read = fcm_body_read,
    .give_back = give_back,
    .leave = fcm_unmanaged_leave,
};

K42_CLASS(fcm_pinned) = {
    .name = "fcm.pinned",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=nothing",
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &pinned_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
