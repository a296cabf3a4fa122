/*
 * Processes and signals: queues, what is done about each signal, who deals with it, stopping and
 * going on.
 *
 * A signal is queued under the process's lock, and a thread that does not block it is interrupted
 * under the same lock. That thread either sleeps in a call, which then ends (sched/wait.h looks at
 * the interrupt after it stands in the table, so the interrupt either comes before that look, or
 * finds the thread in the table and wakes it); or it runs its program and comes out of it by a
 * poke; or it is on its way out of the kernel and finds work. It clears the interrupt first and
 * looks into the queues then, under the lock: a signal queued after that look interrupts it anew.
 */
#include "body.h"

#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../core/core.h"
#include "../ptrace/tracee.h"

#include <errno.h>

/* A signal in a queue. */
struct signal_entry {
    struct signal_entry *next;
    struct signal_info info;
};

#define HANDLER_DEFAULT 0
#define HANDLER_IGNORE  1

/* ---- queues ---- */

static void queue_add(struct signal_queue *queue, struct signal_entry *entry) {
    entry->next = NULL;
    if (queue->last)
        queue->last->next = entry;
    else
        queue->first = entry;
    queue->last = entry;
}

/* Takes the oldest entry of a signal out, or NULL; *more: there is another one. */
static struct signal_entry *queue_take(struct signal_queue *queue, int signal, bool *more) {
    struct signal_entry **link = &queue->first, *before = NULL, *taken = NULL;
    *more = false;
    for (struct signal_entry *entry = queue->first; entry; entry = entry->next) {
        if (entry->info.signal == signal && taken) {
            *more = true;
            break;
        }
        if (entry->info.signal == signal) {
            taken = entry;
            *link = entry->next;
            if (queue->last == entry)
                queue->last = before;
        } else {
            before = entry;
            link = &entry->next;
        }
    }
    return taken;
}

void signal_queue_empty(struct process_body *body, struct signal_queue *queue, uint64_t set) {
    struct signal_entry *entry = queue->first;
    queue->set &= ~set;
    queue->first = queue->last = NULL;
    while (entry) {
        struct signal_entry *next = entry->next;
        if (set & signal_bit(entry->info.signal)) {
            heap_free(entry);
            body->queued--;
        } else {
            queue_add(queue, entry);
        }
        entry = next;
    }
}

static void empty_all(struct process_body *body, uint64_t set) {
    signal_queue_empty(body, &body->pending, set);
    for (struct task *task = body->first; task; task = task->next)
        signal_queue_empty(body, &task->pending, set);
}

/* A timer's signal stands in a queue once; what comes meanwhile is counted in it. */
static bool overran(struct signal_queue *queue, const struct signal_info *info) {
    struct signal_entry *entry = queue->first;
    while (entry && (entry->info.signal != info->signal || entry->info.code != SI_TIMER ||
                     entry->info.timer.id != info->timer.id))
        entry = entry->next;
    if (entry)
        entry->info.timer.overrun += info->timer.overrun + 1;
    return entry;
}

/*
 * Signals below SIGRTMIN are there or not; the others are counted. One that finds no memory loses
 * what it carries, not itself; only sigqueue() is told.
 */
static k42_result enqueue(struct process_body *body, struct signal_queue *queue,
                          const struct signal_info *info) {
    uint64_t bit = signal_bit(info->signal);
    if (info->code == SI_TIMER && (queue->set & bit) && overran(queue, info))
        return 0;
    if (info->signal < SIGRTMIN && (queue->set & bit))
        return 0;
    struct signal_entry *entry = NULL;
    if (body->queued < body->own.limits[RLIMIT_SIGPENDING].now || info->code >= 0)
        entry = heap_allocate(sizeof *entry);
    if (!entry && info->signal >= SIGRTMIN && info->code != SI_USER)
        return -EAGAIN;
    if (entry) {
        entry->info = *info;
        queue_add(queue, entry);
        body->queued++;
    }
    queue->set |= bit;
    return 0;
}

