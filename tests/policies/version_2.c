/*
 * A policy for page caches that changes nothing; version 2.
 */
#include <k42/kernel/fcm.h>

K42_COMPONENT("versions");

static const struct fcm_ops plain_ops = {
    FCM_BODY_METHODS,
    .read = fcm_body_read,
    .give_back = fcm_body_give_back,
};

K42_CLASS(fcm_versions) = {
    .name = "fcm.versions",
    .interface = &fcm_interface,
    .version = 2,
    .kind = &k42_single,
    .root_size = sizeof(struct body),
    .rep_offset = offsetof(struct body, rep),
    .ops = &plain_ops,
    .init = fcm_body_init,
    .fini = fcm_body_fini,
    .transfers = fcm_body_transfers,
};
