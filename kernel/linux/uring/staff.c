/*
 * Staffs: see staff.h.
 *
 * A work's state says who may touch it. WORK_RESTS is nobody's: who makes it something else, by one
 * atomic operation, is the one who puts it on the stack of arrivals; so it is there once.
 * Everything else is the matter of the one thread that carries it out, and of others only to add a
 * bit.
 *
 * The races:
 *
 *   Ready against rest. The watch stands in the wait table before the attempt that decides to rest,
 *   while the state is still WORK_RUNS: a notification adds WORK_READY to it. To rest is to make
 *   WORK_RUNS alone WORK_RESTS; where a bit was added the attempt is made again.
 *
 *   Cancel against rest. The same bit by bit: a work that is cancelled while it runs does not rest.
 *
 *   End against notification. finish() comes after wait_remove() and timer_stop(), which wait for
 *   functions under way; those touch nothing after the work is on the stack, whose owner is the
 *   staff, and that outlives its works.
 *
 *   Worker against work. A work is counted from before it first rests to its end. Who is about to
 *   rest makes a worker if there is none; and a worker leaves only when nothing is counted, or
 *   another one stays. Both look under the lock.
 *
 *   Worker against end. A worker that is made while the staff ends finds that out when it looks for
 *   work, under the lock; all others are killed under it. Each counts until it has given up what it
 *   shares with the task.
 *
 * The end. A task that ends, or begins a new program, cancels all and has its workers killed, so
 * that what they sleep in ends; then it carries the rest out itself, which is to finish it, until
 * nothing is left. Files stay what they are meanwhile; nobody else waits for it.
 *
 * Locking: staff->lock, leaf. Fails: -ENOMEM. There are at most 32 workers: what would sleep beyond
 * them waits for one to come back.
 */
#include "staff.h"

#include "../../arch/x86_64/user.h"
#include "../../fs/path.h"
#include "../../mem/heap/heap.h"
#include "../call.h"
#include "../clocks.h"
#include "../host_names.h"
#include "../process/lives.h"

#include <errno.h>
#include <k42/k42.h>

enum work_state {
    WORK_RESTS = 0,
    WORK_RUNS = 1,   /* or is about to */
    WORK_READY = 2,  /* was notified */
    WORK_LATE = 4,   /* its time has come */
    WORK_ENDED = 8,  /* is to end */
    WORK_QUEUED = 16 /* waits for a worker */
};

enum { WORKERS_MOST = 32 };

struct worker {
    struct worker *next;
    struct staff *staff;
    struct task *task;
    struct k42_defer defer;
};

struct staff {
    struct work *arrivals; /* a stack; atomic */
    struct k42_lock lock;
    struct work *first, *last; /* the queue, in the order of coming */
    struct work *works;        /* all under way */
    uint32_t count;            /* of them */
    struct worker *workers;
    uint32_t serving, busy; /* workers that take works, and those that have one */
    uint32_t present;       /* workers that are not gone */
    bool ending;            /* atomic */
};

/* The key of a staff's end; its own address is that of its arrivals. */
static uintptr_t end_key(const struct staff *staff) {
    return (uintptr_t)staff + 1;
}

