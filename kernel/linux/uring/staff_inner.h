/*
 * What the parts of a staff share: work.c, worker.c and staff.c. See staff.h.
 *
 * Locking: staff->lock, leaf.
 */
#ifndef K42_LINUX_URING_STAFF_INNER_H
#define K42_LINUX_URING_STAFF_INNER_H

#include "../call.h"
#include "staff.h"

#include <errno.h>
#include <k42/k42.h>

enum work_state {
    WORK_RESTS = 0,
    WORK_RUNS = 1,   /* or is about to */
    WORK_READY = 2,  /* was notified */
    WORK_LATE = 4,   /* its time has come */
    WORK_ENDED = 8,  /* is to end */
    WORK_QUEUED = 16 /* waits for a worker */
};

struct worker {
    struct worker *next;
    struct staff *staff;
    struct task *task;
    struct k42_defer defer;
};

struct staff {
    struct work *arrivals; /* a stack; atomic */
    struct k42_lock lock;
    struct work *first, *last; /* the queue, in the order of coming */
    struct work *works;        /* all under way */
    uint32_t count;            /* of them */
    struct worker *workers;
    uint32_t serving, busy; /* workers that take works, and those that have one */
    uint32_t present;       /* workers that are not gone */
    bool ending;            /* atomic */
};

/* The key of a staff's end; its own address is that of its arrivals. */
static inline uintptr_t staff_end_key(const struct staff *staff) {
    return (uintptr_t)staff + 1;
}

/* The next work in the order of coming, or NULL. With the lock. */
struct work *staff_pop(struct staff *staff);

/* Sees to it that there is a worker, or one more than those who have something to do. -ENOMEM:
 * there is none at all. */
k42_result staff_hire(struct staff *staff, bool one_more);

/* Carries it out, and what is to follow it, until one rests. The caller is a worker, or the task.
 */
void work_go_on(struct work *work, bool may_sleep);

#endif
