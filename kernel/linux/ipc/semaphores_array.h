/*
 * What an array of semaphores consists of, for the files of its class; nothing outside includes
 * this. All is called, and changed, with its lock.
 */
#ifndef KERNEL_LINUX_SEMAPHORES_ARRAY_H
#define KERNEL_LINUX_SEMAPHORES_ARRAY_H

#include "semaphores.h"

#include <k42/lock.h>

struct semaphore {
    int32_t value, pid;
    uint32_t wait_more, wait_zero;
};

struct array {
    k42_id id; /* where it is waited for */
    uint32_t count;
    struct k42_lock lock;
    int64_t changed;
    struct semaphore_undo *undos;
    struct semaphore_call *first, **last; /* that wait; where the next one goes */
    bool ended;
    struct semaphore each[];
};

/* Makes a call's changes, or puts it among those that wait: what change() gives. */
K42_MUST_CHECK
k42_result array_try(struct array *array, struct semaphore_call *call);
/* The call waits no more. */
void array_take_out(struct array *array, struct semaphore_call *call);
/* After something was set: who can go on does. */
void array_let_go_on(struct array *array);
/* Nobody waits any more, nor can. */
void array_let_all_go(struct array *array);

#endif
