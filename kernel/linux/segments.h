/*
 * Segments of a program's own: segments.c.
 */
#ifndef KERNEL_LINUX_SEGMENTS_H
#define KERNEL_LINUX_SEGMENTS_H

#include "task.h"

/* A child's memory gets a copy of those there are. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result own_segments_copy(struct task_memory *from, struct task_memory *to);
/* Nobody uses this memory any more. */
void own_segments_end(struct task_memory *memory);

#endif
