/*
 * Terminal: the requests of ioctl that mean something else, or something at all, when they come
 * from the master of a pseudo-terminal. What is not here means the terminal itself: its settings,
 * its size, whose it is.
 *
 * Locking: the terminal's. Programs' memory is copied outside it.
 */
#include "../../fs/devices.h"
#include "../../linux/job.h"
#include "terminal_request.h"

#include <errno.h>

/* TIOCSPTLCK, TIOCPKT: a number says on or off. */
static k42_result switch_(const struct control *control) {
    struct terminal_state *state = control->state;
    int32_t on;
    k42_result result = request_get(control, &on, sizeof on);
    if (result < 0)
        return result;
    k42_lock(&state->lock);
    if (control->request == TTY_TIOCSPTLCK) {
        state->locked = on;
    } else {
        if (!state->packets || !on)
            state->packet = 0;
        state->packets = on;
    }
    terminal_unlock(control->self);
    return 0;
}

/* A signal for the foreground, as if its character had been typed. */
static k42_result send(const struct control *control) {
    int signal = (int)control->argument;
    if (signal != SIGNAL_INT && signal != SIGNAL_QUIT && signal != SIGNAL_TSTP)
        return -EINVAL;
    int32_t group = __atomic_load_n(&control->state->foreground, __ATOMIC_RELAXED);
    if (group)
        job_signal(group, signal);
    return 0;
}

/* What the terminal shows is what a master has to read. */
static k42_result count(const struct control *control) {
    struct terminal_state *state = control->state;
    k42_lock(&state->lock);
    uint64_t end = state->line.stopped ? state->stopped_at : state->written;
    int32_t there = (int32_t)(end - state->shown);
    terminal_unlock(control->self);
    return request_give_number(control, there);
}

enum { FLUSH_INPUT, FLUSH_OUTPUT, FLUSH_BOTH };

/* Its input is what the terminal shows; its output what the line has not taken yet. */
static k42_result flush(const struct control *control) {
    struct terminal_state *state = control->state;
    if (control->argument > FLUSH_BOTH)
        return -EINVAL;
    k42_lock(&state->lock);
    if (control->argument != FLUSH_OUTPUT && !state->moving) {
        state->shown = state->written;
        state->stopped_at = state->written;
        state->news |= NEWS_SPACE;
    }
    if (control->argument != FLUSH_INPUT) {
        state->taken = state->arrived;
        state->news |= NEWS_ROOM;
    }
    terminal_unlock(control->self);
    return 0;
}

k42_result request_of_master(const struct control *control) {
    switch (control->request) {
    case TTY_TIOCGPTN:
        return request_give_number(control, (int32_t)device_minor(control->state->device));
    case TTY_TIOCSPTLCK:
    case TTY_TIOCPKT:
        return switch_(control);
    case TTY_TIOCGPTLCK:
        return request_give_number(control, control->state->locked);
    case TTY_TIOCGPKT:
        return request_give_number(control, control->state->packets);
    case TTY_TIOCSIG:
        return send(control);
    case TTY_FIONREAD:
        return count(control);
    case TTY_TCFLSH:
        return flush(control);
    default:
        return -ENOTTY;
    }
}
