/*
 * pidfd: open files that stand for a process, also after its number was given to another.
 */
#ifndef KERNEL_LINUX_PROCESS_FILE_H
#define KERNEL_LINUX_PROCESS_FILE_H

#include "../../fs/file.h"
#include "../process/process.h"

/* The process of a descriptor. It lasts while the caller is active. -EBADF: it is of no process;
 * -ESRCH: that has ended, and was waited for. */
K42_MUST_CHECK
k42_result process_file_get(int fd, process_ref *process, struct process_info *info);

/* The same of what signals are sent to, which may be an open folder of /proc as well. */
K42_MUST_CHECK
k42_result process_file_target(int fd, process_ref *process, struct process_info *info);

/* The flags of such a descriptor's file; -EBADF. */
K42_MUST_CHECK
k42_result process_file_flags(int fd);

/* For clone(): a descriptor whose file stands for nothing, until it is told for what. */
K42_MUST_CHECK
k42_result process_file_reserve(void);
void process_file_settle(int fd, process_ref process);
void process_file_take_back(int fd);

#endif
