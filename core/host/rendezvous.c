/*
 * Atomic sections, and holding every CPU outside them.
 *
 * A CPU inside a section has its `in_atomic` above zero; only that CPU writes it. A stopper raises
 * `stopping`, makes every CPU pass a barrier, and then waits until it has seen each `in_atomic` at
 * zero. An entering CPU counts itself first and looks at `stopping` second, without a fence in
 * between; one that sees it raised takes itself back and waits.
 *
 * Why no CPU is inside while stopped. The barrier falls somewhere in the entering CPU's program:
 *  - after it counted itself: then the count is visible to the stopper, which waits for its end (or
 *    sees it back at zero because the CPU gave way or left);
 *  - before that: then its look at `stopping` comes after the barrier too, finds it raised, and the
 *    CPU gives way. The stopper may see the count go up and down, which does no harm.
 * The same holds for a CPU that attaches meanwhile and whose head or number the stopper does not
 * see: its publication came after the barrier, and so does its first look. A section that ends
 * stores its count with release, which pairs with the stopper's acquire: what the section did is
 * visible to the stopper. Lowering `stopping` is a release that pairs with the acquire on entry.
 *
 * Stoppers exclude one another by a mutex, held from stop to start. Nobody inside a section waits,
 * so the wait for sections is bounded by the longest one. Misuse (entering while not attached, or
 * by the stopper itself; stopping from inside a section) would wait for ever, and panics instead.
 */
#define _GNU_SOURCE
#include <pthread.h>

#include "host.h"

#define SPINS_BEFORE_SLEEP 100

static pthread_mutex_t stopper_lock = PTHREAD_MUTEX_INITIALIZER;
static uint32_t stopping;
static uint32_t stopper; /* thread id; valid while stopping */

static struct k42_cpu_head *require_head(const char *misuse) {
    struct k42_cpu_head *head = k42_platform_head();
    if (!head)
        k42_platform_panic(misuse);
    return head;
}

static void wait_until_started(void) {
    if (__atomic_load_n(&stopper, __ATOMIC_RELAXED) == k42_platform_thread_id())
        k42_platform_panic("k42_atomic_begin() by the thread that has stopped all CPUs: it must "
                           "start them again first");
    for (int spins = 0; __atomic_load_n(&stopping, __ATOMIC_RELAXED); spins++) {
        if (spins < SPINS_BEFORE_SLEEP)
            __builtin_ia32_pause();
        else
            k42_platform_park(&stopping, 1, 0);
    }
}

void k42_atomic_begin(void) {
    struct k42_cpu_head *head =
        require_head("k42_atomic_begin() by a thread that is not attached: k42_attach() it first");
    uint32_t depth = head->in_atomic;
    __atomic_store_n(&head->in_atomic, depth + 1, __ATOMIC_RELAXED);
    if (depth)
        return;
    for (;;) {
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* the barrier of stop_cpus() does the rest */
        if (__builtin_expect(!__atomic_load_n(&stopping, __ATOMIC_ACQUIRE), 1))
            return;
        __atomic_store_n(&head->in_atomic, 0, __ATOMIC_RELEASE);
        wait_until_started();
        __atomic_store_n(&head->in_atomic, 1, __ATOMIC_RELAXED);
    }
}

void k42_atomic_end(void) {
    struct k42_cpu_head *head =
        require_head("k42_atomic_end() by a thread that is not attached: k42_attach() it first");
    if (!head->in_atomic)
        k42_platform_panic("k42_atomic_end() without k42_atomic_begin()");
    __atomic_store_n(&head->in_atomic, head->in_atomic - 1, __ATOMIC_RELEASE);
}

static void wait_until_outside(const struct k42_cpu_head *head) {
    for (int spins = 0; __atomic_load_n(&head->in_atomic, __ATOMIC_ACQUIRE); spins++) {
        if (spins < SPINS_BEFORE_SLEEP)
            __builtin_ia32_pause();
        else
            k42_platform_yield();
    }
}

void k42_platform_stop_cpus(void) {
    struct k42_cpu_head *own = k42_platform_head();
    if (own && own->in_atomic)
        k42_platform_panic("stopping all CPUs from inside an atomic section, which would wait for "
                           "itself: leave the section first");
    pthread_mutex_lock(&stopper_lock);
    __atomic_store_n(&stopper, k42_platform_thread_id(), __ATOMIC_RELAXED);
    __atomic_store_n(&stopping, 1, __ATOMIC_RELEASE);
    k42_platform_barrier_all();
    uint32_t limit = k42_cpu_limit();
    for (uint32_t cpu = 0; cpu < limit; cpu++) {
        const struct k42_cpu_head *head = k42_cpu_head_of(cpu);
        if (head)
            wait_until_outside(head);
    }
}

void k42_platform_start_cpus(void) {
    __atomic_store_n(&stopper, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&stopping, 0, __ATOMIC_RELEASE);
    k42_platform_wake(&stopping, UINT32_MAX);
    pthread_mutex_unlock(&stopper_lock);
}

/* Whoever held the rendezvous does not exist in the child. */
void k42_host_rendezvous_after_fork(void) {
    stopper_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
    stopping = 0;
}
