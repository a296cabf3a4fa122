/*
 * Futexes: what happens to them when a thread ends, and what those with owners are made of.
 */
#ifndef KERNEL_FUTEXES_H
#define KERNEL_FUTEXES_H

#include "../sched/wait.h"

/* Once, before the first program. */
void futexes_open(void);

/* Where a word is waited for. -EINVAL, -EFAULT. */
K42_MUST_CHECK
k42_result futex_point(uintptr_t address, bool private, struct wait_point *point);

/* Puts an entry where that is waited for. */
void futex_wait_there(struct wait_set *set, struct wait_entry *entry,
                      const struct wait_point *point);

struct futex_wait {
    struct wait_point point;
    uintptr_t address;
    uint32_t value;
    uint64_t deadline;
};

/* Sleeps if the word is that value. 0: woken; -EAGAIN: it is another; -EFAULT, -ETIMEDOUT, -EINTR.
 */
K42_MUST_CHECK
k42_result futex_wait_once(const struct futex_wait *wait);

/* Wakes so many, one at least; returns how many. */
k42_result futex_wake_at(const struct wait_point *point, uint32_t count);

/* FUTEX_LOCK_PI and its like (futex_owned.c). */
k42_result futex_lock_owned(uintptr_t address, bool private, uint64_t deadline);
k42_result futex_try_owned(uintptr_t address);
k42_result futex_unlock_owned(uintptr_t address, bool private);

#endif
