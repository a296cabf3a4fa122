/*
 * Keys that the kernel keeps for programs: secrets, and rings of them.
 *
 * A key has a number, a type, a description, an owner and rights; it lasts while a ring has it or a
 * task has it as one of its rings. A task has up to three: its thread's, its process's and its
 * session's; each user has two, made when they are first asked for.
 *
 *   key.c       what a key is: making, ending, quotas   ring.c      which keys a ring has;
 * searching users.c     what each user has                      task.c      whose rings a call
 * means calls.c     add_key, request_key                    control.c   keyctl payload.c   what is
 * read and written                proc.c      /proc/keys
 *
 * Everything is guarded by one lock (keys_inner.h): keys are rare. Passing rings on to a child and
 * giving them up takes none.
 */
#ifndef KERNEL_LINUX_KEYS_H
#define KERNEL_LINUX_KEYS_H

#include <stdbool.h>

struct task;

/* A task that the calling one has just made gets what it is to have. */
void keys_inherit(struct task *from, struct task *task, bool same_process);
/* It runs another program. */
void keys_leave_program(struct task *task);
/* It ends. */
void keys_release(struct task *task);

void keys_proc_register(void);

#endif
