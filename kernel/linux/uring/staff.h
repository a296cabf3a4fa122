/*
 * A task's staff: threads that carry out what the task has asked for and does not wait for.
 *
 * A piece of work is an attempt that is made again and again until it no longer says -K42_WAIT.
 * Between attempts it rests: it stands in the wait table, at the point that the attempt named, and
 * nobody's thread waits for it. Whoever notifies there puts it on the staff's stack; a worker takes
 * it from there, and makes the next attempt. What can only be done by a thread that sleeps says
 * so, and is done by a worker as the task itself would have done it.
 *
 * Workers are kernel threads that share memory, descriptors and directories with the task, bear its
 * numbers, and are no threads of its process: nobody sees them, and no signal goes to them. The
 * task ends its staff before it gives up any of these.
 */
#ifndef KERNEL_LINUX_STAFF_H
#define KERNEL_LINUX_STAFF_H

#include "../../sched/timer.h"
#include "../../sched/wait.h"
#include "../task.h"

#include <k42/lock.h>

struct work;

/* What an attempt answers besides its result and -K42_WAIT: only who may sleep can do it. */
enum { WORK_SLEEPS = 5000 };

struct work_kind {
    /* Of a work whose point is to be waited for: *work->point says where. `may_sleep`: the caller
     * is a worker. */
    k42_result (*attempt)(struct work *work, bool may_sleep);
    /* It is over: with its result, or with -ECANCELED. Frees it, and returns what is to be done
     * next by the same thread, or NULL. */
    struct work *(*finish)(struct work *work, k42_result result);
};

struct work {
    const struct work_kind *kind;
    struct staff *staff;
    struct work *next, *before, *after; /* on the stack or in the queue; in the staff */
    uint32_t state;                     /* of work_state; atomic */
    bool watches;                       /* `watch` is in the wait table */
    bool notified;                      /* since it rested, at its point; for attempts */
    bool expired;                       /* its time has come; likewise */
    bool sleeps;                        /* has said so */
    uint64_t deadline;                  /* set by the attempt: 0, it has none */
    struct wait_point point;            /* likewise; id 0 and key 0: there is only the deadline */
    struct wait_entry watch;
    struct timer timer;
};

/* The calling task's staff, made when there is none. NULL: no memory. */
struct staff *staff_of_self(void);

/* Counts a zeroed piece of work in. When it is to rest and there is nobody to go on with it, for
 * want of memory, it ends with -ENOMEM. */
void staff_join(struct staff *staff, struct work *work, const struct work_kind *kind);
/* Its last word, from finish(); afterwards the work's memory is the caller's alone. */
void staff_leave(struct work *work);

/* Makes the first attempt in the calling thread, which does not sleep but for the program's pages,
 * or leaves that to a worker. */
void work_start(struct work *work);
void work_start_elsewhere(struct work *work);

/* Ends it soon, in a worker. 0, -EALREADY (it is being carried out, or was cancelled before). The
 * caller keeps it from being over. Any context. */
k42_result work_cancel(struct work *work);
/* Has a resting work attempted anew. Likewise. */
void work_wake(struct work *work);

/* Whether the calling thread is to end; what it does is not begun anew. */
bool staff_is_ending(const struct staff *staff);

/* The calling task has got another domain of Landlock, which its workers get as well. */
void staff_restrict(struct task *task);

/* Cancels what the task has asked for, waits until all of it is over, and ends the threads. */
void staff_end(struct task *task);

#endif
