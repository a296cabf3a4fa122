/*
 * The run queue in order of arrival, for the scheduler, which uses it before there are objects.
 */
#ifndef KERNEL_RUN_QUEUE_FIFO_H
#define KERNEL_RUN_QUEUE_FIFO_H

#include "run_line.h"

/* Makes zeroed memory a queue without an object; run_lined_drain() empties it. */
struct run_queue *run_queue_fifo_open(struct run_lined *fifo);

#endif
