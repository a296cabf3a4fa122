/*
 * The class of processes, and of its methods those for threads, limits and numbers.
 *
 * Data, locking and the other files: body.h.
 */
#include "body.h"

#include "../../arch/x86_64/user.h"
#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../ptrace/tracee.h"
#include "account.h"
#include "lives.h"
#include "runtime.h"

k42_result process_describe(struct k42_object *self, char *text, size_t size) {
    struct process_body *body = process_body_of((struct process *)(void *)self);
    k42_lock(&body->lock);
    size_t length =
        k42_format_text(text, size, "process %d: %u threads, group %d, session %d, parent %d%s%s",
                        body->pid, body->threads, body->group, body->session, body->parent_pid,
                        body->stop_signal ? ", stopped" : "", body->ended ? ", ended" : "");
    k42_unlock(&body->lock);
    return (k42_result)length;
}

static enum child_state state_of(const struct process_body *body) {
    if (body->ended)
        return CHILD_ENDED;
    return body->stop_signal ? CHILD_STOPPED : CHILD_RUNS;
}

k42_result process_info(struct process *self, struct process_info *info) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    *info = (struct process_info){
        .pid = body->pid,
        .parent = body->parent_pid,
        .group = body->group,
        .session = body->session,
        .parent_process = body->parent,
        .parent_thread = body->parent_thread,
        .threads = (int32_t)body->threads,
        .state = state_of(body),
        .exit_signal = body->exit_signal,
        .started_ns = body->started_ns,
        .times = body->times,
        .child_times = body->child_times,
        .pending = body->pending.set,
        .ignored = process_disregarded(body),
        .caught = body->own.caught,
        .queued = body->queued,
        .executed = body->executed,
        .ending = body->ending,
        .known = body->known,
        .status = body->status,
        .uid = body->uid,
        .gid = body->gid,
    };
    __builtin_memcpy(info->name, body->name, sizeof info->name);
    k42_unlock(&body->lock);
    return 0;
}

/* ---- threads ---- */

struct task *process_thread_locked(struct process_body *body, int tid) {
    struct task *task = body->first;
    while (task && task->tid != tid)
        task = task->next;
    return task;
}

k42_result process_join(struct process *self, struct task *task) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    bool closed = body->ending || body->alone;
    if (!closed) {
        task->next = NULL;
        task->before = body->last;
        if (body->last)
            body->last->next = task;
        else
            body->first = task;
        body->last = task;
        body->threads++;
    }
    k42_unlock(&body->lock);
    return closed ? -EAGAIN : 0;
}

static void unlink_task(struct process_body *body, struct task *task) {
    if (task->next)
        task->next->before = task->before;
    else
        body->last = task->before;
    if (task->before)
        task->before->next = task->next;
    else
        body->first = task->next;
    body->threads--;
}

/* For who looks at a process that has ended. */
static void note_last(struct process_body *body, const struct task *task) {
    __builtin_memcpy(body->name, task->name, sizeof body->name);
    body->uid = task->credentials->euid;
    body->gid = task->credentials->egid;
}

/* Its tracer learns of the process's end when the last thread leaves. */
static struct tracee *leave_tracee(struct process_body *body, struct task *task) {
    struct tracee *tracee = body->first_tracee;
    if (task->tid == body->pid)
        tracee = tracee_close(task);
    body->first_tracee = body->threads ? tracee : NULL;
    return body->threads ? NULL : tracee;
}

struct k42_pair process_leave(struct process *self, struct task *task) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    unlink_task(body, task);
    struct process_times times = task_times(task);
    account_add(&body->times, &times);
    note_last(body, task);
    task->leaving = true;
    if (!body->ending)
        body->status = task->exit_status;
    if (task->stopped)
        body->stopped--;
    signal_queue_empty(body, &task->pending, ~0ul);
    uint32_t left = body->threads;
    struct tracee *tracee = leave_tracee(body, task);
    bool report = left && process_stop_is_complete(body);
    struct process_change change;
    if (report)
        change = process_change_locked(self, CHILD_STOPPED, body->stop_signal << 8 | 0x7f);
    k42_unlock(&body->lock);
    wait_notify(process_id_of(self), PROCESS_THREADS, WAIT_READ, WAIT_ALL);
    if (report)
        process_tell_parent(&change);
    return (struct k42_pair){left, (uintptr_t)tracee};
}

