/*
 * How a tracee stops, and what it goes on with: at a signal, with its process, before and after a
 * call, and for events. See tracee.h.
 *
 * Runs in the tracee's own thread, which sleeps until its tracer lets it go on or leaves it, or it
 * is killed; then it stops no more, and whatever it was about to do is left undone. While it stops
 * it counts as a user of its record, since its tracer may leave it then.
 *
 * A tracer is told by SIGCHLD and at the point at which wait() waits, after the record says so.
 */
#include "../../arch/x86_64/user.h"
#include "../../sched/thread.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../process/lives.h"
#include "../seccomp/seccomp.h"
#include "../task.h"
#include "tracee.h"

struct stop {
    enum tracee_place place;
    int32_t status;                 /* a signal, and what Linux adds above it */
    const struct signal_info *info; /* NULL: made of the status */
    uint64_t message;
};

static void ignore(k42_result result) {
    (void)result;
}

/* ---- what it stops with ---- */

static struct child child_now(const struct task *task, int status) {
    struct process_info info = {0};
    ignore(k42_call(task->process, info, &info));
    return (struct child){.pid = task->tid,
                          .group = info.group,
                          .process = k42_id_of(task->process),
                          .uid = task->credentials->uid,
                          .state = CHILD_TRAPPED,
                          .status = status << 8 | 0x7f,
                          .times = task_times(task)};
}

static struct signal_info info_now(const struct task *task, const struct stop *stop) {
    if (stop->info)
        return *stop->info;
    return (struct signal_info){.signal = stop->status & 0x7f,
                                .code = stop->status,
                                .sent = {.pid = task->tid, .uid = task->credentials->uid}};
}

/* What a tracer may look at; nobody does before the state says that it has stopped. */
static void fill(struct tracee *tracee, const struct task *task, const struct stop *stop) {
    tracee->place = stop->place;
    tracee->has_info = stop->place != TRACEE_AT_GROUP;
    tracee->info = info_now(task, stop);
    tracee->message = stop->message;
    tracee->mask = task->restores_mask ? task->blocked_after_call : task->blocked;
    tracee->registers_set = tracee->vectors_set = tracee->mask_set = tracee->debug_set = false;
    tracee->signal = 0;
    tracee->way = TRACEE_FREELY;
    registers_take(tracee, task);
}

static void tell(const struct tracee *tracee, const struct child *child, bool group) {
    process_ref tracer = (process_ref)k42_id_ref(tracee->tracer);
    struct signal_action action;
    struct signal_info info = child_signal_info(child);
    info.signal = SIGCHLD;
    info.code = group ? CLD_STOPPED : CLD_TRAPPED;
    info.child.status &= 0x7f;
    if (k42_call(tracer, act, SIGCHLD, NULL, &action) >= 0 && !(action.flags & SA_NOCLDSTOP))
        ignore(k42_call(tracer, send, 0, &info));
    wait_notify(tracee->tracer, PROCESS_CHILDREN, WAIT_READ, WAIT_ALL);
}

/* ---- sleeping ---- */

static k42_result gone_on(struct tracee *tracee) {
    k42_lock(&tracee->lock);
    k42_result result = 0;
    if (tracee->state == TRACEE_STOPPED)
        result = wait_on(WAIT_NO_OBJECT, (uintptr_t)tracee, WAIT_READ);
    k42_unlock(&tracee->lock);
    return result;
}

/* False: it does not stop, since nobody traces it any more. */
static bool begin(struct tracee *tracee, const struct child *child) {
    k42_lock(&tracee->lock);
    bool stops = tracee->state == TRACEE_RUNS;
    if (stops) {
        tracee->state = TRACEE_STOPPED;
        tracee->child = *child;
        tracee->news = true;
        tracee->listens = false;
    }
    k42_unlock(&tracee->lock);
    return stops;
}

/* One that was killed has not been let go. */
static void end(struct tracee *tracee) {
    k42_lock(&tracee->lock);
    if (tracee->state == TRACEE_STOPPED)
        tracee->state = TRACEE_RUNS;
    tracee->news = false;
    k42_unlock(&tracee->lock);
}

