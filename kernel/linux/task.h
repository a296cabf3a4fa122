/*
 * A task: one thread of a program, as Linux has them, on top of a kernel thread.
 *
 * A task belongs to its own thread, which alone writes it; what others may touch is said at the
 * members. What it shares with other tasks it reaches by refs and counted pointers. Everything that
 * belongs to the process as a whole (threads, children, signal actions, limits, ids of group and
 * session) is in the process object (process/process.h).
 */
#ifndef KERNEL_TASK_H
#define KERNEL_TASK_H

#include "../arch/x86_64/arch.h"
#include "../fs/node.h"
#include "../mem/space/space.h"
#include "files/descriptors.h"
#include "linux.h"

struct path_context;
struct thread;

struct task {
    struct thread *thread;
    struct trap_frame *frame; /* the program's registers, while it is in the kernel */
    int32_t tid;              /* read by all */
    space_ref space;
    descriptors_ref descriptors;
    struct path_context *paths;
    struct credentials *credentials; /* replaced whole, by its own thread; others: quiescence */
};

/* The calling thread's; NULL in a kernel thread. */
struct task *task_self(void);

/* Whether it may do what a capability (Linux's number) allows. */
bool task_capable(const struct task *task, unsigned capability);

/* The value of one of its process's limits: RLIMIT_*. */
uint64_t task_limit(const struct task *task, unsigned resource);

#endif