struct k42_pair process_thread(struct process *self, int tid, unsigned next) {
    struct process_body *body = process_body_of(self);
    struct task *found = NULL;
    k42_lock(&body->lock);
    if (!next) {
        found = process_thread_locked(body, tid);
    } else {
        for (struct task *task = body->first; task; task = task->next)
            if (task->tid >= tid && (!found || task->tid < found->tid))
                found = task;
    }
    k42_unlock(&body->lock);
    return (struct k42_pair){found ? 0 : -ESRCH, (uintptr_t)found};
}

k42_result process_keep(struct process *self, struct task *task,
                        k42_result (*fn)(struct thread *thread, void *argument), void *argument) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    k42_result result = task->leaving ? -ESRCH : fn(task->thread, argument);
    k42_unlock(&body->lock);
    return result;
}

static void interrupt_all(struct process_body *body, struct task *but, uint32_t why) {
    for (struct task *task = body->first; task; task = task->next)
        if (task != but)
            thread_interrupt(task->thread, why);
}

void process_end_locked(struct process_body *body, int status) {
    if (body->ending)
        return;
    body->ending = true;
    body->status = status;
    body->stop_signal = 0;
    interrupt_all(body, NULL, THREAD_KILLED | THREAD_INTERRUPTED);
}

k42_result process_end(struct process *self, int status) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    process_end_locked(body, status);
    status = body->status;
    k42_unlock(&body->lock);
    wait_notify(process_id_of(self), PROCESS_STOPPED, WAIT_READ, WAIT_ALL);
    return status;
}

/* A thread that does not lead takes the leader's place: number and position. */
k42_result process_alone(struct process *self, struct task *task) {
    struct process_body *body = process_body_of(self);
    struct tracee *first = NULL;
    k42_result result = 0;
    k42_lock(&body->lock);
    if (body->ending || (body->alone && body->alone != task)) {
        result = -EAGAIN;
    } else if (body->threads > 1) {
        if (!body->alone)
            interrupt_all(body, task, THREAD_KILLED | THREAD_INTERRUPTED);
        body->alone = task;
        result = wait_on(process_id_of(self), PROCESS_THREADS, WAIT_READ);
    } else {
        body->alone = NULL;
        __atomic_store_n(&task->tid, body->pid, __ATOMIC_RELEASE);
        first = body->first_tracee;
        body->first_tracee = NULL;
    }
    k42_unlock(&body->lock);
    if (first)
        tracee_forget(first);
    return result;
}

/* ---- exec ---- */

k42_result process_executed(struct process *self) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    process_actions_reset(body);
    body->executed = true;
    body->exit_signal = SIGCHLD;
    body->own.numbers[PROCESS_DUMPABLE] = 1;
    k42_unlock(&body->lock);
    return process_borrow(self, 1);
}

/* ---- limits and numbers ---- */

k42_result process_limit(struct process *self, unsigned resource,
                         const struct process_limit *wanted, struct process_limit *present,
                         unsigned may_raise) {
    struct process_body *body = process_body_of(self);
    if (resource >= PROCESS_LIMITS || (wanted && wanted->now > wanted->most))
        return -EINVAL;
    k42_lock(&body->lock);
    struct process_limit *limit = &body->own.limits[resource];
    bool refused = wanted && wanted->most > limit->most && !may_raise;
    if (present)
        *present = *limit;
    if (wanted && !refused) {
        *limit = *wanted;
        if (resource == RLIMIT_FSIZE || resource == RLIMIT_CPU)
            interrupt_all(body, NULL, THREAD_WORK); /* see keep.c */
    }
    k42_unlock(&body->lock);
    return refused ? -EPERM : 0;
}

k42_result process_number(struct process *self, unsigned which) {
    if (which >= PROCESS_NUMBERS)
        return -EINVAL;
    return __atomic_load_n(&process_body_of(self)->own.numbers[which], __ATOMIC_RELAXED);
}

