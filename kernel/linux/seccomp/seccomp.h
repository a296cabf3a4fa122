/*
 * Which calls a task may still make: seccomp.
 *
 * A task has filters, newest first, or is strict; both last until its end, its children and threads
 * begin with them. A filter never changes, is counted by the tasks and filters that lead to it,
 * and is read by its tasks' own threads alone, of which one may give it to all of a process.
 *
 * A filter may have a listener: a descriptor, whose holder is told of calls and answers them.
 */
#ifndef KERNEL_SECCOMP_H
#define KERNEL_SECCOMP_H

#include <k42/base.h>
#include <stdbool.h>

struct call_filter;
struct task;
struct trap_frame;

struct call_filter *filters_hold(struct call_filter *filters);
void filters_release(struct call_filter *filters);

/*
 * Whether a guarded task may make a call that it is about to make. False: not, and *result is what
 * the program gets. Does not return where the answer is the task's end. Active.
 */
bool seccomp_allows(struct task *task, uint64_t number, k42_result *result);

/* A thread has been made and can be found, but does not run yet. */
void seccomp_begin(const struct task *maker, struct task *task);
/* It ends: gives up its filters. */
void seccomp_end(struct task *task);
/* Whether its calls are looked at from now on, because of `calls` or of what it has. */
void seccomp_guard(struct task *task, bool calls);

void seccomp_register(void);

/* -EINVAL: it has filters. */
k42_result seccomp_be_strict(void);

/* prctl(PR_SET_SYSCALL_USER_DISPATCH): -EINVAL, -EFAULT. */
k42_result dispatch_set(uint64_t mode, uint64_t start, uint64_t length, uintptr_t selector);
/* Whether the program gets a call that it is about to make itself, and what the call gives then.
 * Does not return where its byte cannot be read. */
bool dispatch_takes(const struct task *task, uint64_t number, k42_result *result);

/* prctl(PR_SET_SECCOMP) and PR_GET_SECCOMP. */
k42_result seccomp_set_mode(uint64_t mode, uintptr_t program);
k42_result seccomp_mode(const struct task *task);
/* How many filters a task has, which may be another's. Active. */
uint32_t seccomp_filters(const struct task *task);

#endif
