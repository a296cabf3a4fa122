/*
 * Tasks' and processes' lives: made by clone(), ended by exit() or a signal, and what several tasks
 * use together.
 *
 * Active callers unless it says otherwise.
 */
#ifndef KERNEL_LIVES_H
#define KERNEL_LIVES_H

#include "../task.h"

/* ---- tasks (task.c) ---- */

/* A task with memory for its registers and nothing else. NULL: no memory. */
struct task *task_make(void);
/* Gives back one that never ran and shares nothing yet. */
void task_unmake(struct task *task);
/* What its thread runs: becomes the program. */
void task_begin(void *task);
/* Gives back all that the calling thread's task shares; its memory goes after a grace period. */
void task_release(struct task *task);

/* ---- what tasks share (share.c) ---- */

/* Counts a new user of each. */
struct task_memory *memory_hold(struct task_memory *memory);
/* The calling task is about to start another thread there: from now on futexes have a table. */
void memory_shared(struct task_memory *memory);
struct path_context *paths_hold(struct path_context *paths);
struct credentials *credentials_hold(struct credentials *credentials);
struct file_held *file_held_hold(struct file_held *held);

/* One user fewer; the last one frees it. NULL: nothing. */
void memory_release(struct task_memory *memory);
void paths_release(struct path_context *paths);
void credentials_release(struct credentials *credentials);
void file_held_release(struct file_held *held);

/* An empty one around a new space, which becomes its own, as its user of a charge does. NULL: no
 * memory. */
struct task_memory *memory_make(space_ref space, uint64_t top, struct charge *charge);
/* Takes that back, but for the space and the charge, which are the caller's again. NULL: nothing.
 */
void memory_unmake(struct task_memory *memory);
/* Of a child: a copy of its parent's. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result memory_copy(struct task_memory *from, struct task_memory **copy);
/* What a child's, or the next program's, has from the one before it. */
void memory_inherit(struct task_memory *memory, const struct task_memory *from);

/* NULL: no memory. */
struct path_context *paths_copy(struct path_context *from);

#define MEMORY_MAPPINGS_MOST    65530u /* of an address space */
#define CREDENTIALS_GROUPS_MOST 65536u

/* Has a space keep to what a process may have; new mappings are placed below `top`. */
void memory_limit(space_ref space, uint64_t top, process_ref process);

/* With room for that many groups; one user. NULL: no memory. */
struct credentials *credentials_make(uint32_t group_count);
/* The same, with one user, to be changed before others see it. NULL: no memory. */
struct credentials *credentials_copy(const struct credentials *from);
/* The calling task's from now on; takes over the caller's hold. Others see them by quiescence. */
void credentials_set(struct credentials *credentials);

/* A program's file that several tasks run: held and claimed once for all of them. */
struct file_held {
    uint32_t references;
    k42_ref file;
    struct k42_defer defer;
};
/* Takes over a hold of the file, and the claim to run it. NULL: no memory. */
struct file_held *file_held_make(k42_ref file);
/* Gives both up. */
void executable_release(k42_ref file);

/* ---- clone (clone.c) ---- */

struct clone_request {
    uint64_t flags; /* CLONE_*, without the signal */
    uint64_t stack; /* where it begins to push, or 0: the caller's */
    uint64_t tls;
    uint64_t parent_tid, child_tid;
    uint64_t process_fd; /* CLONE_PIDFD: where to write it */
    int exit_signal;
};
k42_result task_clone(const struct clone_request *request);

/* ---- limits (keep.c) ---- */

/* What the calling thread's process may have is to be kept from now on: when the thread begins, and
 * when a limit was changed. `time`: the process begins, or the limit may have been its time. */
void limits_keep(struct task *task, bool time);
/* Set by alarms: sees to it that the calling process's RLIMIT_CPU is kept, from when it is set or
 * changed. -ENOMEM. */
extern k42_result (*process_limit_time)(void);

/* ---- ends (exit.c) ---- */

/* Ends the calling thread, and its process when it was the last. */
_Noreturn void task_exit(void);
/* Ends the calling thread's process with a status as wait() gives it. */
_Noreturn void process_exit(int status);
/* A process has been waited for, or nobody will: its number and its object go. */
void process_reap(const struct child *child);
/* Who looks at its descriptors learns of its end: only now, since who finds one readable is to find
 * the child when it waits for it. It may be gone already. */
void process_tell_known(const struct child *child);
/* Its parent learns that it has ended, and so does everybody else. */
void process_tell_end(process_ref parent, const struct child *child);

/*
 * Set by the futexes: what a thread does about those it holds before it gives its memory up
 * (robust list; clear_tid, which has been set to 0, is woken).
 */
extern void (*task_futexes_end)(struct task *task);

/* Set by alarms: a process ends, or (goes_on) begins a new program, with one thread. Waits. */
extern void (*process_alarms_end)(int pid, bool goes_on);

/* What a task has used so far. */
struct process_times task_times(const struct task *task);

#endif
