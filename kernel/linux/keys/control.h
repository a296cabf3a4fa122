/*
 * keyctl: one function for each thing that it does. See keys_inner.h.
 */
#ifndef KERNEL_LINUX_KEYS_CONTROL_H
#define KERNEL_LINUX_KEYS_CONTROL_H

#include <k42/base.h>

/* Arguments behind the first, as the program gave them. */
struct keyctl {
    uint64_t a, b, c, d;
};

/* told.c */
k42_result keyctl_ring_id(const struct keyctl *call);
k42_result keyctl_describe(const struct keyctl *call);
k42_result keyctl_security(const struct keyctl *call);
k42_result keyctl_read(const struct keyctl *call);
k42_result keyctl_capabilities(const struct keyctl *call);

/* rings.c */
k42_result keyctl_join(const struct keyctl *call);
k42_result keyctl_session_to_parent(const struct keyctl *call);
k42_result keyctl_clear(const struct keyctl *call);
k42_result keyctl_link(const struct keyctl *call);
k42_result keyctl_unlink(const struct keyctl *call);
k42_result keyctl_move(const struct keyctl *call);
k42_result keyctl_search(const struct keyctl *call);
k42_result keyctl_close(const struct keyctl *call);
k42_result keyctl_lasting(const struct keyctl *call);

#endif
