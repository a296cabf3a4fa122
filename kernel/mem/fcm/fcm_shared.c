/*
 * FCM, shared: the pages of one file with something behind it, one set for all CPUs.
 *
 * The default. Pages are found without a lock; those that come and go take the FCM's. When memory
 * is short a clock goes round the pages (body_clock.c).
 *
 * Locking, and the life of a page: body.h. Formats: body_state.c's.
 * Fails: -ENOMEM when neither the PM nor the heap has memory.
 */
#include "body.h"

static const struct fcm_ops shared_ops = {
    FCM_BODY_METHODS,
    .read = fcm_body_read,
    .give_back = fcm_body_give_back,
    .leave = fcm_body_leave,
};

K42_CLASS(fcm_shared) = {
    .name = "fcm.shared",
    .interface = &fcm_interface,
    .version = 1,
    .traits = "behind=file sharing=low",
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &shared_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
