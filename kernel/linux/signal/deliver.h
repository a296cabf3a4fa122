/*
 * Delivering signals: what happens on the way from the kernel to a program.
 */
#ifndef KERNEL_DELIVER_H
#define KERNEL_DELIVER_H

#include "signals.h"

struct task;

/*
 * Delivers what waits for the calling thread and is not blocked: builds a handler's frame, stops,
 * or ends. Then settles what becomes of an interrupted call. Active.
 */
void signals_deliver(struct task *task);

/* The frame of a handler on the program's stack, and the registers that enter it. 0 or -EFAULT:
 * then nothing is changed. Active. */
K42_MUST_CHECK
k42_result signal_frame_put(struct task *task, const struct signal_taken *taken, uint64_t mask);

#endif