static void dequeue(struct process_body *body, struct signal_queue *queue, int signal,
                    struct signal_info *info) {
    bool more;
    struct signal_entry *entry = queue_take(queue, signal, &more);
    if (!more)
        queue->set &= ~signal_bit(signal);
    *info = (struct signal_info){.signal = signal, .code = SI_USER};
    if (!entry)
        return;
    *info = entry->info;
    heap_free(entry);
    body->queued--;
}

/* ---- what is done about them ---- */

static struct signal_action *action_of(struct process_body *body, int signal) {
    return &body->own.actions[signal - 1];
}

static void sum_one(struct process_body *body, int signal) {
    uint64_t handler = action_of(body, signal)->handler, bit = signal_bit(signal);
    bool ignored =
        handler == HANDLER_IGNORE || (handler == HANDLER_DEFAULT && (SIGNALS_IGNORED & bit));
    body->own.ignored = ignored ? body->own.ignored | bit : body->own.ignored & ~bit;
    body->own.caught = handler > HANDLER_IGNORE ? body->own.caught | bit : body->own.caught & ~bit;
}

uint64_t process_disregarded(struct process_body *body) {
    uint64_t set = 0;
    for (int signal = 1; signal <= SIGNALS; signal++)
        if (action_of(body, signal)->handler == HANDLER_IGNORE)
            set |= signal_bit(signal);
    return set;
}

/* What is ignored by itself stays so; only handlers go. */
void process_actions_reset(struct process_body *body) {
    for (int signal = 1; signal <= SIGNALS; signal++) {
        struct signal_action *action = action_of(body, signal);
        bool ignored = action->handler == HANDLER_IGNORE;
        *action = (struct signal_action){.handler = ignored ? HANDLER_IGNORE : HANDLER_DEFAULT};
    }
    body->own.ignored |= body->own.caught & SIGNALS_IGNORED;
    body->own.caught = 0;
}

bool process_disregards_children(const struct process_body *body) {
    const struct signal_action *action = &body->own.actions[SIGCHLD - 1];
    return action->handler == HANDLER_IGNORE || (action->flags & SA_NOCLDWAIT);
}

k42_result process_act(struct process *self, int signal, const struct signal_action *wanted,
                       struct signal_action *present) {
    struct process_body *body = process_body_of(self);
    if (signal < 1 || signal > SIGNALS || (wanted && (SIGNALS_UNBLOCKABLE & signal_bit(signal))))
        return -EINVAL;
    k42_lock(&body->lock);
    struct signal_action *action = action_of(body, signal);
    if (present)
        *present = *action;
    if (wanted) {
        *action = *wanted;
        action->mask &= ~SIGNALS_UNBLOCKABLE;
        sum_one(body, signal);
        if (body->own.ignored & signal_bit(signal))
            empty_all(body, signal_bit(signal));
    }
    k42_unlock(&body->lock);
    return 0;
}

/* ---- sending ---- */

/* A tracer sees signals that are ignored, too, and decides about those that would end it. */
static bool is_traced(const struct process_body *body, const struct task *task) {
    const struct task *looked_at = task ? task : body->first;
    return looked_at && tracee_of(looked_at);
}

/* The first process gets no signal that it has no handler for, but for the kernel's own SIGKILL;
 * what it causes by what it executes ends it without a signal (signal_force). */
static bool reaches_first(const struct process_body *body, const struct signal_info *info) {
    return (body->own.caught & signal_bit(info->signal)) ||
           (info->signal == SIGKILL && info->code == SI_KERNEL);
}

static bool is_dropped(const struct process_body *body, const struct task *task,
                       const struct signal_info *info) {
    uint64_t bit = signal_bit(info->signal);
    const struct task *looked_at = task ? task : body->first;
    if (looked_at && ((looked_at->blocked | looked_at->waits_for) & bit))
        return false;
    if (process_is_first(body) && !reaches_first(body, info))
        return true;
    return (body->own.ignored & bit) && !(is_traced(body, task) && info->signal != SIGKILL);
}

/* One that has stopped looks when it goes on; its tracer may have let it. */
static bool may_take(const struct task *task, int signal) {
    uint64_t blocked = task->stopped && !tracee_of(task) ? ~0ul : task->blocked & ~task->waits_for;
    return !task->leaving && (signal == SIGKILL || !(blocked & signal_bit(signal)));
}

