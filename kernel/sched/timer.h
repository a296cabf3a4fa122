/*
 * Deadlines: something to be done at a time, in nanoseconds of time_ns().
 *
 * A timer belongs to whoever sets it, and is his memory. It is carried out on the CPU that set it,
 * in interrupt context, with that CPU's timers locked: the function may wake, notify and defer, and
 * take spin locks under which no timer is started or stopped; it starts and stops none.
 */
#ifndef KERNEL_TIMER_H
#define KERNEL_TIMER_H

#include "heap.h"

#include <stdbool.h>
#include <stdint.h>

#define TIMER_DONE (~0ul)

struct sched_cpu;

struct timer {
    struct heap_node node; /* its key is the deadline */
    /* Returns the time at which it is to be called again, or TIMER_DONE. */
    uint64_t (*fn)(struct timer *timer);
    struct sched_cpu *cpu; /* whose timers it is among; NULL: none's */
};

/*
 * Sets it; it is not set now. Any context. About 60 instructions, and the logarithm of how many
 * there are when it ends.
 */
void timer_start(struct timer *timer, uint64_t deadline, uint64_t (*fn)(struct timer *timer));
/* Afterwards it neither is nor will be carried out. True: it had not been. Any context but a
 * timer's function. Zeroed memory is a timer that is not set. */
bool timer_stop(struct timer *timer);

#endif
