/*
 * Processes and their families: children, what became of them, waiting for them, another parent.
 *
 * A child has its parent's id and the parent a record of the child; nothing guards both. A child
 * that changes says so to whoever is its parent at that moment. A parent that ends takes its
 * children out one by one and gives each to another: first the new parent adopts it, then the child
 * learns of its new parent. A child that ends meanwhile either still tells the old parent, which
 * does not know it any more (-ESRCH), and then reparent() finds it ended and whoever made that call
 * tells the new one; or learns of the new parent first and tells that one. Its end is never lost;
 * that the new parent may be told twice does no harm, since the record says it already.
 *
 * What a child tells is told without a lock, by whichever thread caused it (who sends SIGCONT tells
 * of the going on), so it may arrive late: after the child's end, or after the number was given to
 * another child. Each change takes its turn under the child's lock, and a record believes only what
 * comes from its own process and later in turn than what it knows.
 */
#include "body.h"

#include "../../mem/heap/heap.h"
#include "../abi.h"
#include "../ptrace/tracee.h"
#include "account.h"
#include "ids.h"

#include <errno.h>

/* ---- records ---- */

void process_add_record(struct process_body *body, struct child_record *record,
                        const struct family *family) {
    record->next = NULL;
    record->before = body->last_child;
    body->news += record->child.state != CHILD_RUNS;
    if (body->last_child)
        body->last_child->next = record;
    else
        body->children = record;
    body->last_child = record;
    if (family->added)
        family->added(body, record);
}

static void remove_record(struct process_body *body, struct child_record *record,
                          const struct family *family) {
    if (family->removed)
        family->removed(body, record);
    body->news -= record->child.state != CHILD_RUNS;
    if (record->next)
        record->next->before = record->before;
    else
        body->last_child = record->before;
    if (record->before)
        record->before->next = record->next;
    else
        body->children = record->next;
}

k42_result family_adopt(struct process *self, const struct child *child,
                        const struct family *family) {
    struct process_body *body = process_body_of(self);
    struct child_record *record = heap_allocate_zeroed(family->record_size);
    if (!record)
        return -ENOMEM;
    record->child = *child;
    k42_lock(&body->lock);
    bool childless = body->childless;
    if (!childless)
        process_add_record(body, record, family);
    k42_unlock(&body->lock);
    if (childless)
        heap_free(record);
    return childless ? -ESRCH : 0;
}

/* ---- what children tell ---- */

/* CLD_EXITED and so on, from a status as wait() has it. */
static void describe_status(const struct child *child, int32_t *code, int32_t *status) {
    if (child->state == CHILD_CONTINUED) {
        *code = CLD_CONTINUED;
        *status = SIGCONT;
    } else if (child->state == CHILD_STOPPED) {
        *code = CLD_STOPPED;
        *status = child->status >> 8;
    } else if (child->state == CHILD_TRAPPED) {
        *code = CLD_TRAPPED;
        *status = child->status >> 8;
    } else if (child->status & 0x7f) {
        *code = child->status & 0x80 ? CLD_DUMPED : CLD_KILLED;
        *status = child->status & 0x7f;
    } else {
        *code = CLD_EXITED;
        *status = child->status >> 8 & 0xff;
    }
}

struct signal_info child_signal_info(const struct child *child) {
    struct signal_info info = {
        .signal = child->state == CHILD_ENDED ? child->exit_signal : SIGCHLD,
        .child = {.pid = child->pid,
                  .uid = child->uid,
                  .user_ticks = (int64_t)(child->times.user_ns / 10000000),
                  .system_ticks = (int64_t)(child->times.system_ns / 10000000)},
    };
    describe_status(child, &info.code, &info.child.status);
    return info;
}

/* The record learns it, and the process gets the signal. True: nobody will wait. */
static bool note_change(struct process_body *body, struct child_record *record,
                        const struct child *child) {
    bool stops = child->state != CHILD_ENDED;
    bool disregarded = !stops && process_disregards_children(body) && child->exit_signal == SIGCHLD;
    bool told = record->child.state == CHILD_ENDED;
    int32_t thread = record->child.parent_thread;
    body->news += record->child.state == CHILD_RUNS;
    record->child = *child;
    record->child.parent_thread = thread;
    struct signal_info info = child_signal_info(child);
    bool quiet = stops && (body->own.actions[SIGCHLD - 1].flags & SA_NOCLDSTOP);
    if (info.signal && !quiet && !told && !(process_send_locked(body, NULL, &info) >= 0))
        return disregarded; /* the signal was lost for want of memory, the record was not */
    return disregarded;
}

