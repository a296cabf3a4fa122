/*
 * A work of a staff is carried out, rests, and goes on: see staff.h.
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
 * Locking: none. Fails: -ENOMEM.
 */
#include "staff_inner.h"

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

static void stop_waiting(struct work *work) {
    if (work->watches)
        (void)wait_remove(&work->watch);
    work->watches = false;
    (void)timer_stop(&work->timer);
}

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
        if (staff_hire(work->staff, false) < 0) {
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

void work_go_on(struct work *work, bool may_sleep) {
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
    work_go_on(work, false);
}

void work_start_elsewhere(struct work *work) {
    if (staff_hire(work->staff, false) < 0) {
        work_go_on(work->kind->finish(work, -ENOMEM), false);
        return;
    }
    work->sleeps = true;
    __atomic_fetch_or(&work->state, WORK_QUEUED, __ATOMIC_SEQ_CST);
    push(work);
}