static void push(struct work *work) {
    struct staff *staff = work->staff;
    work->next = __atomic_load_n(&staff->arrivals, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&staff->arrivals, &work->next, work, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
        ;
    (void)!wait_notify(WAIT_NO_OBJECT, (uintptr_t)staff, WAIT_READ, 1);
}

/* Adds a bit; who finds the work at rest sees to it that it goes on. Returns what it was. */
static uint32_t add(struct work *work, uint32_t bit) {
    uint32_t before = __atomic_load_n(&work->state, __ATOMIC_RELAXED), wanted;
    do
        wanted = before | bit | (before == WORK_RESTS ? WORK_RUNS | WORK_QUEUED : 0u);
    while (!__atomic_compare_exchange_n(&work->state, &before, wanted, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED));
    if (before == WORK_RESTS)
        push(work);
    return before;
}

/* Interrupts are off, in both. */
static void on_ready(struct wait_entry *entry, uint32_t events) {
    (void)events;
    (void)add(k42_container(entry, struct work, watch), WORK_READY);
}

static uint64_t on_time(struct timer *timer) {
    (void)add(k42_container(timer, struct work, timer), WORK_LATE);
    return TIMER_DONE;
}

k42_result work_cancel(struct work *work) {
    uint32_t before = add(work, WORK_ENDED);
    /* What does not sleep sees the bit before it rests again. */
    bool in_time = before == WORK_RESTS || (before & WORK_QUEUED) || !work->sleeps;
    return in_time && !(before & WORK_ENDED) ? 0 : -EALREADY;
}

void work_wake(struct work *work) {
    (void)add(work, WORK_READY);
}

/* ---- carrying a work out ---- */

static void stop_waiting(struct work *work) {
    if (work->watches)
        (void)wait_remove(&work->watch);
    work->watches = false;
    (void)timer_stop(&work->timer);
}

static k42_result hire(struct staff *staff, bool one_more);

static void begin_waiting(struct work *work) {
    work->notified = false;
    work->watches = work->point.id || work->point.key;
    if (work->watches)
        wait_watch(&work->watch, work->point, on_ready);
    if (work->deadline && work->deadline != WAIT_FOREVER)
        timer_start(&work->timer, work->deadline, on_time);
}

/* Takes what was added; true: it is to end. */
static bool take_bits(struct work *work) {
    uint32_t bits = __atomic_exchange_n(&work->state, WORK_RUNS, __ATOMIC_SEQ_CST);
    work->notified |= (bits & WORK_READY) != 0;
    work->expired |= (bits & WORK_LATE) != 0;
    return bits & WORK_ENDED;
}

/* From an attempt on. `true`: it rests, and is no longer the caller's. */
static bool attempt(struct work *work, bool may_sleep, k42_result *result) {
    for (;;) {
        uint32_t runs = WORK_RUNS;
        stop_waiting(work);
        if (take_bits(work)) {
            *result = -ECANCELED;
            return false;
        }
        *result = work->kind->attempt(work, may_sleep);
        if (*result != -K42_WAIT)
            return false;
        if (hire(work->staff, false) < 0) {
            *result = -ENOMEM;
            return false;
        }
        begin_waiting(work);
        *result = work->kind->attempt(work, may_sleep);
        if (*result == -K42_WAIT &&
            __atomic_compare_exchange_n(&work->state, &runs, WORK_RESTS, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_RELAXED))
            return true;
        if (*result != -K42_WAIT) {
            stop_waiting(work);
            return false;
        }
    }
}

static void go_on(struct work *work, bool may_sleep) {
    k42_result result;
    while (work && !attempt(work, may_sleep, &result)) {
        if (result == -WORK_SLEEPS) {
            work_start_elsewhere(work);
            return;
        }
        work = work->kind->finish(work, result);
        k42_safe_point();
    }
}

void work_start(struct work *work) {
    go_on(work, false);
}

void work_start_elsewhere(struct work *work) {
    if (hire(work->staff, false) < 0) {
        go_on(work->kind->finish(work, -ENOMEM), false);
        return;
    }
    work->sleeps = true;
    __atomic_fetch_or(&work->state, WORK_QUEUED, __ATOMIC_SEQ_CST);
    push(work);
}

/* ---- the queue ---- */

/* With the lock. */
static struct work *pop(struct staff *staff) {
    struct work *latest = __atomic_exchange_n(&staff->arrivals, NULL, __ATOMIC_SEQ_CST);
    struct work *first = NULL, *last = latest;
    while (latest) {
        struct work *earlier = latest->next;
        latest->next = first;
        first = latest;
        latest = earlier;
    }
    if (first && staff->first)
        staff->last->next = first;
    else if (first)
        staff->first = first;
    if (last)
        staff->last = last;
    struct work *work = staff->first;
    if (work)
        staff->first = work->next;
    return work;
}

/* ---- workers ---- */

static k42_result worker_make(struct staff *staff);

/* Sees to it that there is a worker, or one more than those who have something to do. -ENOMEM:
 * there is none at all. */
static k42_result hire(struct staff *staff, bool one_more) {
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
    *work = pop(staff);
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
    (void)!wait_notify(WAIT_NO_OBJECT, end_key(staff), WAIT_READ, WAIT_ALL);
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
            (void)hire(staff, true);
        go_on(work, true);
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
    k42_unlock(&staff->lock);
    thread_launch(task->thread);
    return 0;
}

/* ---- staffs ---- */

struct staff *staff_of_self(void) {
    struct task *task = task_self();
    if (!task->staff)
        task->staff = heap_allocate_zeroed(sizeof *task->staff);
    return task->staff;
}

bool staff_is_ending(const struct staff *staff) {
    return __atomic_load_n(&staff->ending, __ATOMIC_ACQUIRE);
}

void staff_join(struct staff *staff, struct work *work, const struct work_kind *kind) {
    work->kind = kind;
    work->staff = staff;
    work->state = WORK_RUNS;
    k42_lock(&staff->lock);
    work->after = staff->works;
    if (staff->works)
        staff->works->before = work;
    staff->works = work;
    staff->count++;
    k42_unlock(&staff->lock);
}

void staff_leave(struct work *work) {
    struct staff *staff = work->staff;
    k42_lock(&staff->lock);
    if (work->after)
        work->after->before = work->before;
    if (work->before)
        work->before->after = work->after;
    else
        staff->works = work->after;
    staff->count--;
    bool told = staff_is_ending(staff);
    k42_unlock(&staff->lock);
    if (told)
        (void)!wait_notify(WAIT_NO_OBJECT, (uintptr_t)staff, WAIT_READ, WAIT_ALL);
}

/* ---- the end ---- */

static void stop_all(struct staff *staff) {
    k42_lock(&staff->lock);
    __atomic_store_n(&staff->ending, true, __ATOMIC_RELEASE);
    for (struct work *work = staff->works; work; work = work->after)
        (void)work_cancel(work);
    for (struct worker *worker = staff->workers; worker; worker = worker->next)
        thread_interrupt(worker->task->thread, THREAD_KILLED);
    k42_unlock(&staff->lock);
}

/* The next that is to be finished; 0 and none: nothing is under way. */
static k42_result take_rest(struct staff *staff, struct work **work) {
    k42_lock(&staff->lock);
    *work = pop(staff);
    bool over = !*work && !staff->count;
    k42_unlock(&staff->lock);
    return *work || over ? 0 : wait_on(WAIT_NO_OBJECT, (uintptr_t)staff, WAIT_READ);
}

static k42_result all_gone(struct staff *staff) {
    k42_lock(&staff->lock);
    bool gone = !staff->present;
    k42_unlock(&staff->lock);
    return gone ? 0 : wait_on(WAIT_NO_OBJECT, end_key(staff), WAIT_READ);
}

void staff_end(struct task *task) {
    struct staff *staff = task->staff;
    struct work *work;
    k42_result result;
    if (!staff)
        return;
    stop_all(staff);
    for (;;) {
        WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, take_rest(staff, &work));
        if (!work)
            break;
        go_on(work, true);
    }
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, all_gone(staff));
    (void)result;
    task->staff = NULL;
    heap_free(staff);
}