static bool is_news(const struct child_record *record, const struct child *child) {
    return record && record->child.process == child->process &&
           (int32_t)(child->turn - record->child.turn) > 0;
}

k42_result family_changed(struct process *self, const struct child *child,
                          const struct family *family) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    struct child_record *record = family->find(body, child->pid);
    bool news = is_news(record, child), alone = false;
    if (news)
        record->child.turn = child->turn;
    if (news && child->state == CHILD_RUNS)
        record->child.group = child->group;
    else if (news)
        alone = note_change(body, record, child);
    if (alone)
        remove_record(body, record, family);
    k42_unlock(&body->lock);
    if (!record)
        return -ESRCH;
    if (alone)
        heap_free(record);
    if (news) {
        wait_notify(process_id_of(self), PROCESS_CHILDREN, WAIT_READ, WAIT_ALL);
        wait_notify(process_id_of(self), PROCESS_SIGNALS, WAIT_READ, WAIT_ALL);
    }
    return alone;
}

struct process_change process_change_locked(struct process *self, enum child_state state,
                                            int status) {
    struct process_body *body = process_body_of(self);
    struct process_change change = {
        .child = {.pid = body->pid,
                  .group = body->group,
                  .process = process_id_of(self),
                  .exit_signal = body->exit_signal,
                  .state = state,
                  .status = status,
                  .turn = ++body->turns,
                  .times = body->times},
        .parent = body->parent,
    };
    account_add(&change.child.times, &body->child_times);
    return change;
}

void process_tell_parent(const struct process_change *change) {
    process_ref parent = (process_ref)k42_id_ref(change->parent);
    /* A parent that has gone is being replaced; the next one takes no interest in stops. */
    k42_result told = k42_call(parent, changed, &change->child);
    (void)told;
}

/* ---- waiting ---- */

static bool is_chosen(const struct child *child, const struct child_choice *choice) {
    if ((choice->pid && child->pid != choice->pid) ||
        (choice->group && child->group != choice->group))
        return false;
    bool clone = child->exit_signal != SIGCHLD;
    if (!(choice->kinds & __WALL) && clone != !!(choice->kinds & __WCLONE))
        return false;
    return !(choice->kinds & __WNOTHREAD) || child->parent_thread == choice->thread;
}

static bool has_news(const struct child *child, const struct child_choice *choice) {
    return child->state != CHILD_RUNS && (choice->states & 1u << child->state);
}

/* Takes the news off a record: gone, or as if nothing had been. */
static struct child_record *collect(struct process_body *body, struct child_record *record,
                                    const struct child_choice *choice,
                                    const struct family *family) {
    if (choice->keep)
        return NULL;
    if (record->child.state != CHILD_ENDED) {
        record->child.state = CHILD_RUNS;
        body->news--;
        return NULL;
    }
    account_add(&body->child_times, &record->child.times);
    remove_record(body, record, family);
    return record;
}

k42_result family_wait(struct process *self, const struct child_choice *choice, struct child *child,
                       const struct family *family) {
    struct process_body *body = process_body_of(self);
    struct child_record *gone = NULL;
    struct tracee *gone_tracee = NULL;
    k42_lock(&body->lock);
    k42_result result = process_wait_tracee(body, choice, child, &gone_tracee);
    struct child_record *record = choice->pid ? family->find(body, choice->pid) : body->children;
    for (; record && result <= 0; record = choice->pid ? NULL : record->next) {
        if (!is_chosen(&record->child, choice))
            continue;
        if (has_news(&record->child, choice)) {
            *child = record->child;
            result = record->child.pid;
            gone = collect(body, record, choice, family);
            break;
        }
        result = -K42_WAIT;
        if (!body->news)
            break;
    }
    if (result == -K42_WAIT)
        result = wait_on(process_id_of(self), PROCESS_CHILDREN, WAIT_READ);
    k42_unlock(&body->lock);
    heap_free(gone);
    if (gone_tracee)
        tracee_release(gone_tracee);
    return result;
}

