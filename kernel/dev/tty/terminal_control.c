/*
 * Terminal: ioctl. Which request is which, and those that are short.
 *
 * Locking: the terminal's. Programs' memory is copied outside it.
 */
#include "../../copy.h"
#include "../../linux/job.h"
#include "terminal_request.h"

#include <errno.h>

k42_result request_give(const struct control *control, const void *what, size_t size) {
    struct copy copy = copy_of_user(control->argument, size);
    k42_result copied = copy_out(&copy, what, size);
    return copied < 0 ? copied : (size_t)copied < size ? -EFAULT : 0;
}

k42_result request_get(const struct control *control, void *what, size_t size) {
    struct copy copy = copy_of_user(control->argument, size);
    k42_result copied = copy_in(&copy, what, size);
    return copied < 0 ? copied : (size_t)copied < size ? -EFAULT : 0;
}

k42_result request_give_number(const struct control *control, int32_t number) {
    return request_give(control, &number, sizeof number);
}

/* ---- stopping, flushing, sizes ---- */

enum { FLUSH_INPUT, FLUSH_OUTPUT, FLUSH_BOTH };
enum { OUTPUT_OFF, OUTPUT_ON, INPUT_OFF, INPUT_ON };

static k42_result flush(const struct control *control) {
    if (control->argument > FLUSH_BOTH)
        return -EINVAL;
    k42_lock(&control->state->lock);
    if (control->argument != FLUSH_OUTPUT)
        terminal_flush_input(control->state);
    if (control->argument != FLUSH_INPUT)
        terminal_flush_output(control->state);
    terminal_unlock(control->self);
    return 0;
}

static void hold(struct line *line, bool held) {
    if (line->held == held)
        return;
    line->held = held;
    line_stop(line, held);
}

static k42_result flow(const struct control *control) {
    struct terminal_state *state = control->state;
    const uint8_t *characters = state->line.settings.characters;
    if (control->argument > INPUT_ON)
        return -EINVAL;
    k42_lock(&state->lock);
    if (control->argument <= OUTPUT_ON) {
        hold(&state->line, control->argument == OUTPUT_OFF);
    } else {
        uint8_t byte = characters[control->argument == INPUT_OFF ? TTY_STOP : TTY_START];
        if (byte)
            state->line.owner->echo(&state->line, byte);
    }
    terminal_unlock(control->self);
    return 0;
}

static k42_result set_size(const struct control *control) {
    struct tty_size size;
    k42_result result = request_get(control, &size, sizeof size);
    if (result < 0)
        return result;
    struct terminal_state *state = control->state;
    k42_lock(&state->lock);
    struct tty_size before = state->size;
    state->size = size;
    int32_t group = state->foreground;
    terminal_unlock(control->self);
    bool changed = before.rows != size.rows || before.columns != size.columns ||
                   before.width != size.width || before.height != size.height;
    if (changed && group)
        job_signal(group, SIGNAL_WINCH);
    return 0;
}

static k42_result type_in(const struct control *control) {
    uint8_t byte;
    k42_result result = request_get(control, &byte, 1);
    if (result < 0)
        return result;
    struct job job;
    job_self(&job);
    if (job.session != control->state->session && !job_may_steal())
        return -EPERM;
    k42_lock(&control->state->lock);
    line_input(&control->state->line, &byte, 1);
    if (line_ready(&control->state->line))
        control->state->news |= NEWS_LINE;
    terminal_unlock(control->self);
    return 0;
}

/* ---- which is which ---- */

/* Requests that change something wait until the caller is in the foreground. A master that is
 * flushed or stopped is not the terminal. */
static bool changes(unsigned request, bool from_device) {
    switch (request) {
    case TTY_TCSETS:
    case TTY_TCSETSW:
    case TTY_TCSETSF:
    case TTY_TCSETS2:
    case TTY_TCSETSW2:
    case TTY_TCSETSF2:
    case TTY_TCSETA:
    case TTY_TCSETAW:
    case TTY_TCSETAF:
    case TTY_TIOCSPGRP:
        return true;
    case TTY_TCSBRK:
    case TTY_TCSBRKP:
    case TTY_TCXONC:
    case TTY_TCFLSH:
        return !from_device;
    default:
        return false;
    }
}

