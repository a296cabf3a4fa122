/*
 * Sleeping on a word of memory: waiters stand in hashed buckets, in the order they came.
 *
 * No wake-up is lost. Whoever wakes has changed the word before and then takes the bucket's lock; a
 * sleeper looks at the word under that lock. If the sleeper had it first, the waker finds him in
 * the bucket; if the waker did, the lock hands over his change and the sleeper sees it.
 *
 * A waiter's record is on its own stack: whoever takes it out of the bucket wakes the thread before
 * letting the lock go, and the thread takes the lock once more before it returns, so the record is
 * not looked at any longer.
 *
 * Locking: a bucket's, before a CPU's. Fails never; a word shared by many makes a long bucket.
 */
#include "sched.h"

#define BUCKETS 1024u

struct waiter {
    struct waiter *next;
    uint32_t *word; /* NULL: taken out */
    struct thread *thread;
};

static struct bucket {
    struct spin_lock lock;
    struct waiter *first;
} buckets[BUCKETS];

static struct bucket *bucket_of(const uint32_t *word) {
    return &buckets[((uintptr_t)word / sizeof *word * 0x9e3779b97f4a7c15ul) >> 54];
}
_Static_assert(BUCKETS == 1u << (64 - 54), "the hash is the product's upper bits");

static void add_last(struct bucket *bucket, struct waiter *waiter) {
    struct waiter **link = &bucket->first;
    while (*link)
        link = &(*link)->next;
    *link = waiter;
}

static void take_out(struct bucket *bucket, struct waiter *waiter) {
    struct waiter **link = &bucket->first;
    while (*link != waiter)
        link = &(*link)->next;
    *link = waiter->next;
    waiter->word = NULL;
}

bool thread_may_wait(void) {
    return sched_cpus && trap_leave && interrupts_on() && !preempt_depth();
}

static uint64_t time_is_up(struct timer *timer) {
    thread_wake(k42_container(timer, struct thread, timer));
    return TIMER_DONE;
}

void thread_block_until(uint64_t deadline) {
    struct thread *self = thread_self();
    if (deadline != NEVER)
        timer_start(&self->timer, deadline, time_is_up);
    thread_block();
    if (deadline != NEVER)
        timer_stop(&self->timer);
}

void thread_park(uint32_t *word, uint32_t expected, uint64_t timeout_ns) {
    if (!thread_may_wait()) {
        k42_relax();
        return;
    }
    uint64_t deadline = timeout_ns ? time_ns() + timeout_ns : NEVER;
    /* Looked at before the lock is taken, too: memory that appears on touch must not do so there.
     */
    if (__atomic_load_n(word, __ATOMIC_ACQUIRE) != expected)
        return;
    struct bucket *bucket = bucket_of(word);
    uintptr_t saved = interrupts_save();
    struct waiter waiter = {.word = word, .thread = thread_self()};
    spin_take(&bucket->lock);
    bool sleep = __atomic_load_n(word, __ATOMIC_ACQUIRE) == expected;
    if (sleep)
        add_last(bucket, &waiter);
    spin_release(&bucket->lock);
    if (sleep) {
        thread_block_until(deadline);
        spin_take(&bucket->lock);
        if (waiter.word)
            take_out(bucket, &waiter);
        spin_release(&bucket->lock);
    }
    interrupts_restore(saved);
}

void thread_wake_parked(uint32_t *word, uint32_t count) {
    struct bucket *bucket = bucket_of(word);
    uintptr_t saved = interrupts_save();
    spin_take(&bucket->lock);
    for (struct waiter *waiter = bucket->first; waiter && count;) {
        struct waiter *next = waiter->next;
        if (waiter->word == word) {
            take_out(bucket, waiter);
            thread_wake(waiter->thread);
            count--;
        }
        waiter = next;
    }
    spin_release(&bucket->lock);
    interrupts_restore(saved);
}

void thread_sleep(uint64_t ns) {
    uint64_t end = time_ns() + ns;
    uintptr_t saved = interrupts_save();
    while (time_ns() < end)
        thread_block_until(end);
    interrupts_restore(saved);
}