static bool is_fatal(const struct process_body *body, int signal) {
    uint64_t bit = signal_bit(signal);
    return action_of((struct process_body *)(uintptr_t)body, signal)->handler == HANDLER_DEFAULT &&
           !(bit & (SIGNALS_IGNORED | SIGNALS_STOP | SIGNALS_CORE));
}

/* Somebody who does not block it: the first thread if it may be, for most programs are of one. */
static void give_to(struct process_body *body, struct task *task, const struct signal_info *info) {
    int signal = info->signal;
    bool traced = is_traced(body, task) && signal != SIGKILL;
    if (!task)
        for (task = body->first; task && !may_take(task, signal); task = task->next)
            ;
    if (!task || !may_take(task, signal))
        return;
    if (!traced && is_fatal(body, signal) && !(task->waits_for & signal_bit(signal)) &&
        (!process_is_first(body) || reaches_first(body, info)))
        process_end_locked(body, signal);
    else
        thread_interrupt(task->thread, THREAD_INTERRUPTED);
}

static void go_on(struct process_body *body) {
    body->stop_signal = 0;
    body->stop_reported = false;
    body->stopped = 0;
    for (struct task *task = body->first; task; task = task->next) {
        struct tracee *tracee = tracee_of(task);
        task->stopped = false;
        if (tracee)
            tracee->group_told = false;
    }
}

/* Those that were seized stop at it, so that their tracers know. */
static void tell_tracers(struct process_body *body) {
    for (struct task *task = body->first; task; task = task->next) {
        struct tracee *tracee = tracee_of(task);
        if (tracee && tracee->seized)
            tracee_trap_locked(task, tracee);
    }
}

k42_result process_send_locked(struct process_body *body, struct task *task,
                               const struct signal_info *info) {
    uint64_t bit = signal_bit(info->signal);
    if (SIGNALS_STOP & bit)
        empty_all(body, signal_bit(SIGCONT));
    if (info->signal == SIGCONT || info->signal == SIGKILL) {
        empty_all(body, info->signal == SIGCONT ? SIGNALS_STOP : 0);
        go_on(body);
    }
    if (info->signal == SIGCONT)
        tell_tracers(body);
    if (is_dropped(body, task, info))
        return 0;
    k42_result result = enqueue(body, task ? &task->pending : &body->pending, info);
    if (result >= 0)
        give_to(body, task, info);
    return result;
}

k42_result process_send(struct process *self, int tid, const struct signal_info *info) {
    struct process_body *body = process_body_of(self);
    struct task *task = NULL;
    k42_result result = 0;
    if (info->signal < 0 || info->signal > SIGNALS)
        return -EINVAL;
    k42_lock(&body->lock);
    bool was_stopped = body->stop_signal;
    if (tid && !(task = process_thread_locked(body, tid)))
        result = -ESRCH;
    else if (info->signal && !body->ended)
        result = process_send_locked(body, task, info);
    bool goes_on = was_stopped && !body->stop_signal, tell = goes_on && !body->ending;
    struct process_change change;
    if (tell)
        change = process_change_locked(self, CHILD_CONTINUED, 0xffff);
    k42_unlock(&body->lock);
    if (goes_on)
        wait_notify(process_id_of(self), PROCESS_STOPPED, WAIT_READ, WAIT_ALL);
    wait_notify(process_id_of(self), PROCESS_SIGNALS, WAIT_READ, WAIT_ALL);
    if (tell)
        process_tell_parent(&change);
    return result;
}

/* ---- taking ---- */

static int next_of(uint64_t set) {
    if (set & SIGNALS_FAULTS)
        set &= SIGNALS_FAULTS;
    return set ? __builtin_ctzl(set) + 1 : 0;
}

/* Everybody else who could take what is left should look, in case it was us they relied upon. */
static bool take_one(struct process_body *body, struct task *task, uint64_t set,
                     struct signal_taken *taken) {
    int own = next_of(task->pending.set & set), shared = next_of(body->pending.set & set);
    if (!own && !shared)
        return false;
    if (own)
        dequeue(body, &task->pending, own, &taken->info);
    else
        dequeue(body, &body->pending, shared, &taken->info);
    taken->action = *action_of(body, taken->info.signal);
    return true;
}