/* What a pseudo-terminal's programs wrote is in its master's hands. */
static k42_result tell_counts(const struct control *control) {
    struct terminal_state *state = control->state;
    k42_lock(&state->lock);
    size_t count = control->request == TTY_FIONREAD ? line_readable(&state->line)
                   : state->pseudo                  ? 0
                                                    : (size_t)(state->written - state->shown);
    terminal_unlock(control->self);
    return request_give_number(control, (int32_t)count);
}

static k42_result hang_up(const struct control *control) {
    if (!job_may_steal())
        return -EPERM;
    return terminal_hang_up(control->self, TERMINAL_AGAIN);
}

/* As a number of st_rdev is told: 32 bits. */
static k42_result tell_device(const struct control *control) {
    return request_give_number(control, (int32_t)control->state->device);
}

static k42_result carry_out(const struct control *control) {
    switch (control->request) {
    case TTY_TCGETS:
    case TTY_TCGETS2:
        return request_settings(control);
    case TTY_TCGETA:
        return request_old_settings(control);
    case TTY_TCSETS:
    case TTY_TCSETS2:
    case TTY_TCSETA:
        return request_set(control, false, false);
    case TTY_TCSETSW:
    case TTY_TCSETSW2:
    case TTY_TCSETAW:
        return request_set(control, true, false);
    case TTY_TCSETSF:
    case TTY_TCSETSF2:
    case TTY_TCSETAF:
        return request_set(control, true, true);
    case TTY_TCSBRK:
    case TTY_TCSBRKP:
        return request_drained(control);
    case TTY_TIOCGLCKTRMIOS:
        return request_fixed(control);
    case TTY_TIOCSLCKTRMIOS:
        return request_fix(control);
    case TTY_TCXONC:
        return flow(control);
    case TTY_TCFLSH:
        return flush(control);
    case TTY_TIOCOUTQ:
    case TTY_FIONREAD:
        return tell_counts(control);
    case TTY_TIOCSTI:
        return type_in(control);
    case TTY_TIOCGWINSZ:
        return request_give(control, &control->state->size, sizeof control->state->size);
    case TTY_TIOCSWINSZ:
        return set_size(control);
    case TTY_TIOCSCTTY:
        return request_take(control);
    case TTY_TIOCNOTTY:
        return request_leave(control);
    case TTY_TIOCSPGRP:
        return request_set_foreground(control);
    case TTY_TIOCGPGRP:
    case TTY_TIOCGSID:
        return request_tell_job(control);
    case TTY_TIOCGETD:
        return request_give_number(control, 0);
    case TTY_TIOCGEXCL:
        return request_give_number(control, control->state->exclusive);
    case TTY_TIOCVHANGUP:
        return hang_up(control);
    case TTY_TIOCGDEV:
        return tell_device(control);
    case TTY_TIOCEXCL:
    case TTY_TIOCNXCL:
        control->state->exclusive = control->request == TTY_TIOCEXCL;
        return 0;
    default:
        return -ENOTTY;
    }
}

k42_result terminal_control(struct terminal *self, unsigned opening, unsigned request,
                            uintptr_t argument) {
    struct control control = {.self = self,
                              .state = terminal_state_of(self),
                              .from_device = opening == TERMINAL_FROM_DEVICE,
                              .request = request,
                              .argument = argument};
    bool changing = request == TTY_TIOCSPGRP;
    if (!control.from_device &&
        opening != __atomic_load_n(&control.state->opening, __ATOMIC_RELAXED))
        return changing ? -ENOTTY : -EIO;
    if (changes(request, control.from_device)) {
        k42_result checked = terminal_check(control.state, SIGNAL_TTOU);
        if (checked < 0)
            return checked == -EIO && changing ? -ENOTTY : checked;
    }
    k42_result result = control.from_device ? request_of_master(&control) : -ENOTTY;
    return result == -ENOTTY ? carry_out(&control) : result;
}
