/*
 * Processes and whom their threads trace: a list of records (ptrace/tracee.h), and what wait()
 * tells of them.
 *
 * The list is the process's, under its lock; each record in it counts as used once. What a record
 * says is guarded by its own lock, which is taken below the process's. A thread that ends closes
 * its `traces` first: what is added before that is found by its own look through the list, and
 * nothing is added afterwards.
 */
#include "body.h"

#include "../abi.h"
#include "../ptrace/tracee.h"

/* The thread that was asked for, or any other that may. */
static bool may_trace(struct process_body *body, struct tracee *tracee) {
    struct task *task = process_thread_locked(body, tracee->tracer_tid);
    for (task = task ? task : body->first; task; task = task->next) {
        uint8_t none = TASK_TRACES_NONE;
        if (__atomic_compare_exchange_n(&task->traces, &none, TASK_TRACES, false, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE) ||
            none == TASK_TRACES) {
            tracee->tracer_tid = task->tid;
            return true;
        }
    }
    return false;
}

static void unlink_tracee(struct process_body *body, struct tracee *tracee) {
    if (tracee->next)
        tracee->next->before = tracee->before;
    if (tracee->before)
        tracee->before->next = tracee->next;
    else
        body->tracees = tracee->next;
    tracee->listed = false;
}

k42_result process_trace(struct process *self, struct tracee *tracee) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    bool may = may_trace(body, tracee);
    if (may) {
        tracee->listed = true;
        tracee->before = NULL;
        tracee->next = body->tracees;
        if (body->tracees)
            body->tracees->before = tracee;
        body->tracees = tracee;
    }
    k42_unlock(&body->lock);
    return may ? 0 : -ESRCH;
}

k42_result process_untrace(struct process *self, struct tracee *tracee) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    bool there = tracee->listed;
    if (there)
        unlink_tracee(body, tracee);
    k42_unlock(&body->lock);
    return there;
}

struct k42_pair process_traced(struct process *self, int tid) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    struct tracee *tracee = body->tracees;
    while (tracee && tracee->tracer_tid != tid)
        tracee = tracee->next;
    if (tracee)
        unlink_tracee(body, tracee);
    k42_unlock(&body->lock);
    return (struct k42_pair){tracee ? 0 : -ESRCH, (uintptr_t)tracee};
}

/* ---- waiting ---- */

static bool is_chosen(const struct tracee *tracee, const struct child_choice *choice) {
    const struct child *child = &tracee->child;
    return (!choice->pid || child->pid == choice->pid) &&
           (!choice->group || child->group == choice->group) &&
           (!(choice->kinds & __WNOTHREAD) || tracee->tracer_tid == choice->thread);
}

/* A stop is told of whatever is asked for; an end if ends are. */
static bool has_news(const struct tracee *tracee, const struct child_choice *choice) {
    bool ended = tracee->state == TRACEE_ENDED;
    return tracee->news && (!ended || (choice->states & 1u << CHILD_ENDED));
}

static k42_result look_at(struct tracee *tracee, const struct child_choice *choice,
                          struct child *child, bool *ended) {
    k42_result result = -ECHILD;
    k42_lock(&tracee->lock);
    if (tracee->state != TRACEE_LEFT && is_chosen(tracee, choice)) {
        result = -K42_WAIT;
        if (has_news(tracee, choice)) {
            *child = tracee->child;
            *ended = tracee->state == TRACEE_ENDED;
            result = child->pid;
            tracee->news = choice->keep;
            if (*ended && !choice->keep)
                tracee->state = TRACEE_LEFT;
        }
    }
    k42_unlock(&tracee->lock);
    return result;
}

k42_result process_wait_tracee(struct process_body *body, const struct child_choice *choice,
                               struct child *child, struct tracee **gone) {
    k42_result result = -ECHILD;
    bool ended = false;
    for (struct tracee *tracee = body->tracees; tracee && result <= 0; tracee = tracee->next) {
        k42_result one = look_at(tracee, choice, child, &ended);
        if (one != -ECHILD)
            result = one;
        if (one > 0 && ended && !choice->keep)
            *gone = tracee;
    }
    if (*gone)
        unlink_tracee(body, *gone);
    return result;
}
