/*
 * How tracing begins and ends: by the tracee's own wish, its tracer's, or as the child of one. See
 * tracee.h.
 *
 * Who may trace whom is what process_vm_readv asks, too (whom.h); there is no Yama.
 */
#include "attach.h"

#include "../../sched/thread.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../landlock/landlock.h"
#include "../process/lives.h"
#include "../task.h"
#include "../whom.h"
#include "tracee.h"

#define OPTIONS (PTRACE_O_MASK & ~(PTRACE_O_SUSPEND_SECCOMP))

static void ignore(k42_result result) {
    (void)result;
}

static struct tracee_wish wish_of_self(bool seized, uint64_t options) {
    const struct task *self = task_self();
    return (struct tracee_wish){.tracer = self->process,
                                .tracer_pid = self->pid,
                                .tracer_tid = self->tid,
                                .seized = seized,
                                .options = (uint32_t)options};
}

/* ---- by its own wish ---- */

/* Who has ended meanwhile traces nobody. */
static bool parent_may(const struct process_info *info) {
    process_ref parent = (process_ref)k42_id_ref(info->parent_process);
    bool any = !info->parent_thread;
    struct k42_pair found = k42_call(parent, thread, any ? 1 : info->parent_thread, any);
    if (found.result < 0)
        return true;
    const struct task *tracer = (const struct task *)found.word;
    return landlock_contains(__atomic_load_n(&tracer->landlock, __ATOMIC_ACQUIRE),
                             task_self()->landlock);
}

k42_result tracing_wished(void) {
    struct task *self = task_self();
    struct process_info info;
    k42_result result = k42_call(self->process, info, &info);
    if (result < 0 || tracee_of(self) || !parent_may(&info))
        return -EPERM;
    struct tracee_wish wish = {.tracer = (process_ref)k42_id_ref(info.parent_process),
                               .tracer_pid = info.parent,
                               .tracer_tid = info.parent_thread};
    result = tracee_make(self, &wish);
    return result == -ESRCH ? 0 : result; /* by somebody who has just ended */
}

/* ---- by its tracer's ---- */

/* If its process has stopped, it does so for its tracer from here on. */
static void stop_anew(const struct task *task) {
    wait_notify(k42_id_of(task->process), PROCESS_STOPPED, WAIT_READ, WAIT_ALL);
}

k42_result tracing_begins(struct task *task, bool seize, uintptr_t address, uint64_t options) {
    struct signal_info stop = signal_from_kernel(SIGSTOP);
    if (seize && (address || (options & ~(uint64_t)OPTIONS)))
        return -EIO;
    if (task->pid == task_self()->pid || !whom_may_trace(task))
        return -EPERM;
    struct tracee_wish wish = wish_of_self(seize, seize ? options : 0);
    k42_result result = tracee_make(task, &wish);
    if (result < 0)
        return result;
    if (!seize)
        ignore(k42_call(task->process, send, task->tid, &stop));
    stop_anew(task);
    return 0;
}

static k42_result trap(struct thread *thread, void *argument) {
    struct task *task = argument;
    struct tracee *tracee = tracee_of(task);
    (void)thread;
    if (tracee)
        tracee_trap_locked(task, tracee);
    return 0;
}

k42_result tracing_interrupts(struct task *task, const struct tracee *tracee) {
    if (!tracee->seized)
        return -EIO;
    k42_result result = k42_call(task->process, keep, task, trap, task);
    return result < 0 ? -ESRCH : 0;
}

/* ---- and its end ---- */

k42_result tracing_ends(struct tracee *tracee, uint64_t signal) {
    if (signal > SIGNALS)
        return -EIO;
    if (k42_call(task_self()->process, untrace, tracee) == 1)
        tracee_leave(tracee, (int)signal);
    return 0;
}

/* ---- children ---- */

static int event_of(const struct clone_request *request) {
    if (request->flags & CLONE_VFORK)
        return PTRACE_EVENT_VFORK;
    return request->exit_signal == SIGCHLD ? PTRACE_EVENT_FORK : PTRACE_EVENT_CLONE;
}

/* It stops before its first instruction. Without memory for that it is not traced. */
int tracing_child(struct task *self, struct task *child, const struct clone_request *request) {
    const struct tracee *tracee = tracee_of(self);
    if (!tracee || (request->flags & CLONE_UNTRACED))
        return 0;
    int event = event_of(request);
    if (!tracing_has(self, 1u << event))
        event = 0;
    if (!event && !(request->flags & CLONE_PTRACE))
        return 0;
    struct signal_info stop = {.signal = SIGSTOP, .code = SI_USER};
    struct tracee_wish wish = {.tracer = (process_ref)k42_id_ref(tracee->tracer),
                               .tracer_pid = tracee->tracer_pid,
                               .tracer_tid = tracee->tracer_tid,
                               .options = tracee->options,
                               .seized = tracee->seized,
                               .trap = tracee->seized};
    if (tracee_make(child, &wish) < 0)
        return event;
    if (tracee->seized)
        thread_interrupt(child->thread, THREAD_INTERRUPTED);
    else
        ignore(k42_call(child->process, send, child->tid, &stop));
    return event;
}
