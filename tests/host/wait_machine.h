/*
 * What kernel/sched/wait.c and wait_table.c need of the scheduler, for the tests on a host: threads
 * are the host's, and sleep on a condition. It is included before them, in place of sched.h.
 */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include "../../kernel/sched/thread.h"
#include "../../kernel/sched/wait.h"
#include "runtime.h"

#include <pthread.h>
#include <sched.h>

struct thread {
    struct wait_record wait;
    uint32_t number, interrupts;
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool woken;
};

/* Makes the calling host thread one of the kernel's; `number` from 1. */
void machine_thread_open(struct thread *thread, uint32_t number);

void thread_wake(struct thread *thread);
void thread_block_until(uint64_t deadline);

static inline uint64_t time_ns(void) {
    return k42_platform_now_ns();
}

static inline unsigned cpu_count(void) {
    return 2;
}

static inline uintptr_t interrupts_save(void) {
    return 0;
}

static inline void interrupts_restore(uintptr_t saved) {
    (void)saved;
}

static inline void cpu_wait_turn(void) {
    sched_yield();
}

#endif
