/*
 * Terminal: ioctl. What programs set and ask, and job control's share of it.
 *
 * Locking: the terminal's. Programs' memory is copied outside it.
 */
#include "../../copy.h"
#include "../../linux/job.h"
#include "terminal_state.h"

#include <errno.h>

enum {
    SIGNAL_TTOU = 22,
    SIGNAL_WINCH = 28,
    SPEED = 38400,
};

/* One request under way. */
struct control {
    struct terminal *self;
    struct terminal_state *state;
    unsigned request;
    uintptr_t argument;
};

static k42_id id_of(const struct control *control) {
    return k42_root_id(BODY_ROOT(control->self));
}

static k42_result give(const struct control *control, const void *what, size_t size) {
    struct copy copy = copy_of_user(control->argument, size);
    k42_result copied = copy_out(&copy, what, size);
    return copied < 0 ? copied : (size_t)copied < size ? -EFAULT : 0;
}

static k42_result get(const struct control *control, void *what, size_t size) {
    struct copy copy = copy_of_user(control->argument, size);
    k42_result copied = copy_in(&copy, what, size);
    return copied < 0 ? copied : (size_t)copied < size ? -EFAULT : 0;
}

static k42_result give_number(const struct control *control, int32_t number) {
    return give(control, &number, sizeof number);
}

/* ---- settings ---- */

static k42_result give_settings(const struct control *control) {
    struct tty_settings2 settings = {.input_speed = SPEED, .output_speed = SPEED};
    k42_lock(&control->state->lock);
    settings.common = control->state->line.settings;
    k42_unlock(&control->state->lock);
    bool extended = control->request == TTY_TCGETS2;
    return give(control, &settings, extended ? sizeof settings : sizeof settings.common);
}

/* Settings as System V had them: 16-bit flags, eight characters. */
struct old_settings {
    uint16_t input, output, control, local;
    uint8_t discipline, characters[8];
};

static k42_result give_old_settings(const struct control *control) {
    struct old_settings old = {0};
    k42_lock(&control->state->lock);
    const struct tty_settings *settings = &control->state->line.settings;
    old.input = (uint16_t)settings->input;
    old.output = (uint16_t)settings->output;
    old.control = (uint16_t)settings->control;
    old.local = (uint16_t)settings->local;
    for (unsigned n = 0; n < sizeof old.characters; n++)
        old.characters[n] = settings->characters[n];
    k42_unlock(&control->state->lock);
    return give(control, &old, sizeof old);
}

/* Reads what is to be set; what an old program does not say stays as it is. */
static k42_result get_settings(const struct control *control, struct tty_settings *settings) {
    if (control->request < TTY_TCGETA || control->request > TTY_TCSETAF)
        return get(control, settings, sizeof *settings);
    struct old_settings old;
    k42_result result = get(control, &old, sizeof old);
    if (result < 0)
        return result;
    k42_lock(&control->state->lock);
    *settings = control->state->line.settings;
    k42_unlock(&control->state->lock);
    settings->input = (settings->input & 0xffff0000u) | old.input;
    settings->output = (settings->output & 0xffff0000u) | old.output;
    settings->control = (settings->control & 0xffff0000u) | old.control;
    settings->local = (settings->local & 0xffff0000u) | old.local;
    for (unsigned n = 0; n < sizeof old.characters; n++)
        settings->characters[n] = old.characters[n];
    return 0;
}

/* -K42_WAIT until the device has all output. */
static k42_result drained(const struct control *control) {
    k42_lock(&control->state->lock);
    bool all = control->state->shown == control->state->written || control->state->hung_up;
    k42_unlock(&control->state->lock);
    return all ? 0 : wait_on(id_of(control), TERMINAL_PROGRAM, WAIT_WRITE);
}

