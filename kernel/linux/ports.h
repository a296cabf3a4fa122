/*
 * What a task may do with the processor's ports: ports.c.
 */
#ifndef KERNEL_LINUX_PORTS_H
#define KERNEL_LINUX_PORTS_H

#include "task.h"

/* A new task may what its maker may. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result ports_inherit(const struct task *from, struct task *task);
/* Its thread, which has yet to start, gets them. */
void ports_give(const struct task *task);
/* A program was refused an instruction: true, it was one that iopl() allows, and is done. */
bool ports_skip(const struct task *task, struct trap_frame *frame);

#endif
