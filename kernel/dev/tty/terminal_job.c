/*
 * Terminal: who has it open, whose it is, and its end.
 *
 * Locking: the terminal's; the personality is told of it after the lock (linux/job.h). What a
 * terminal and a session say of each other is changed one after the other: who comes in between
 * takes the terminal for nobody's, or for the caller's, as he would a moment earlier or later.
 */
#include "../../linux/job.h"
#include "../../linux/linux.h"
#include "terminal_state.h"

#include <errno.h>

k42_result terminal_check(const struct terminal_state *state, int signal) {
    struct job job;
    job_self(&job);
    int32_t foreground = __atomic_load_n(&state->foreground, __ATOMIC_RELAXED);
    if (!job.process || job.session != __atomic_load_n(&state->session, __ATOMIC_RELAXED) ||
        !foreground || job.group == foreground)
        return 0;
    if (!job_minds(signal))
        return signal == SIGNAL_TTIN ? -EIO : 0;
    if (job.orphaned)
        return -EIO;
    job_signal(job.group, signal);
    return -LINUX_RESTART;
}

k42_result terminal_opened(struct terminal *self, unsigned how) {
    struct terminal_state *state = terminal_state_of(self);
    struct job job;
    job_self(&job);
    bool wants = !(how & TERMINAL_NOT_MINE) && job.leads && !k42_id_of(job_terminal());
    k42_lock(&state->lock);
    k42_result result = state->gone || state->locked                       ? -EIO
                        : state->exclusive && !(how & TERMINAL_PRIVILEGED) ? -EBUSY
                                                                           : 0;
    bool taken = result == 0 && wants && !state->session;
    if (taken) {
        state->session = job.session;
        state->foreground = job.group;
    }
    if (result == 0) {
        result = (k42_result)state->opening;
        state->files++;
        state->closed = false;
    }
    terminal_unlock(self);
    if (taken)
        job_set_terminal(job.session, k42_root_ref(BODY_ROOT(self)));
    return result;
}

k42_result terminal_closed(struct terminal *self) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    if (!--state->files) {
        state->closed = true;
        state->exclusive &= state->pseudo;
        state->news |= NEWS_CLOSED;
    }
    terminal_unlock(self);
    return 0;
}

/* As Linux, the foreground hears of it only when the leader, who is told, has ended. */
k42_result terminal_hang_up(struct terminal *self, unsigned end) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    state->opening = (state->opening + 1) & INT32_MAX;
    state->gone |= end == TERMINAL_GONE;
    terminal_flush_input(state);
    if (!state->pseudo)
        state->shown = state->written;
    if (state->pseudo)
        line_open(&state->line, &terminal_line_owner);
    state->packet = 0;
    int32_t session = state->session, group = state->foreground;
    state->session = state->foreground = 0;
    state->news |= NEWS_ENDED;
    terminal_unlock(self);
    if (session)
        job_hang_up(session, group);
    return 0;
}

/* A leader that ends need not have those continue whom nobody could stop any more. */
k42_result terminal_session_ended(struct terminal *self, int session, unsigned ended) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    int32_t group = state->session == session ? state->foreground : 0;
    if (state->session == session)
        state->session = state->foreground = 0;
    bool continues = !ended || !state->pseudo;
    terminal_unlock(self);
    if (group)
        job_signal(group, SIGNAL_HUP);
    if (group && continues)
        job_signal(group, SIGNAL_CONT);
    return 0;
}

k42_result terminal_facts(struct terminal *self, struct terminal_facts *facts) {
    struct terminal_state *state = terminal_state_of(self);
    k42_lock(&state->lock);
    *facts =
        (struct terminal_facts){state->device, state->master, state->session, state->foreground};
    terminal_unlock(self);
    return 0;
}