k42_result process_set_number(struct process *self, unsigned which, int value) {
    if (which >= PROCESS_NUMBERS)
        return -EINVAL;
    __atomic_store_n(&process_body_of(self)->own.numbers[which], value, __ATOMIC_RELAXED);
    return 0;
}

/* ---- the class ---- */

#define UNLIMITED (~0ul)

static void set_first_limits(struct process_body *body) {
    for (unsigned i = 0; i < PROCESS_LIMITS; i++)
        body->own.limits[i] = (struct process_limit){UNLIMITED, UNLIMITED};
    body->own.limits[RLIMIT_STACK].now = 8ul << 20;
    body->own.limits[RLIMIT_CORE].now = 0;
    body->own.limits[RLIMIT_NPROC] = (struct process_limit){32768, 32768};
    body->own.limits[RLIMIT_NOFILE] = (struct process_limit){1024, 1ul << 20};
    body->own.limits[RLIMIT_MEMLOCK] = (struct process_limit){8ul << 20, 8ul << 20};
    body->own.limits[RLIMIT_SIGPENDING] = (struct process_limit){32768, 32768};
    body->own.limits[RLIMIT_MSGQUEUE] = (struct process_limit){819200, 819200};
    body->own.limits[RLIMIT_NICE] = (struct process_limit){0, 0};
    body->own.limits[RLIMIT_RTPRIO] = (struct process_limit){0, 0};
}

k42_result process_bequeath(struct process *self, struct process_heritage *heritage) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    *heritage = body->own;
    k42_unlock(&body->lock);
    return 0;
}

static k42_result inherit(struct process_body *body, process_ref from, bool default_handlers) {
    k42_result result = k42_call(from, bequeath, &body->own);
    if (result < 0)
        return result;
    body->own.numbers[PROCESS_SUBREAPER] = 0;
    if (default_handlers)
        process_actions_reset(body);
    return 0;
}

k42_result process_init_sized(struct k42_root *root, const void *args, size_t size) {
    const struct process_creation *creation = args;
    if (!creation)
        return 0;
    struct process_body *body = heap_allocate_zeroed(size);
    if (!body)
        return -ENOMEM;
    body->pid = creation->pid;
    body->group = creation->group;
    body->session = creation->session;
    body->parent = k42_id_of(creation->parent);
    body->parent_pid = creation->parent_pid;
    body->exit_signal = creation->exit_signal;
    body->parent_thread = creation->parent_thread;
    body->borrows = creation->borrows;
    body->started_ns = time_ns();
    if (k42_id_of(creation->heir_of)) {
        k42_result result = inherit(body, creation->heir_of, creation->default_handlers);
        if (result < 0) {
            heap_free(body);
            return result;
        }
    } else {
        set_first_limits(body);
        body->own.ignored = SIGNALS_IGNORED;
        body->own.numbers[PROCESS_DUMPABLE] = 1;
    }
    return body_init(root, body);
}

k42_result process_init(struct k42_root *root, const void *args) {
    return process_init_sized(root, args, sizeof(struct process_body));
}

void process_free_records(struct child_record *record) {
    for (struct child_record *next; record; record = next) {
        next = record->next;
        heap_free(record);
    }
}

void process_free(struct process_body *body) {
    signal_queue_empty(body, &body->pending, ~0ul);
    process_free_records(body->children);
    heap_free(body);
}

void process_fini(struct k42_root *root) {
    struct process_body *body = body_of_root(root);
    if (body)
        process_free(body);
}

static const struct k42_transfer process_transfers[] = PROCESS_TRANSFERS;

static const struct process_ops process_methods = {PROCESS_METHODS};

K42_CLASS(process_linux) = {
    .name = "process.linux",
    .interface = &process_interface,
    .version = 1,
    .traits = "lock=one",
    BODY_OBJECT,
    .ops = &process_methods,
    .init = process_init,
    .fini = process_fini,
    .transfers = process_transfers,
};

k42_result process_create(const struct process_creation *creation, process_ref *process) {
    k42_ref made = K42_NULL_REF;
    k42_result result = k42_make(&process_linux, creation, &made);
    *process = (process_ref)made;
    return result;
}