k42_result process_take(struct process *self, struct task *task, uint64_t set, unsigned deliver,
                        struct signal_taken *taken) {
    struct process_body *body = process_body_of(self);
    int signal = 0;
    k42_lock(&body->lock);
    while (!signal && take_one(body, task, set, taken)) {
        int candidate = taken->info.signal;
        bool dropped = deliver && (body->own.ignored & signal_bit(candidate)) && !tracee_of(task);
        if (!dropped)
            signal = candidate;
    }
    if (signal && deliver && !tracee_of(task) && (taken->action.flags & SA_RESETHAND) &&
        taken->action.handler > HANDLER_IGNORE) {
        action_of(body, signal)->handler = HANDLER_DEFAULT;
        sum_one(body, signal);
    }
    k42_unlock(&body->lock);
    return signal;
}

/* Signals that waited and now may come interrupt the thread; those it now blocks go to others. */
k42_result process_block(struct process *self, struct task *task, uint64_t blocked) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    uint64_t more = blocked & ~task->blocked & body->pending.set;
    __atomic_store_n(&task->blocked, blocked & ~SIGNALS_UNBLOCKABLE, __ATOMIC_RELAXED);
    if ((task->pending.set | body->pending.set) & ~task->blocked)
        thread_interrupt(task->thread, THREAD_INTERRUPTED);
    if (more)
        for (struct task *other = body->first; other; other = other->next)
            if (other != task && !other->leaving && (more & ~other->blocked))
                thread_interrupt(other->thread, THREAD_INTERRUPTED);
    k42_unlock(&body->lock);
    return 0;
}

struct k42_pair process_pending(struct process *self, struct task *task) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    uint64_t set = task->pending.set | body->pending.set;
    k42_unlock(&body->lock);
    return (struct k42_pair){0, set};
}

k42_result process_queued(struct process *self, struct task *task, uint64_t position,
                          struct signal_info *info) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    const struct signal_entry *entry = task ? task->pending.first : body->pending.first;
    while (entry && position--)
        entry = entry->next;
    if (entry)
        *info = entry->info;
    k42_unlock(&body->lock);
    return entry ? 0 : -ENOENT;
}

/* ---- stopping ---- */

bool process_stop_is_complete(struct process_body *body) {
    if (!body->stop_signal || body->stop_reported || body->stopped < body->threads)
        return false;
    return body->stop_reported = true;
}

static void begin_stop(struct process_body *body, struct task *task, int signal) {
    body->stop_signal = signal;
    body->stop_reported = false;
    for (struct task *other = body->first; other; other = other->next)
        if (other != task)
            thread_interrupt(other->thread, THREAD_INTERRUPTED);
}

/* The signal to stop with for its tracer, unless it has done so. */
static int stop_of_traced(const struct process_body *body, struct tracee *tracee) {
    bool stops = tracee->trap || (body->stop_signal && !tracee->group_told);
    tracee->trap = false;
    tracee->group_told = body->stop_signal;
    if (!stops)
        return 0;
    return body->stop_signal ? body->stop_signal : SIGTRAP;
}

/* A parent that traces it has seen it stop. */
static bool is_known_to_parent(const struct process_body *body, const struct tracee *tracee) {
    return tracee && tracee->tracer == body->parent;
}

k42_result process_stop(struct process *self, struct task *task, int signal) {
    struct process_body *body = process_body_of(self);
    struct tracee *tracee = tracee_of(task);
    k42_result result = 0;
    k42_lock(&body->lock);
    if (signal && !body->stop_signal && !body->ending)
        begin_stop(body, task, signal);
    if (body->stop_signal && !task->stopped) {
        task->stopped = true;
        body->stopped++;
    }
    bool report = process_stop_is_complete(body) && !is_known_to_parent(body, tracee);
    struct process_change change;
    if (report)
        change = process_change_locked(self, CHILD_STOPPED, body->stop_signal << 8 | 0x7f);
    if (tracee)
        result = stop_of_traced(body, tracee);
    else if (body->stop_signal)
        result = wait_on(process_id_of(self), PROCESS_STOPPED, WAIT_READ);
    k42_unlock(&body->lock);
    if (report)
        process_tell_parent(&change);
    return result;
}
