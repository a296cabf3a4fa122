/*
 * A request of ioctl to a terminal, for the files that carry them out; nothing outside includes
 * this.
 *
 * Locking: the terminal's. Programs' memory is copied outside it.
 */
#ifndef KERNEL_TERMINAL_REQUEST_H
#define KERNEL_TERMINAL_REQUEST_H

#include "terminal_state.h"

struct job;

/* One under way. */
struct control {
    struct terminal *self;
    struct terminal_state *state;
    bool from_device; /* by who has the master */
    unsigned request;
    uintptr_t argument;
};

/* Copies to where the argument points, or from there. 0, -EFAULT, -K42_FAULT. */
K42_MUST_CHECK
k42_result request_give(const struct control *control, const void *what, size_t size);
K42_MUST_CHECK
k42_result request_get(const struct control *control, void *what, size_t size);
K42_MUST_CHECK
k42_result request_give_number(const struct control *control, int32_t number);

/* ---- settings: terminal_settings.c ---- */

k42_result request_settings(const struct control *control);
k42_result request_old_settings(const struct control *control);
k42_result request_set(const struct control *control, bool drain, bool flush);
/* What of the settings stays as it is. Setting it: -EPERM. */
k42_result request_fixed(const struct control *control);
k42_result request_fix(const struct control *control);
/* -K42_WAIT until the device has all output. */
k42_result request_drained(const struct control *control);

/* ---- job control: terminal_ownership.c ---- */

/* The caller's session has it. */
bool request_is_mine(const struct control *control, struct job *job);
k42_result request_take(const struct control *control);
k42_result request_leave(const struct control *control);
k42_result request_set_foreground(const struct control *control);
k42_result request_tell_job(const struct control *control);

/* ---- of a master: terminal_master.c ---- */

k42_result request_of_master(const struct control *control);

#endif
