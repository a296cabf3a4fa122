/*
 * Whom a call means: a thread by its number, the threads of a group or of a user. For calls that
 * set something of threads, or ask for the best of it: nice, priorities of input and output.
 */
#ifndef KERNEL_WHOM_H
#define KERNEL_WHOM_H

#include "../sched/thread.h"
#include "task.h"

/* The thread, 0: the calling one. It lasts while the caller is active. NULL: there is none. */
struct task *whom_thread(int tid);

/* What its thread may have of a CPU (schedule.c). 0 or -ESRCH: it has just ended. */
K42_MUST_CHECK
k42_result whom_policy(struct task *task, struct thread_policy *policy);

/* Whether it is the calling task's user's. */
bool whom_is_own(const struct task *task);

/* Whether the calling task may look into it, as ptrace() asks for: it is of the same process, or of
 * just the same users and groups with no more rights and lets itself be looked at, or the caller
 * may look at anybody. */
bool whom_may_trace(const struct task *task);

/*
 * fn is told of each thread, with the value and what the call before gave (-ESRCH at first), and
 * the last result is the call's.
 */
struct whom {
    int which, who; /* PRIO_PROCESS (a thread) and so on; 0: the caller's */
    k42_result (*fn)(struct task *task, int value, k42_result so_far);
    int value;
    k42_result result;
};

/* Active callers; looks at all processes for a group or a user. -EINVAL: `which` is none. */
k42_result whom_all(struct whom *whom);

#endif
