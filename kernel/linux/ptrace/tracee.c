/*
 * Tracees: made, left, ended. See tracee.h.
 *
 * A task points at its record by one word, which is set by compare-and-swap from nothing, taken
 * back by whoever leaves it, and closed for good by the task's end; so a thread has one tracer, and
 * none begins to trace what has ended.
 */
#include "tracee.h"

#include "../../arch/x86_64/user.h"
#include "../../mem/heap/heap.h"
#include "../../sched/thread.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../task.h"
#include "../whom.h"

/* In place of a record: the task ends. */
#define CLOSED ((struct tracee *)1)

static void ignore(k42_result result) {
    (void)result;
}

struct tracee *tracee_of(const struct task *task) {
    struct tracee *tracee = __atomic_load_n(&task->tracee, __ATOMIC_ACQUIRE);
    return tracee == CLOSED ? NULL : tracee;
}

bool tracee_hold(struct tracee *tracee) {
    uint32_t references = __atomic_load_n(&tracee->references, __ATOMIC_RELAXED);
    while (references)
        if (__atomic_compare_exchange_n(&tracee->references, &references, references + 1, true,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return true;
    return false;
}

static void free_it(struct tracee *tracee) {
    heap_free(tracee->vectors);
    heap_free(tracee);
}

static void free_later(struct k42_defer *defer) {
    free_it(k42_container(defer, struct tracee, defer));
}

void tracee_release(struct tracee *tracee) {
    if (!__atomic_sub_fetch(&tracee->references, 1, __ATOMIC_ACQ_REL))
        k42_defer(&tracee->defer, free_later);
}

/* ---- beginning ---- */

static struct tracee *make(const struct task *task, const struct tracee_wish *wish) {
    struct process_info info = {0};
    struct tracee *tracee = heap_allocate_zeroed(sizeof *tracee);
    if (!tracee)
        return NULL;
    tracee->vectors = heap_allocate_zeroed((user_vectors_size() + 63) & ~63ul);
    if (!tracee->vectors) {
        heap_free(tracee);
        return NULL;
    }
    ignore(k42_call(task->process, info, &info));
    tracee->references = 2; /* the list, the task */
    tracee->tracer = k42_id_of(wish->tracer);
    tracee->tracer_pid = wish->tracer_pid;
    tracee->tracer_tid = wish->tracer_tid;
    tracee->seized = wish->seized;
    tracee->options = wish->options;
    tracee->trap = wish->trap;
    tracee->child.pid = task->tid;
    tracee->child.group = info.group;
    tracee->child.process = k42_id_of(task->process);
    return tracee;
}

/* It is in the list before the task points at it: who finds it there sees one that runs. */
k42_result tracee_make(struct task *task, const struct tracee_wish *wish) {
    struct tracee *tracee = make(task, wish), *none = NULL;
    if (!tracee)
        return -ENOMEM;
    k42_result result = k42_call(wish->tracer, trace, tracee);
    if (result < 0) {
        free_it(tracee);
        return result == -K42_STALE ? -ESRCH : result;
    }
    if (__atomic_compare_exchange_n(&task->tracee, &none, tracee, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED))
        return 0;
    if (k42_call(wish->tracer, untrace, tracee) == 1)
        tracee_release(tracee);
    tracee_release(tracee);
    return -EPERM;
}

/* ---- leaving ---- */

static void let_go(const struct tracee *tracee) {
    wait_notify(WAIT_NO_OBJECT, (uintptr_t)tracee, WAIT_READ, WAIT_ALL);
}

/* The task it was about, if that has not ended; it may have taken over another number (execve). */
static struct task *task_of(const struct tracee *tracee) {
    struct k42_pair found =
        k42_call((process_ref)k42_id_ref(tracee->child.process), thread, tracee->child.pid, 0);
    return found.result < 0 ? NULL : (struct task *)found.word;
}

void tracee_leave(struct tracee *tracee, int signal) {
    struct task *task = task_of(tracee);
    struct tracee *present = tracee;
    k42_lock(&tracee->lock);
    bool ended = tracee->state == TRACEE_ENDED;
    tracee->state = TRACEE_LEFT;
    tracee->signal = signal;
    tracee->way = TRACEE_FREELY;
    k42_unlock(&tracee->lock);
    if (task && __atomic_compare_exchange_n(&task->tracee, &present, NULL, false, __ATOMIC_ACQ_REL,
                                            __ATOMIC_RELAXED))
        tracee_release(tracee);
    let_go(tracee);
    if (ended)
        tracee_reap(&tracee->child);
    tracee_release(tracee);
}

static void leave_at_end(struct tracee *tracee) {
    struct signal_info kill = signal_from_kernel(SIGKILL);
    if (tracee->options & PTRACE_O_EXITKILL)
        ignore(k42_call((process_ref)k42_id_ref(tracee->child.process), send, 0, &kill));
    tracee_leave(tracee, 0);
}

/* From here on process.trace refuses what this thread would trace. */
void tracees_leave(struct task *task) {
    if (__atomic_exchange_n(&task->traces, TASK_TRACES_NO_MORE, __ATOMIC_ACQ_REL) != TASK_TRACES)
        return;
    for (;;) {
        struct k42_pair found = k42_call(task->process, traced, task->tid);
        if (found.result < 0)
            return;
        leave_at_end((struct tracee *)found.word);
    }
}

/* ---- ends ---- */

struct tracee *tracee_close(struct task *task) {
    struct tracee *tracee = __atomic_exchange_n(&task->tracee, CLOSED, __ATOMIC_ACQ_REL);
    return tracee == CLOSED ? NULL : tracee;
}

/* Where its tracer is its parent, that one's record of its child says it all. */
static bool is_parents(const struct tracee *tracee, const struct process_info *info) {
    return info->pid == tracee->child.pid && tracee->tracer == info->parent_process;
}

static void tell_tracer(const struct tracee *tracee, const struct child *child) {
    struct signal_info info = child_signal_info(child);
    info.signal = SIGCHLD;
    ignore(k42_call((process_ref)k42_id_ref(tracee->tracer), send, 0, &info));
    wait_notify(tracee->tracer, PROCESS_CHILDREN, WAIT_READ, WAIT_ALL);
}

bool tracee_ended(struct tracee *tracee, const struct child *child) {
    process_ref tracer = (process_ref)k42_id_ref(tracee->tracer);
    struct process_info info;
    bool own = child->state == CHILD_ENDED &&
               (k42_call((process_ref)k42_id_ref(child->process), info, &info) < 0 ||
                is_parents(tracee, &info));
    k42_lock(&tracee->lock);
    bool told = tracee->state != TRACEE_LEFT && !own;
    if (tracee->state != TRACEE_LEFT)
        tracee->state = told ? TRACEE_ENDED : TRACEE_LEFT;
    tracee->news = told;
    if (told) {
        tracee->child = *child;
        if (child->state == CHILD_ENDED)
            tracee->child.state = CHILD_LEFT;
    }
    k42_unlock(&tracee->lock);
    if (told) {
        tell_tracer(tracee, child);
        if (child->state == CHILD_ENDED)
            process_tell_known(child);
    } else if (k42_call(tracer, untrace, tracee) == 1)
        tracee_release(tracee);
    tracee_release(tracee);
    return told;
}

/* Its number is another thread's now. */
void tracee_forget(struct tracee *tracee) {
    if (k42_call((process_ref)k42_id_ref(tracee->tracer), untrace, tracee) == 1)
        tracee_leave(tracee, 0);
    tracee_release(tracee);
}

void tracee_reap(const struct child *child) {
    process_ref process = (process_ref)k42_id_ref(child->process);
    struct process_info info;
    if (child->state == CHILD_THREAD_LEFT)
        ids_give(child->pid);
    if (child->state != CHILD_LEFT || k42_call(process, info, &info) < 0)
        return;
    struct child ended = *child;
    ended.state = CHILD_ENDED;
    ended.exit_signal = info.exit_signal;
    process_tell_end((process_ref)k42_id_ref(info.parent_process), &ended);
}

/* ---- asked to stop ---- */

/* One that listens tells of it by stopping anew. */
void tracee_trap_locked(struct task *task, struct tracee *tracee) {
    tracee->trap = true;
    k42_lock(&tracee->lock);
    bool wake = tracee->state == TRACEE_STOPPED && tracee->listens;
    if (wake) {
        tracee->state = TRACEE_RUNS;
        tracee->listens = tracee->news = false;
        tracee->signal = 0;
        tracee->way = TRACEE_FREELY;
    }
    k42_unlock(&tracee->lock);
    if (wake)
        let_go(tracee);
    thread_interrupt(task->thread, THREAD_INTERRUPTED);
}