static k42_result set_settings(const struct control *control, bool drain, bool flush) {
    struct tty_settings settings;
    k42_result result = get_settings(control, &settings);
    if (result == 0 && drain)
        result = drained(control);
    if (result < 0)
        return result;
    k42_lock(&control->state->lock);
    if (flush)
        line_flush(&control->state->line);
    line_set(&control->state->line, &settings);
    k42_unlock(&control->state->lock);
    wait_notify(id_of(control), TERMINAL_DEVICE, WAIT_WRITE, WAIT_ALL);
    wait_notify(id_of(control), TERMINAL_PROGRAM, WAIT_READ, WAIT_ALL);
    return 0;
}

/* ---- stopping, flushing, sizes ---- */

enum { FLUSH_INPUT, FLUSH_OUTPUT, FLUSH_BOTH };
enum { OUTPUT_OFF, OUTPUT_ON, INPUT_OFF, INPUT_ON };

static k42_result flush(const struct control *control) {
    if (control->argument > FLUSH_BOTH)
        return -EINVAL;
    k42_lock(&control->state->lock);
    if (control->argument != FLUSH_OUTPUT)
        line_flush(&control->state->line);
    if (control->argument != FLUSH_INPUT && !control->state->moving)
        control->state->shown = control->state->written;
    k42_unlock(&control->state->lock);
    wait_notify(id_of(control), TERMINAL_PROGRAM, WAIT_WRITE, WAIT_ALL);
    return 0;
}

static k42_result flow(const struct control *control) {
    struct terminal_state *state = control->state;
    const uint8_t *characters = state->line.settings.characters;
    if (control->argument > INPUT_ON)
        return -EINVAL;
    k42_lock(&state->lock);
    if (control->argument <= OUTPUT_ON) {
        state->line.stopped = control->argument == OUTPUT_OFF;
    } else {
        uint8_t byte = characters[control->argument == INPUT_OFF ? TTY_STOP : TTY_START];
        if (byte)
            state->line.owner->echo(&state->line, byte);
    }
    k42_unlock(&state->lock);
    wait_notify(id_of(control), TERMINAL_DEVICE, WAIT_WRITE, WAIT_ALL);
    return 0;
}

static k42_result set_size(const struct control *control) {
    struct tty_size size;
    k42_result result = get(control, &size, sizeof size);
    if (result < 0)
        return result;
    struct terminal_state *state = control->state;
    k42_lock(&state->lock);
    struct tty_size before = state->size;
    state->size = size;
    int32_t group = state->foreground;
    k42_unlock(&state->lock);
    bool changed = before.rows != size.rows || before.columns != size.columns ||
                   before.width != size.width || before.height != size.height;
    if (changed && group)
        job_signal(group, SIGNAL_WINCH);
    return 0;
}

static k42_result type_in(const struct control *control) {
    uint8_t byte;
    k42_result result = get(control, &byte, 1);
    if (result < 0)
        return result;
    struct job job;
    job_self(&job);
    if (job.session != control->state->session)
        return -EPERM;
    k42_lock(&control->state->lock);
    line_input(&control->state->line, &byte, 1);
    bool ready = line_ready(&control->state->line);
    k42_unlock(&control->state->lock);
    terminal_send_signals(control->state);
    if (ready)
        wait_notify(id_of(control), TERMINAL_PROGRAM, WAIT_READ, WAIT_ALL);
    wait_notify(id_of(control), TERMINAL_DEVICE, WAIT_WRITE, WAIT_ALL);
    return 0;
}

/* ---- job control ---- */

static bool is_mine(const struct control *control, struct job *job) {
    job_self(job);
    return job->session && job->session == control->state->session;
}

/* Another session's only for whoever asks so (argument 1) and may do everything; it is not told. */
static k42_result take_terminal(const struct control *control) {
    struct terminal_state *state = control->state;
    k42_ref self = k42_root_ref(BODY_ROOT(control->self));
    struct job job;
    if (is_mine(control, &job) && job.leads)
        return 0;
    if (!job.leads || k42_id_of(job_terminal()))
        return -EPERM;
    bool steals = control->argument == 1 && job_may_steal();
    k42_lock(&state->lock);
    int32_t before = state->session;
    bool taken = !before || steals;
    if (taken) {
        state->session = job.session;
        state->foreground = job.group;
    }
    k42_unlock(&state->lock);
    if (!taken)
        return -EPERM;
    if (before)
        job_lose_terminal(before, self);
    job_set_terminal(job.session, self);
    return 0;
}

