/*
 * ptrace(): which thread is meant, and what is asked. See tracee.h.
 */
#include "../abi.h"
#include "../task.h"
#include "../whom.h"
#include "attach.h"
#include "tracee.h"

static bool is_own(const struct tracee *tracee) {
    const struct task *self = task_self();
    return tracee->tracer == k42_id_of(self->process) && tracee->tracer_tid == self->tid;
}

static bool has_stopped(struct tracee *tracee) {
    k42_lock(&tracee->lock);
    bool stopped = tracee->state == TRACEE_STOPPED && !tracee->listens;
    k42_unlock(&tracee->lock);
    return stopped;
}

static k42_result kill_it(const struct task *task) {
    struct signal_info kill = signal_from_kernel(SIGKILL);
    k42_result result = k42_call(task->process, send, 0, &kill);
    return result < 0 ? -ESRCH : 0;
}

static k42_result ask(struct tracee *tracee, struct task *task, long request, uintptr_t address,
                      uintptr_t data) {
    if (request == PTRACE_KILL)
        return kill_it(task);
    if (request == PTRACE_INTERRUPT)
        return tracing_interrupts(task, tracee);
    if (!has_stopped(tracee))
        return -ESRCH;
    if (request == PTRACE_DETACH)
        return tracing_ends(tracee, data);
    return tracee_request(tracee, task, request, address, data);
}

/*
 * Partly: no PTRACE_SYSEMU, PTRACE_SINGLEBLOCK, PTRACE_SECCOMP_GET_FILTER,
 * PTRACE_GET_RSEQ_CONFIGURATION and PTRACE_O_SUSPEND_SECCOMP.
 */
LINUX_CALL(101, ptrace, long request, int tid, uintptr_t address, uintptr_t data) {
    if (request == PTRACE_TRACEME)
        return tracing_wished();
    struct task *task = tid > 0 ? whom_thread(tid) : NULL;
    if (!task)
        return -ESRCH;
    if (request == PTRACE_ATTACH || request == PTRACE_SEIZE)
        return tracing_begins(task, request == PTRACE_SEIZE, address, data);
    struct tracee *tracee = tracee_of(task);
    if (!tracee || !is_own(tracee) || !tracee_hold(tracee))
        return -ESRCH;
    k42_result result = ask(tracee, task, request, address, data);
    tracee_release(tracee);
    return result;
}
