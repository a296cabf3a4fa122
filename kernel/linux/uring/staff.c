/*
 * Staffs, their queues and their end: see staff.h.
 *
 * The end. A task that ends, or begins a new program, cancels all and has its workers killed, so
 * that what they sleep in ends; then it carries the rest out itself, which is to finish it, until
 * nothing is left. Files stay what they are meanwhile; nobody else waits for it.
 *
 * Locking: staff->lock, leaf. Fails: -ENOMEM.
 */
#include "../../mem/heap/heap.h"
#include "staff_inner.h"

/* ---- the queue ---- */

struct work *staff_pop(struct staff *staff) {
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
    *work = staff_pop(staff);
    bool over = !*work && !staff->count;
    k42_unlock(&staff->lock);
    return *work || over ? 0 : wait_on(WAIT_NO_OBJECT, (uintptr_t)staff, WAIT_READ);
}

static k42_result all_gone(struct staff *staff) {
    k42_lock(&staff->lock);
    bool gone = !staff->present;
    k42_unlock(&staff->lock);
    return gone ? 0 : wait_on(WAIT_NO_OBJECT, staff_end_key(staff), WAIT_READ);
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
        work_go_on(work, true);
    }
    WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, all_gone(staff));
    (void)result;
    task->staff = NULL;
    heap_free(staff);
}
