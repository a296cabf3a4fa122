/*
 * Atomic sections, and holding every CPU outside them.
 *
 * Inside a section preemption is off, so the section is its CPU's and not a thread's: `in_atomic`
 * counts its depth, written by that CPU only. A stopper raises `stopping`, makes every CPU pass a
 * barrier, and waits until it has seen each `in_atomic` at zero. An entering CPU counts itself
 * first and looks at `stopping` second, without a fence; one that sees it raised takes itself back,
 * allows preemption again and waits.
 *
 * Why no CPU is inside while stopped. The barrier falls somewhere in the entering CPU's program:
 * after it counted itself, and then the stopper sees the count and waits for its end; or before,
 * and then its look at `stopping` comes after the barrier too, finds it raised, and it gives way.
 *
 * Stoppers exclude one another; whoever waits to enter sleeps, so it does not keep the CPU from the
 * stopper. Hence sections are for threads, which may wait before they enter. The wait for sections
 * is bounded by the longest one, since inside nobody waits.
 *
 * The scheduler's sections are others: it calls its queues with interrupts off. When no thread is
 * in a section any more, all CPUs are held outside of those, too (sched/hold.c). Atomic objects are
 * called in sections alone, so no miss of one is under way then, which the swap would wait for.
 */
#include "runtime.h"

#include <k42/lock.h>

#include "../print.h"
#include "../sched/hold.h"
#include "../sched/preempt.h"
#include "../sched/thread.h"

static struct k42_lock stopper_lock;
static struct thread *stopper; /* valid while stopping */
static uint32_t stopping;      /* slept on */

static void wait_until_started(void) {
    if (__atomic_load_n(&stopper, __ATOMIC_RELAXED) == thread_self())
        panic("k42_atomic_begin() by the thread that has stopped all CPUs: it must start them "
              "again first");
    while (__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
        thread_park(&stopping, 1, 0);
}

void k42_atomic_begin(void) {
    for (;;) {
        preempt_off();
        struct k42_cpu_head *head = k42_platform_head();
        uint32_t depth = head->in_atomic;
        __atomic_store_n(&head->in_atomic, depth + 1, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* the barrier of stop_cpus() does the rest */
        if (depth || !__atomic_load_n(&stopping, __ATOMIC_ACQUIRE))
            return;
        __atomic_store_n(&head->in_atomic, 0, __ATOMIC_RELEASE);
        preempt_on();
        wait_until_started();
    }
}

void k42_atomic_end(void) {
    struct k42_cpu_head *head = k42_platform_head();
    if (!head->in_atomic)
        panic("k42_atomic_end() without k42_atomic_begin()");
    __atomic_store_n(&head->in_atomic, head->in_atomic - 1, __ATOMIC_RELEASE);
    preempt_on();
}

void k42_platform_stop_cpus(void) {
    if (k42_platform_head()->in_atomic && preempt_depth())
        panic("stopping all CPUs from inside an atomic section, which would wait for itself: "
              "leave the section first");
    k42_lock(&stopper_lock);
    __atomic_store_n(&stopper, thread_self(), __ATOMIC_RELAXED);
    __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
    k42_platform_barrier_all();
    for (uint32_t cpu = 0; cpu < k42_cpu_limit(); cpu++) {
        const struct k42_cpu_head *head = k42_cpu_head_of(cpu);
        while (__atomic_load_n(&head->in_atomic, __ATOMIC_ACQUIRE))
            k42_relax();
    }
    sched_hold();
}

void k42_platform_start_cpus(void) {
    sched_release();
    __atomic_store_n(&stopper, NULL, __ATOMIC_RELAXED);
    __atomic_store_n(&stopping, 0, __ATOMIC_RELEASE);
    thread_wake_parked(&stopping, ~0u);
    k42_unlock(&stopper_lock);
}
