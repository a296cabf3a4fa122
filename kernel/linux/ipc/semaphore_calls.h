/*
 * Sets of semaphores by their numbers, and what limits them.
 */
#ifndef KERNEL_LINUX_SEMAPHORE_CALLS_H
#define KERNEL_LINUX_SEMAPHORE_CALLS_H

#include "ipc.h"

/* Where a set's entry says how many semaphores it has: `size`. */
extern struct ipc_table ipc_semaphores;

/* Atomic; kernel.sem, but for how many sets there may be. */
struct semaphore_limits {
    uint32_t in_set, in_all, in_call;
};
extern struct semaphore_limits semaphore_limits;
/* How many there are in all sets. */
extern uint32_t semaphore_count;

/* A set goes; its entry and object are found no more. False: another was first. */
bool semaphores_remove(struct ipc_entry *entry);

#endif