static k42_result leave_terminal(const struct control *control) {
    struct job job;
    if (!is_mine(control, &job))
        return -ENOTTY;
    if (!job.leads)
        return 0;
    job_set_terminal(job.session, K42_NULL_REF);
    terminal_ref ref = (terminal_ref)k42_root_ref(BODY_ROOT(control->self));
    return k42_call(ref, session_ended, job.session);
}

static k42_result set_foreground(const struct control *control) {
    int32_t group;
    struct job job;
    if (!is_mine(control, &job))
        return -ENOTTY;
    k42_result result = get(control, &group, sizeof group);
    if (result < 0)
        return result;
    if (group < 0)
        return -EINVAL;
    if (!job_in_session(group, job.session))
        return -EPERM;
    k42_lock(&control->state->lock);
    control->state->foreground = group;
    k42_unlock(&control->state->lock);
    return 0;
}

static k42_result tell_job(const struct control *control) {
    struct job job;
    if (!is_mine(control, &job))
        return -ENOTTY;
    return give_number(control, control->request == TTY_TIOCGSID ? control->state->session
                                                                 : control->state->foreground);
}

/* ---- which is which ---- */

/* Requests that change something wait until the caller is in the foreground. */
static bool changes(unsigned request) {
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
    case TTY_TCSBRK:
    case TTY_TCSBRKP:
    case TTY_TCXONC:
    case TTY_TCFLSH:
    case TTY_TIOCSPGRP:
        return true;
    default:
        return false;
    }
}

static k42_result tell_counts(const struct control *control) {
    struct terminal_state *state = control->state;
    k42_lock(&state->lock);
    size_t count = control->request == TTY_FIONREAD ? line_readable(&state->line)
                                                    : (size_t)(state->written - state->shown);
    k42_unlock(&state->lock);
    return give_number(control, (int32_t)count);
}

static k42_result carry_out(const struct control *control) {
    switch (control->request) {
    case TTY_TCGETS:
    case TTY_TCGETS2:
        return give_settings(control);
    case TTY_TCGETA:
        return give_old_settings(control);
    case TTY_TCSETS:
    case TTY_TCSETS2:
    case TTY_TCSETA:
        return set_settings(control, false, false);
    case TTY_TCSETSW:
    case TTY_TCSETSW2:
    case TTY_TCSETAW:
        return set_settings(control, true, false);
    case TTY_TCSETSF:
    case TTY_TCSETSF2:
    case TTY_TCSETAF:
        return set_settings(control, true, true);
    case TTY_TCSBRK:
    case TTY_TCSBRKP:
        return drained(control);
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
        return give(control, &control->state->size, sizeof control->state->size);
    case TTY_TIOCSWINSZ:
        return set_size(control);
    case TTY_TIOCSCTTY:
        return take_terminal(control);
    case TTY_TIOCNOTTY:
        return leave_terminal(control);
    case TTY_TIOCSPGRP:
        return set_foreground(control);
    case TTY_TIOCGPGRP:
    case TTY_TIOCGSID:
        return tell_job(control);
    case TTY_TIOCGETD:
        return give_number(control, 0);
    case TTY_TIOCEXCL:
    case TTY_TIOCNXCL:
        control->state->exclusive = control->request == TTY_TIOCEXCL;
        return 0;
    default:
        return -ENOTTY;
    }
}

k42_result terminal_control(struct terminal *self, unsigned request, uintptr_t argument) {
    struct control control = {self, terminal_state_of(self), request, argument};
    if (changes(request)) {
        k42_result checked = terminal_check(control.state, SIGNAL_TTOU);
        if (checked < 0)
            return checked;
    }
    if (control.state->hung_up)
        return -EIO;
    return carry_out(&control);
}
