/*
 * Preemption off and on: whether the timer may take the CPU from the running thread.
 *
 * The count is this CPU's, in its block at GS base - 4, so that each change is one instruction and
 * no thread can be moved in the middle of it. While it is above zero the thread stays on its CPU
 * and nobody else runs there but interrupts; waiting is not allowed. Nests.
 */
#ifndef KERNEL_PREEMPT_H
#define KERNEL_PREEMPT_H

#include <stdint.h>

static inline uint32_t preempt_depth(void) {
    uint32_t depth;
    __asm__ volatile("movl %%gs:-4, %0" : "=r"(depth)::"memory");
    return depth;
}

static inline void preempt_off(void) {
    __asm__ volatile("incl %%gs:-4" ::: "memory", "cc");
}

/* Does what the timer wanted meanwhile. */
void preempt_catch_up(void);

static inline void preempt_on(void) {
    int zero;
    __asm__ volatile("decl %%gs:-4" : "=@ccz"(zero)::"memory");
    if (zero)
        preempt_catch_up();
}

#endif
