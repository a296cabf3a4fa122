/*
 * Records of processes that have ended: see acct().
 */
#ifndef KERNEL_ACCOUNTING_H
#define KERNEL_ACCOUNTING_H

#include "process.h"

/* If records are kept, writes one of the calling thread's process, which has just ended. Active
 * callers; may wait. */
void accounting_write(const struct task *task, const struct process_info *info);

#endif
