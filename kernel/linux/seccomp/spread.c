/*
 * Who has which filters: one more for a task, or for all threads of its process.
 *
 * All threads are found first, then compared and changed with the lock, so either all of them get
 * the filter or none. Threads that begin are counted with the lock, too, after they can be found,
 * and get what filters their maker has by then (seccomp_begin()); when the count has changed since
 * the threads were looked for, they are looked for again. What a thread had before lasts, since the
 * new ones lead to it: so it may be asking those at the moment.
 */
#include "../../mem/heap/heap.h"
#include "../process/lives.h"
#include "filters.h"

#include <k42/k42.h>

enum { TOTAL_MOST = 32768, COST_EACH = 4, FIRST_ROOM = 8 };

struct call_filter *filters_hold(struct call_filter *filters) {
    if (filters)
        __atomic_fetch_add(&filters->references, 1, __ATOMIC_RELAXED);
    return filters;
}

void filters_release(struct call_filter *filters) {
    while (filters && !__atomic_sub_fetch(&filters->references, 1, __ATOMIC_ACQ_REL)) {
        struct call_filter *before = filters->before;
        listener_leave(filters->listener);
        heap_free(filters);
        filters = before;
    }
}

/* ---- a task's own; with the lock ---- */

/* The hold of `filters` becomes the task's. */
static void give(struct task *task, struct call_filter *filters) {
    struct call_filter *before = task->filters;
    __atomic_store_n(&task->filters, filters, __ATOMIC_RELEASE);
    __atomic_store_n(&task->guarded, true, __ATOMIC_RELEASE);
    if (before)
        __atomic_fetch_sub(&before->references, 1, __ATOMIC_RELAXED); /* never the last */
}

static bool has_listener(const struct call_filter *filters) {
    while (filters && !filters->listener)
        filters = filters->before;
    return filters;
}

static k42_result check(const struct task *self, struct call_filter *filter) {
    if (self->strict)
        return -EINVAL;
    if (filter->listener && has_listener(self->filters))
        return -EBUSY;
    filter->total = filter->length + COST_EACH + (self->filters ? self->filters->total : 0);
    return filter->total > TOTAL_MOST ? -ENOMEM : 0;
}

static void add(struct task *self, struct call_filter *filter) {
    filter->before = filters_hold(self->filters);
    filter->count = 1 + (filter->before ? filter->before->count : 0);
    give(self, filter);
}

static k42_result add_to_self(struct call_filter *filter) {
    struct task *self = task_self();
    k42_lock(&self->memory->filters_lock);
    k42_result result = check(self, filter);
    if (result >= 0)
        add(self, filter);
    k42_unlock(&self->memory->filters_lock);
    return result;
}

void seccomp_guard(struct task *task, bool calls) {
    k42_lock(&task->memory->filters_lock);
    task->guarded = task->strict || task->filters || task->dispatch.is_on || calls;
    k42_unlock(&task->memory->filters_lock);
}

k42_result seccomp_be_strict(void) {
    struct task *self = task_self();
    k42_lock(&self->memory->filters_lock);
    k42_result result = self->filters ? -EINVAL : 0;
    if (result >= 0)
        self->strict = self->guarded = true;
    k42_unlock(&self->memory->filters_lock);
    return result;
}

uint32_t seccomp_filters(const struct task *task) {
    struct task_memory *memory = __atomic_load_n(&task->memory, __ATOMIC_ACQUIRE);
    if (!memory)
        return 0;
    k42_lock(&memory->filters_lock);
    uint32_t count = task->filters ? task->filters->count : 0;
    k42_unlock(&memory->filters_lock);
    return count;
}

void seccomp_begin(const struct task *maker, struct task *task) {
    k42_lock(&task->memory->filters_lock);
    task->memory->threads_begun++;
    if (maker->filters != task->filters)
        give(task, filters_hold(maker->filters));
    task->no_new_privileges |= maker->no_new_privileges;
    k42_unlock(&task->memory->filters_lock);
}

void seccomp_end(struct task *task) {
    k42_lock(&task->memory->filters_lock);
    struct call_filter *filters = task->filters;
    task->filters = NULL;
    task->filters_ended = true;
    k42_unlock(&task->memory->filters_lock);
    filters_release(filters);
}

/* ---- all threads ---- */

struct threads {
    struct task **at;
    unsigned count, room;
};

static void find(struct threads *threads) {
    process_ref process = task_self()->process;
    threads->count = 0;
    for (int tid = 1;;) {
        struct k42_pair found = k42_call(process, thread, tid, 1);
        if (found.result < 0)
            return;
        struct task *task = (struct task *)found.word;
        if (threads->count < threads->room)
            threads->at[threads->count] = task;
        threads->count++;
        tid = task->tid + 1;
    }
}

/* As many as there are, however many come meanwhile. */
static k42_result find_all(struct threads *threads) {
    for (threads->room = FIRST_ROOM;; threads->room = threads->count + FIRST_ROOM) {
        threads->at = heap_allocate(threads->room * sizeof *threads->at);
        if (!threads->at)
            return -ENOMEM;
        find(threads);
        if (threads->count <= threads->room)
            return 0;
        heap_free(threads->at);
    }
}

static bool leads_to(const struct call_filter *filters, const struct call_filter *older) {
    while (filters && filters != older)
        filters = filters->before;
    return filters == older;
}

/* 0, or the number of a thread that must not get the caller's filters. */
static k42_result compare(const struct threads *threads) {
    const struct task *self = task_self();
    for (unsigned n = 0; n < threads->count; n++) {
        const struct task *task = threads->at[n];
        if (!task->filters_ended && (task->strict || !leads_to(self->filters, task->filters)))
            return task->tid;
    }
    return 0;
}

static void give_to_others(const struct threads *threads, struct call_filter *filter) {
    const struct task *self = task_self();
    for (unsigned n = 0; n < threads->count; n++) {
        struct task *task = threads->at[n];
        if (task == self || task->filters_ended)
            continue;
        give(task, filters_hold(filter));
        if (self->no_new_privileges)
            __atomic_store_n(&task->no_new_privileges, true, __ATOMIC_RELAXED);
    }
}

/* With the lock, and all threads. */
static k42_result add_to_these(const struct threads *threads, struct call_filter *filter,
                               unsigned flags) {
    struct task *self = task_self();
    k42_result result = check(self, filter);
    if (result < 0)
        return result;
    result = compare(threads);
    if (result)
        return flags & SECCOMP_FILTER_FLAG_TSYNC_ESRCH ? -ESRCH : result;
    add(self, filter);
    give_to_others(threads, filter);
    return 0;
}

k42_result filters_add(struct call_filter *filter, unsigned flags) {
    struct task_memory *memory = task_self()->memory;
    if (!(flags & SECCOMP_FILTER_FLAG_TSYNC))
        return add_to_self(filter);
    for (;;) {
        struct threads threads;
        uint64_t begun = __atomic_load_n(&memory->threads_begun, __ATOMIC_ACQUIRE);
        k42_result result = find_all(&threads);
        if (result < 0)
            return result;
        k42_lock(&memory->filters_lock);
        bool all = memory->threads_begun == begun;
        if (all)
            result = add_to_these(&threads, filter, flags);
        k42_unlock(&memory->filters_lock);
        heap_free(threads.at);
        if (all)
            return result;
    }
}
