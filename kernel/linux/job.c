/*
 * Job control as terminals need it (job.h), on processes, groups and sessions.
 *
 * No state of its own. A session's terminal is guarded by the session's lock; what a terminal
 * believes of sessions is its own matter.
 */
#include "job.h"

#include "../dev/tty/terminal.h"
#include "../fs/values.h"
#include "call.h"
#include "linux.h"
#include "process/ids.h"
#include "task.h"

#include <errno.h>

enum { CAPABILITY_TERMINALS = 26 }; /* CAP_SYS_TTY_CONFIG */

void job_self(struct job *job) {
    struct task *task = task_self();
    struct process_info info;
    *job = (struct job){0};
    if (!task || k42_call(task->process, info, &info) < 0)
        return;
    struct group *group = ids_group(info.group);
    *job = (struct job){.process = info.pid,
                        .group = info.group,
                        .session = info.session,
                        .leads = info.pid == info.session,
                        .orphaned = group && group_is_orphaned(group, 0)};
}

bool job_minds(int signal) {
    struct task *task = task_self();
    struct signal_action action;
    if (!task || k42_call(task->process, act, signal, NULL, &action) < 0)
        return false;
    return !(task->blocked & signal_bit(signal)) && action.handler != (uint64_t)SIG_IGN;
}

void job_signal(int32_t group, int signal) {
    struct signal_info info = signal_from_kernel(signal);
    k42_result sent = signal_group(group, &info);
    (void)sent; /* -ESRCH: there is nobody to tell */
}

void job_signal_leader(int32_t session, int signal) {
    struct signal_info info = signal_from_kernel(signal);
    k42_result sent = signal_process(session, &info);
    (void)sent;
}

void job_hang_up(int32_t number, int32_t foreground) {
    struct session *session = ids_session(number);
    if (!session)
        return;
    __atomic_store_n(&session->foreground, foreground, __ATOMIC_RELAXED);
    __atomic_store_n(&session->terminal, 0, __ATOMIC_RELEASE);
    job_signal_leader(number, SIGHUP);
    job_signal_leader(number, SIGCONT);
}

bool job_group_exists(int32_t group) {
    return ids_group(group);
}

bool job_in_session(int32_t group, int32_t session) {
    struct group *found = ids_group(group);
    return found && found->session->number == session;
}

k42_ref job_terminal(void) {
    struct job job;
    job_self(&job);
    struct session *session = ids_session(job.session);
    return session ? k42_id_ref(__atomic_load_n(&session->terminal, __ATOMIC_RELAXED))
                   : K42_NULL_REF;
}

bool job_terminal_facts(int32_t number, struct terminal_facts *facts) {
    struct session *session = ids_session(number);
    k42_id terminal = session ? __atomic_load_n(&session->terminal, __ATOMIC_RELAXED) : 0;
    return terminal && k42_call((terminal_ref)k42_id_ref(terminal), facts, facts) >= 0;
}

void job_set_terminal(int32_t number, k42_ref terminal) {
    struct session *session = ids_session(number);
    if (session)
        __atomic_store_n(&session->terminal, k42_id_of(terminal), __ATOMIC_RELAXED);
}

void job_lose_terminal(int32_t number, k42_ref terminal) {
    struct session *session = ids_session(number);
    k42_id lost = k42_id_of(terminal);
    if (session)
        (void)!__atomic_compare_exchange_n(&session->terminal, &lost, 0, false, __ATOMIC_RELAXED,
                                           __ATOMIC_RELAXED);
}

void job_user(uint32_t *uid, uint32_t *gid) {
    const struct task *task = task_self();
    *uid = task ? task->credentials->fsuid : 0;
    *gid = task ? task->credentials->fsgid : 0;
}

/* vhangup(): the caller's terminal is as if its line were cut, and may be opened again. */
LINUX_CALL(153, vhangup, void) {
    if (!task_capable(task_self(), CAPABILITY_TERMINALS))
        return -EPERM;
    k42_id terminal = k42_id_of(job_terminal());
    if (terminal)
        (void)!k42_call((terminal_ref)k42_id_ref(terminal), hang_up, TERMINAL_AGAIN);
    return 0;
}

bool job_may_steal(void) {
    const struct task *task = task_self();
    return task && task_capable(task, CAPABILITY_ADMINISTRATOR);
}
