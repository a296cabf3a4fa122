/*
 * A policy for page caches whose reads each take five milliseconds longer, spent inside.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("slower");

#define DELAY_NS 5000000ul

static k42_result slower_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    uint64_t end = time_ns() + DELAY_NS;
    while (time_ns() < end)
        __builtin_ia32_pause();
    return fcm_body_read(self, offset, copy);
}

static const struct fcm_ops slower_ops = {
    FCM_BODY_METHODS,
    .read = slower_read,
    .give_back = fcm_body_give_back,
};

K42_CLASS(fcm_slower) = {
    .name = "fcm.slower",
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &slower_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
