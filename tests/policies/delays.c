/*
 * A policy for page caches whose reads each take a second longer, spent inside.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("delays");

#define DELAY_NS 1000000000ul

static k42_result slow_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    uint64_t end = time_ns() + DELAY_NS;
    while (time_ns() < end)
        __builtin_ia32_pause();
    return fcm_body_read(self, offset, copy);
}

static const struct fcm_ops slow_ops = {
    FCM_BODY_METHODS,
    .read = slow_read,
    .give_back = fcm_body_give_back,
};

K42_CLASS(fcm_slow) = {
    .name = "fcm.delays",
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &slow_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
