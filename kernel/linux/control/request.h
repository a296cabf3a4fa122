/*
 * Requests of programs to /dev/k42, taken apart and checked: pure, so that a host can test it.
 */
#ifndef KERNEL_LINUX_CONTROL_REQUEST_H
#define KERNEL_LINUX_CONTROL_REQUEST_H

#include <k42/control.h>
#include <stdbool.h>
#include <stddef.h>

/* Points into the request's bytes. */
struct control_request {
    enum k42_control_kind kind;
    const void *body;
    const uint32_t *ids;
    uint32_t count;
    bool changes; /* something, so that the asker must be allowed to */
};

#define CONTROL_DELAY_MOST    1000000000ul
#define CONTROL_DEADLINE_MOST 10000000000ul
#define CONTROL_ATTEMPTS_MOST 64u
#define CONTROL_WINDOW_MOST   60000000000ul
#define CONTROL_WORSE_MOST    100000u

/*
 * Takes `size` bytes apart, which are aligned to 8. 0, or -EPROTO, -ENOSYS, -EINVAL as
 * k42/control.h has them; then the request is not to be looked at.
 */
int control_request_read(const void *bytes, size_t size, struct control_request *request);

#endif
