/*
 * The workers of a staff: see staff.h.
 *
 * The races:
 *
 *   Worker against work. A work is counted from before it first rests to its end. Who is about to
 *   rest makes a worker if there is none; and a worker leaves only when nothing is counted, or
 *   another one stays. Both look under the lock.
 *
 *   Worker against end. A worker that is made while the staff ends finds that out when it looks for
 *   work, under the lock; all others are killed under it. Each counts until it has given up what it
 *   shares with the task.
 *
 * Locking: staff->lock, leaf. Fails: -ENOMEM. There are at most 32 workers: what would sleep beyond
 * them waits for one to come back.
 */
#include "../../arch/x86_64/user.h"
#include "../../fs/path.h"
#include "../../mem/heap/heap.h"
#include "../clocks.h"
#include "../host_names.h"
#include "../landlock/landlock.h"
#include "../process/lives.h"
#include "staff_inner.h"

enum { WORKERS_MOST = 32 };

static k42_result worker_make(struct staff *staff);

k42_result staff_hire(struct staff *staff, bool one_more) {
    k42_lock(&staff->lock);
    bool lacks =
        one_more ? staff->busy >= staff->serving && staff->serving < WORKERS_MOST : !staff->serving;
    staff->serving += lacks;
    staff->present += lacks;
    k42_unlock(&staff->lock);
    if (!lacks || worker_make(staff) >= 0)
        return 0;
    k42_lock(&staff->lock);
    bool none = !--staff->serving;
    staff->present--;
    k42_unlock(&staff->lock);
    return none ? -ENOMEM : 0;
}

/* The next one to be carried out. */
static k42_result take(struct staff *staff, struct work **work) {
    k42_lock(&staff->lock);
    *work = staff_pop(staff);
    staff->busy += *work != NULL;
    bool ends = !*work && staff_is_ending(staff);
    k42_unlock(&staff->lock);
    if (ends)
        return -ECANCELED;
    return *work ? 0 : wait_on(WAIT_NO_OBJECT, (uintptr_t)staff, WAIT_READ);
}

/* Whether it may go, since nothing has come for a while. */
static bool stop_serving(struct staff *staff) {
    k42_lock(&staff->lock);
    bool may = staff_is_ending(staff) || !staff->count || staff->serving > 1;
    staff->serving -= may;
    k42_unlock(&staff->lock);
    return may;
}

/* The last that is done with the staff, which may be gone afterwards. */
static void leave(const struct worker *worker) {
    struct staff *staff = worker->staff;
    struct worker **link = &staff->workers;
    k42_lock(&staff->lock);
    while (*link != worker)
        link = &(*link)->next;
    *link = worker->next;
    staff->present--;
    k42_unlock(&staff->lock);
    (void)!wait_notify(WAIT_NO_OBJECT, staff_end_key(staff), WAIT_READ, WAIT_ALL);
}

static void worker_free(struct k42_defer *defer) {
    struct worker *worker = k42_container(defer, struct worker, defer);
    heap_free(worker->task);
    heap_free(worker);
}

static void serve(struct staff *staff) {
    enum { PATIENCE_NS = 2000000000 };
    for (;;) {
        struct work *work = NULL;
        k42_result result;
        WAIT_CALL(result, clocks_after(PATIENCE_NS), 0, take(staff, &work));
        if (result < 0)
            return;
        /* One that sleeps leaves somebody behind who takes others. */
        if (work->sleeps)
            (void)staff_hire(staff, true);
        work_go_on(work, true);
        k42_lock(&staff->lock);
        staff->busy--;
        k42_unlock(&staff->lock);
        k42_safe_point();
    }
}

static void worker_begin(void *argument) {
    struct worker *worker = argument;
    space_set_current(worker->task->space);
    k42_enter();
    do
        serve(worker->staff);
    while (!stop_serving(worker->staff));
    task_release(worker->task);
    leave(worker);
    thread_set_task(thread_self(), NULL);
    k42_defer(&worker->defer, worker_free);
    k42_exit();
    thread_exit();
}

/* Who has lost rights has them back through nobody. What a worker had before lasts, since what it
 * has now leads to it. */
void staff_restrict(struct task *task) {
    struct staff *staff = task->staff;
    if (!staff)
        return;
    k42_lock(&staff->lock);
    for (struct worker *at = staff->workers; at; at = at->next) {
        struct landlock_domain *before = at->task->landlock;
        __atomic_store_n(&at->task->landlock, landlock_hold(task->landlock), __ATOMIC_RELEASE);
        landlock_release(before);
    }
    k42_unlock(&staff->lock);
}

/* What a new worker has from the task, or from another worker, who makes it. */
static bool share(const struct task *from, struct task *task) {
    if (k42_call(from->descriptors, hold) < 0)
        return false;
    task->descriptors = from->descriptors;
    task->memory = memory_hold(from->memory);
    task->space = task->memory->space;
    task->paths = paths_hold(from->paths);
    task->host_names = host_names_hold(from->host_names);
    task->credentials = credentials_hold(from->credentials);
    task->executable = file_held_hold(from->executable);
    task->tid = from->tid;
    task->pid = from->pid;
    task->process = from->process;
    task->blocked = ~0ul;
    task->persona = from->persona;
    task->io_priority = from->io_priority;
    task->file_size_limit = from->file_size_limit;
    __builtin_memcpy(task->name, from->name, sizeof task->name);
    return true;
}

static void unmake(struct worker *worker) {
    if (worker->task && worker->task->thread)
        thread_discard(worker->task->thread);
    if (worker->task)
        task_unmake(worker->task);
    heap_free(worker);
}

static k42_result worker_make(struct staff *staff) {
    struct worker *worker = heap_allocate_zeroed(sizeof *worker);
    if (!worker)
        return -ENOMEM;
    worker->staff = staff;
    worker->task = task_make();
    if (worker->task)
        worker->task->thread = thread_create("worker", worker_begin, worker);
    if (!worker->task || !worker->task->thread || !share(task_self(), worker->task)) {
        unmake(worker);
        return -ENOMEM;
    }
    struct task *task = worker->task;
    thread_set_task(task->thread, task);
    user_context_copy(thread_user(task->thread), task->state, task->memory->table);
    thread_user(task->thread)->personality = &linux_personality;
    k42_lock(&staff->lock);
    worker->next = staff->workers;
    staff->workers = worker;
    task->landlock = landlock_hold(task_self()->landlock); /* which staff_restrict() may change */
    k42_unlock(&staff->lock);
    thread_launch(task->thread);
    return 0;
}
