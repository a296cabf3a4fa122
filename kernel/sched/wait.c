/*
 * Waiting, the thread's side: what methods note, the attempts of a call, and the sleep.
 *
 * The attempts of a call. What lies between two of them depends on where the thread stands:
 *
 *   NEW     it has not waited         not ready: get into the table, try again
 *   OUT     not in the table          the same
 *   IN      it tried while there      not ready: sleep, try again
 *   WOKEN   taken out by a notifier   not ready (somebody was faster): get in, try again
 *
 * Not ready twice in a row, the second time IN, is what makes it sleep. A notification is tried
 * before an interrupt or the deadline is looked at, so one that was counted for this thread is not
 * thrown away. And it is passed on to the next when the call ends, or waits for something else:
 * what the call did then need not have been with what it was notified of. It may have succeeded
 * before it slept, or failed after, or its path or descriptor leads elsewhere by now. Who is woken
 * in vain sleeps again.
 *
 * Sleeping. The set's word says that something came, the thread's that it was interrupted; both are
 * written before the thread is woken, and looked at with interrupts off before it blocks. A wake-up
 * between the look and the block makes the block return at once (cpu.c), so none is lost.
 *
 * Data is the calling thread's. Nothing here is locked. Fails with what the contract says.
 */
#include "sched.h"

#include <errno.h>

enum stage { NEW, OUT, IN, WOKEN };

k42_result (*wait_resolve_fault)(uintptr_t address, uint32_t access, uint64_t deadline,
                                 unsigned flags);

/* ---- what methods note ---- */

k42_result wait_on_until(k42_id self, uintptr_t key, uint32_t events, uint64_t again) {
    struct wait_record *record = &thread_self()->wait;
    record->point = (struct wait_point){.id = self, .key = key, .events = events};
    record->again = again;
    return -K42_WAIT;
}

k42_result wait_on(k42_id self, uintptr_t key, uint32_t events) {
    return wait_on_until(self, key, events, WAIT_FOREVER);
}

struct wait_point wait_noted(void) {
    return thread_self()->wait.point;
}

k42_result wait_fault(uintptr_t address, uint32_t access) {
    struct wait_record *record = &thread_self()->wait;
    record->fault_address = address;
    record->fault_access = access;
    return -K42_FAULT;
}

void copy_begins(void) {
    thread_self()->wait.copying = true;
}

void copy_ends(void) {
    thread_self()->wait.copying = false;
}

bool copy_under_way(void) {
    return thread_self()->wait.copying;
}

/* Threads have their numbers in turn, and each its own sequence, which a record's next thread goes
 * on with. */
uint64_t wait_request(void) {
    struct thread *self = thread_self();
    /* Numbers of threads are used again; those of calls begin later each time. */
    if (!self->wait.requests)
        self->wait.requests = time_ns() >> 12 & 0xffffffffff;
    if (!self->wait.request)
        self->wait.request = (uint64_t)thread_id(self) << WAIT_REQUEST_BITS | ++self->wait.requests;
    return self->wait.request;
}

void wait_request_end(void) {
    thread_self()->wait.request = 0;
}

/* ---- sleeping ---- */

void wait_set_open(struct wait_set *set) {
    *set = (struct wait_set){.thread = thread_self()};
}

static uint32_t ended_by(unsigned flags) {
    if (flags & WAIT_UNINTERRUPTIBLE)
        return 0;
    return flags & WAIT_KILLABLE ? THREAD_KILLED : THREAD_KILLED | THREAD_INTERRUPTED;
}

/* Interrupts are off. */
static k42_result sleep_in(struct wait_set *set, uint64_t deadline, uint32_t ends) {
    for (;;) {
        /* A full barrier: what came after the word was cleared is seen by whoever looks next. */
        if (__atomic_load_n(&set->fired, __ATOMIC_RELAXED) &&
            __atomic_exchange_n(&set->fired, 0, __ATOMIC_SEQ_CST))
            return 0;
        if (thread_interrupts() & ends)
            return -EINTR;
        if (deadline != WAIT_FOREVER && time_ns() >= deadline)
            return -ETIMEDOUT;
        thread_block_until(deadline);
    }
}

k42_result wait_sleep(struct wait_set *set, uint64_t deadline, unsigned flags) {
    bool active = k42_active();
    if (active)
        k42_exit();
    uint32_t ends = ended_by(flags);
    uintptr_t saved = interrupts_save();
    set->thread->wait.heeds = ends & THREAD_INTERRUPTED;
    k42_result result = sleep_in(set, deadline, ends);
    set->thread->wait.heeds = false;
    interrupts_restore(saved);
    if (active)
        k42_enter();
    return result;
}

/* ---- the attempts of a call ---- */

static bool same_point(const struct wait_point *a, const struct wait_point *b) {
    return a->id == b->id && a->key == b->key && a->events == b->events;
}

static void pass_on(const struct wait_entry *entry) {
    wait_notify(entry->point.id, entry->point.key, entry->point.events, 1);
}

static void get_in(struct wait_call *call, const struct wait_point *point) {
    if (call->stage == NEW)
        wait_set_open(&call->set);
    wait_set_add_once(&call->set, &call->entry, *point);
    call->stage = IN;
}

/* Out of the table; true: a notification had been counted for us. */
static bool get_out(struct wait_call *call) {
    bool notified = wait_remove(&call->entry);
    call->stage = notified ? WOKEN : OUT;
    return notified;
}

static bool end(struct wait_call *call) {
    bool notified = call->stage == IN ? get_out(call) : call->stage == WOKEN;
    if (notified)
        pass_on(&call->entry);
    thread_self()->wait.request = 0;
    return false;
}

/* The page's wait is a call of its own, perhaps with a request of its own. */
static k42_result resolve(uint64_t deadline, unsigned flags) {
    struct wait_record *record = &thread_self()->wait;
    uint64_t request = record->request;
    record->request = 0;
    k42_result result =
        wait_resolve_fault(record->fault_address, record->fault_access, deadline, flags);
    thread_self()->wait.request = request;
    return result;
}

bool wait_again(struct wait_call *call, k42_result *result, uint64_t deadline, unsigned flags) {
    if (*result == -K42_FAULT) {
        if (call->stage == IN)
            (void)get_out(call);
        *result = resolve(deadline, flags);
        return *result ? end(call) : true;
    }
    if (*result != -K42_WAIT)
        return end(call);

    struct wait_point point = wait_noted();
    bool same = call->stage != NEW && same_point(&point, &call->entry.point);
    if (call->stage != IN || !same) {
        bool notified = call->stage == IN ? get_out(call) : call->stage == WOKEN;
        if (notified && !same)
            pass_on(&call->entry);
        get_in(call, &point);
        return true;
    }
    uint64_t again = thread_self()->wait.again;
    *result = wait_sleep(&call->set, again < deadline ? again : deadline, flags);
    if (get_out(call))
        return true;
    bool methods_time = *result == -ETIMEDOUT && again < deadline;
    return *result && !methods_time ? end(call) : true;
}
