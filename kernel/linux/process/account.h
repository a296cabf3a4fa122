/*
 * What processes and threads have used: struct rusage and its like.
 */
#ifndef KERNEL_ACCOUNT_H
#define KERNEL_ACCOUNT_H

#include "process.h"

/* Writes times as a struct rusage. 0 or -EFAULT. */
K42_MUST_CHECK
k42_result account_write(uintptr_t to, const struct process_times *times);

/* Of the calling process: its own, with those of its living threads. */
struct process_times account_of_process(process_ref process);

void account_add(struct process_times *to, const struct process_times *from);

#endif
