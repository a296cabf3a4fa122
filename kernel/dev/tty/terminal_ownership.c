/*
 * Terminal: whose it is, asked and changed by ioctl.
 *
 * Locking: the terminal's; the personality is told outside it.
 */
#include "../../linux/job.h"
#include "terminal_request.h"

#include <errno.h>

bool request_is_mine(const struct control *control, struct job *job) {
    job_self(job);
    return job->session && job->session == control->state->session;
}

/* Another session's only for whoever asks so (argument 1) and may do everything; it is not told. */
k42_result request_take(const struct control *control) {
    struct terminal_state *state = control->state;
    k42_ref self = k42_root_ref(BODY_ROOT(control->self));
    struct job job;
    if (request_is_mine(control, &job) && job.leads)
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
    terminal_unlock(control->self);
    if (!taken)
        return -EPERM;
    if (before)
        job_lose_terminal(before, self);
    job_set_terminal(job.session, self);
    return 0;
}

k42_result request_leave(const struct control *control) {
    struct job job;
    if (control->from_device || !request_is_mine(control, &job))
        return -ENOTTY;
    if (!job.leads)
        return 0;
    job_set_terminal(job.session, K42_NULL_REF);
    terminal_ref ref = (terminal_ref)k42_root_ref(BODY_ROOT(control->self));
    return k42_call(ref, session_ended, job.session, false);
}

k42_result request_set_foreground(const struct control *control) {
    int32_t group;
    struct job job;
    if (!request_is_mine(control, &job))
        return -ENOTTY;
    k42_result result = request_get(control, &group, sizeof group);
    if (result < 0)
        return result;
    if (group < 0)
        return -EINVAL;
    if (!job_group_exists(group))
        return -ESRCH;
    if (!job_in_session(group, job.session))
        return -EPERM;
    k42_lock(&control->state->lock);
    control->state->foreground = group;
    terminal_unlock(control->self);
    return 0;
}

/* A master is told of the terminal, whose it may be; others of their own. */
k42_result request_tell_job(const struct control *control) {
    struct job job;
    int32_t session = control->state->session;
    bool asks_session = control->request == TTY_TIOCGSID;
    if ((!control->from_device && !request_is_mine(control, &job)) || (asks_session && !session))
        return -ENOTTY;
    return request_give_number(control, asks_session ? session : control->state->foreground);
}
