/*
 * The run queue in order of arrival, for the scheduler, which uses it before there are objects.
 */
#ifndef KERNEL_RUN_QUEUE_FIFO_H
#define KERNEL_RUN_QUEUE_FIFO_H

#include "run_line.h"

struct run_queue_fifo_root {
    struct k42_root root;
    struct run_queue rep;
    struct run_line line;
    struct run_entity *running;
    uint32_t count;
};

/* Makes zeroed memory a queue without an object; its drain is that of the class. */
struct run_queue *run_queue_fifo_open(struct run_queue_fifo_root *fifo);
struct run_entity *run_queue_fifo_drain(struct run_queue_fifo_root *fifo);

#endif
