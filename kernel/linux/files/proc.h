/*
 * Processes in /proc: the directory that each has, to which others add entries.
 *
 * An entry of a process has its number as id[0] of its key.
 */
#ifndef KERNEL_LINUX_FILES_PROC_H
#define KERNEL_LINUX_FILES_PROC_H

#include "../../fs/procfs/procfs.h"

struct task;

/* /proc/PID: proc_add(&proc_process, &entry). */
extern struct proc_entry proc_process;

/* Whose a process's entry is: its effective user's. */
k42_result proc_owner(const struct proc_key *key, uint32_t *uid, uint32_t *gid);

/* Registers /proc/PID with fd, fdinfo, mounts and mountinfo, and self, thread-self and mounts. */
void proc_files_register(void);

/* proc_tasks.c: a thread of the process with a number, of use while active; NULL: there is none. */
struct task *proc_task(uint64_t number);
/* Whose a process without a thread was, which its parent has not waited for. 0 or -ENOENT. */
k42_result proc_owner_left(uint64_t number, uint32_t *uid, uint32_t *gid);
/* The first process from a number on, or -ESRCH. */
k42_result proc_next_task(uint64_t from);

#endif