/* ---- looking ---- */

/* Those of a thread that has left are the first one's. */
static bool is_of_thread(struct process *self, const struct child *child, int thread) {
    return child->parent_thread == thread ||
           (thread == process_body_of(self)->pid &&
            k42_id_of(ids_process(child->parent_thread)) != process_id_of(self));
}

k42_result process_children(struct process *self, int thread, int after, int32_t *pids,
                            size_t size) {
    struct process_body *body = process_body_of(self);
    size_t count = 0, most = size / sizeof *pids;
    k42_lock(&body->lock);
    const struct child_record *record = body->children;
    for (; after && record && record->child.pid != after; record = record->next)
        ;
    if (after && record)
        record = record->next;
    for (; record && count < most; record = record->next)
        if (is_of_thread(self, &record->child, thread))
            pids[count++] = record->child.pid;
    k42_unlock(&body->lock);
    return (k42_result)(count * sizeof *pids);
}

/* ---- ends and new parents ---- */

k42_result family_disown(struct process *self, struct child *child, const struct family *family) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    body->childless = true;
    struct child_record *record = body->children;
    if (record)
        remove_record(body, record, family);
    k42_unlock(&body->lock);
    if (!record)
        return 0;
    *child = record->child;
    heap_free(record);
    return child->pid;
}

k42_result process_reparent(struct process *self, k42_ref parent, int parent_pid,
                            struct child *child) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    body->parent = k42_id_of(parent);
    body->parent_pid = parent_pid;
    body->parent_thread = 0;
    body->exit_signal = SIGCHLD;
    *child =
        process_change_locked(self, body->ended ? CHILD_ENDED : CHILD_RUNS, body->status).child;
    k42_unlock(&body->lock);
    return child->state == CHILD_ENDED;
}

k42_result process_ended(struct process *self, struct child *child) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    body->ended = true;
    body->ending = true;
    body->borrows = false;
    signal_queue_empty(body, &body->pending, ~0ul);
    struct process_change change = process_change_locked(self, CHILD_ENDED, body->status);
    k42_unlock(&body->lock);
    *child = change.child;
    wait_notify(process_id_of(self), PROCESS_BORROWED, WAIT_READ, WAIT_ALL);
    return change.parent;
}

k42_result process_known(struct process *self) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    body->known = true;
    k42_unlock(&body->lock);
    return 0;
}

k42_result process_regroup(struct process *self, int group, int session) {
    struct process_body *body = process_body_of(self);
    k42_lock(&body->lock);
    bool there = body->group == group && !session;
    body->group = group;
    if (session)
        body->session = session;
    struct process_change change;
    if (!there)
        change = process_change_locked(self, CHILD_RUNS, 0);
    k42_unlock(&body->lock);
    if (there)
        return -EALREADY;
    process_tell_parent(&change);
    return 0;
}

k42_result process_borrow(struct process *self, unsigned back) {
    struct process_body *body = process_body_of(self);
    k42_result result = 0;
    k42_lock(&body->lock);
    bool returned = back && body->borrows;
    if (back)
        body->borrows = false;
    else if (body->borrows)
        result = wait_on(process_id_of(self), PROCESS_BORROWED, WAIT_READ);
    k42_unlock(&body->lock);
    if (returned)
        wait_notify(process_id_of(self), PROCESS_BORROWED, WAIT_READ, WAIT_ALL);
    return result;
}

/* ---- the kernel's own way: the list is all there is ---- */

static struct child_record *find(struct process_body *body, int pid) {
    struct child_record *record = body->children;
    while (record && record->child.pid != pid)
        record = record->next;
    return record;
}

const struct family process_family = {.record_size = sizeof(struct child_record), .find = find};

k42_result process_adopt(struct process *self, const struct child *child) {
    return family_adopt(self, child, &process_family);
}

k42_result process_changed(struct process *self, const struct child *child) {
    return family_changed(self, child, &process_family);
}

k42_result process_wait(struct process *self, const struct child_choice *choice,
                        struct child *child) {
    return family_wait(self, choice, child, &process_family);
}

k42_result process_disown(struct process *self, struct child *child) {
    return family_disown(self, child, &process_family);
}