static bool is_killed(void) {
    return thread_interrupts() & THREAD_KILLED;
}

/* ---- going on ---- */

/* Signals and requests that came meanwhile have interrupted it. Who is traced no more looks whether
 * it is to stop with its process. */
static void take_over(struct tracee *tracee, struct task *task, bool in_call) {
    registers_give(tracee, task);
    if (tracee->mask_set)
        ignore(k42_call(task->process, block, task, tracee->mask));
    bool calls = tracee->way != TRACEE_FREELY;
    task->steps = tracee->way == TRACEE_ONE_STEP;
    task->stops_at_calls = tracee->way == TRACEE_TO_CALL;
    seccomp_guard(task, calls);
    task->call_stops = in_call && calls;
    bool left = tracee->state == TRACEE_LEFT;
    thread_interrupt(task->thread, left ? THREAD_INTERRUPTED | THREAD_WORK : THREAD_WORK);
}

/* What it is to go on with. */
static int stop_at(struct task *task, struct tracee *tracee, const struct stop *stop) {
    bool in_call = stop->place == TRACEE_AT_CALL || stop->place == TRACEE_AT_EVENT;
    int signal = 0;
    if (is_killed() || !tracee_hold(tracee))
        return 0;
    struct child child = child_now(task, stop->status);
    fill(tracee, task, stop);
    if (begin(tracee, &child)) {
        k42_result result;
        tell(tracee, &child, stop->place == TRACEE_AT_GROUP);
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, gone_on(tracee));
        end(tracee);
        signal = result < 0 ? 0 : tracee->signal;
        take_over(tracee, task, in_call);
    }
    tracee_release(tracee);
    return signal;
}

/* ---- calls ---- */

/* A signal that the tracer wants after a stop that is none at a signal. */
static void send_to_self(const struct task *task, int signal) {
    struct signal_info info = {.signal = signal, .code = SI_USER};
    if (signal)
        ignore(k42_call(task->process, send, task->tid, &info));
}

static int call_status(const struct tracee *tracee) {
    return tracee->options & PTRACE_O_TRACESYSGOOD ? SIGTRAP | 0x80 : SIGTRAP;
}

bool tracing_call(struct task *task) {
    struct tracee *tracee = tracee_of(task);
    if (!tracee) {
        task->steps = task->stops_at_calls = false;
        seccomp_guard(task, false);
        return true;
    }
    if (task->steps) {
        task->call_stops = true;
        thread_interrupt(task->thread, THREAD_WORK);
        return true;
    }
    if (!task->stops_at_calls)
        return true;
    struct stop stop = {TRACEE_AT_CALL, call_status(tracee), NULL, PTRACE_EVENTMSG_SYSCALL_ENTRY};
    send_to_self(task, stop_at(task, tracee, &stop));
    return !is_killed();
}

void tracing_return(struct task *task) {
    struct tracee *tracee = tracee_of(task);
    task->call_stops = false;
    if (!tracee)
        return;
    if (task->steps) {
        struct signal_info info = {
            .signal = SIGTRAP, .code = TRAP_BRKPT, .fault = {task->frame->rip}};
        task->steps = false;
        user_frame_step(task->frame, false);
        ignore(k42_call(task->process, send, task->tid, &info));
        return;
    }
    struct stop stop = {TRACEE_AT_RETURN, call_status(tracee), NULL, PTRACE_EVENTMSG_SYSCALL_EXIT};
    send_to_self(task, stop_at(task, tracee, &stop));
}

/* ---- signals ---- */

