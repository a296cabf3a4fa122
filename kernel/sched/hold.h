/*
 * Holding all CPUs, for the swap of an object whose interface is atomic.
 */
#ifndef KERNEL_HOLD_H
#define KERNEL_HOLD_H

/*
 * From the return of the first to the second no other CPU executes anything, and this one nothing
 * but the caller, with interrupts off. Atomic sections must have been drained before, and nobody
 * may enter one (kernel/platform/rendezvous.c). One caller at a time.
 */
void sched_hold(void);
void sched_release(void);

#endif
