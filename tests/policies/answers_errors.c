/*
 * A policy for page caches that reads nothing: every read answers an error.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("answers_errors");

static k42_result bad_read(struct fcm *self, uint64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EIO;
}

static const struct fcm_ops bad_ops = {
    FCM_BODY_METHODS,
    .read = bad_read,
    .give_back = fcm_body_give_back,
};

K42_CLASS(fcm_bad) = {
    .name = "fcm.answers_errors",
    .interface = &fcm_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &bad_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