/* What else the tracer delivers is its own; whatever the thread blocks waits. */
int tracing_signal(struct task *task, struct signal_taken *taken) {
    struct tracee *tracee = tracee_of(task);
    struct signal_info *info = &taken->info;
    if (!tracee || info->signal == SIGKILL)
        return info->signal;
    struct stop stop = {TRACEE_AT_SIGNAL, info->signal, info, 0};
    int signal = stop_at(task, tracee, &stop);
    if (!signal)
        return 0;
    *info = tracee->info;
    if (signal != info->signal)
        *info = (struct signal_info){
            .signal = signal, .code = SI_USER, .sent = {.pid = tracee->tracer_pid}};
    if (task->blocked & signal_bit(signal)) {
        ignore(k42_call(task->process, send, task->tid, info));
        return 0;
    }
    struct signal_action once = {0};
    ignore(k42_call(task->process, act, signal, NULL, &taken->action));
    if (taken->action.handler > 1 && (taken->action.flags & SA_RESETHAND)) {
        once = taken->action;
        once.handler = 0;
        ignore(k42_call(task->process, act, signal, &once, NULL));
    }
    return taken->action.handler == 1 ? 0 : signal;
}

void tracing_group(struct task *task, int signal) {
    struct tracee *tracee = tracee_of(task);
    if (!tracee)
        return;
    struct stop stop = {TRACEE_AT_GROUP, signal, NULL, 0};
    if (tracee->seized) {
        stop.place = TRACEE_AT_EVENT;
        stop.status = signal | PTRACE_EVENT_STOP << 8;
    }
    int other = stop_at(task, tracee, &stop);
    (void)other; /* heeded at no such stop */
    task->call_stops = false;
}

/* ---- events ---- */

bool tracing_has(const struct task *task, uint32_t option) {
    const struct tracee *tracee = tracee_of(task);
    return tracee && (__atomic_load_n(&tracee->options, __ATOMIC_RELAXED) & option);
}

void tracing_event(struct task *task, int event, uint64_t message) {
    struct tracee *tracee = tracee_of(task);
    if (!tracee || !tracing_has(task, 1u << event))
        return;
    struct stop stop = {TRACEE_AT_EVENT, SIGTRAP | event << 8, NULL, message};
    send_to_self(task, stop_at(task, tracee, &stop));
}

/* It may have been killed; only what kills it from here on keeps it from stopping. Who ends with
 * its process ends as that does. */
void tracing_exit(struct task *task) {
    struct process_info info = {0};
    if (!tracee_of(task))
        return;
    ignore(k42_call(task->process, info, &info));
    if (info.ending)
        task->exit_status = info.status;
    if (!tracing_has(task, PTRACE_O_TRACEEXIT))
        return;
    uint32_t before = thread_take_interrupts(THREAD_KILLED);
    (void)before;
    tracing_event(task, PTRACE_EVENT_EXIT, (uint64_t)task->exit_status);
}

void tracing_renamed(struct task *task) {
    struct tracee *tracee = tracee_of(task);
    if (!tracee)
        return;
    k42_lock(&tracee->lock);
    tracee->child.pid = task->tid;
    k42_unlock(&tracee->lock);
}

void tracing_executed(struct task *task, int before) {
    struct tracee *tracee = tracee_of(task);
    if (!tracee)
        return;
    tracee->debug = (struct user_debug){.control = 0};
    tracee->debug_status = 0;
    if (before != task->tid)
        tracing_renamed(task);
    if (tracing_has(task, PTRACE_O_TRACEEXEC))
        tracing_event(task, PTRACE_EVENT_EXEC, (uint64_t)before);
    else if (!tracee->seized)
        send_to_self(task, SIGTRAP);
}

/* ---- steps and watches ---- */

void tracing_watched(struct task *task, uint64_t status) {
    struct tracee *tracee = tracee_of(task);
    if (tracee)
        tracee->debug_status = status;
}

void tracing_step(struct task *task) {
    if (!tracee_of(task)) {
        task->steps = false;
        return;
    }
    user_frame_step(task->frame, true);
}

void tracing_handler(struct task *task) {
    struct tracee *tracee = task->steps ? tracee_of(task) : NULL;
    if (!tracee)
        return;
    struct stop stop = {TRACEE_AT_RETURN, SIGTRAP, NULL, 0};
    send_to_self(task, stop_at(task, tracee, &stop));
}
