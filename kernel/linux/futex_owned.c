/*
 * Futexes that have an owner: FUTEX_LOCK_PI and its like.
 *
 * The word is the owner's thread number, with FUTEX_WAITERS where the owner must call the kernel to
 * let go. Who finds an owner sets that bit and sleeps on the word as it is then; who lets go makes
 * the word 0 and wakes one, who tries again. No wake-up is lost: a waiter looks at the word after
 * he stands in the table, and the word changes before anybody is woken. Who has slept takes the
 * futex with FUTEX_WAITERS set, since others may sleep still, and nobody counts them.
 *
 * Somebody else may be faster than who was woken; he sleeps again then, last in the line.
 */
#include "futexes.h"

#include "../arch/x86_64/user_copy.h"
#include "abi.h"
#include "whom.h"

#include <k42/k42.h>

/* 0; -EAGAIN: it is another value by now; -EFAULT. */
static k42_result change(uintptr_t address, uint32_t value, uint32_t desired) {
    uint32_t seen = value;
    if (user_compare_exchange32(address, &seen, desired) < 0)
        return -EFAULT;
    return seen == value ? 0 : -EAGAIN;
}

/* 0: it is the caller's. -EBUSY: another's, who must be waited for. -EAGAIN: look again. */
static k42_result try_once(uintptr_t address, uint32_t *value, uint32_t more) {
    uint32_t self = (uint32_t)task_self()->tid;
    if (user_get32(value, address) < 0)
        return -EFAULT;
    uint32_t owner = *value & FUTEX_TID_MASK;
    if (owner == self)
        return -EDEADLK;
    if (!owner)
        return change(address, *value, (*value & ~(uint32_t)FUTEX_TID_MASK) | self | more);
    return whom_thread((int)owner) ? -EBUSY : -ESRCH;
}

/* Whoever shares the word could change it for ever; who is killed need not look again. */
static k42_result look_again(void) {
    k42_safe_point();
    return thread_interrupts() & THREAD_KILLED ? -EINTR : 0;
}

k42_result futex_lock_owned(uintptr_t address, bool private, uint64_t deadline) {
    struct futex_wait wait = {.address = address, .deadline = deadline};
    k42_result result = futex_point(address, private, &wait.point);
    uint32_t more = 0;
    while (result >= 0) {
        result = try_once(address, &wait.value, more);
        if (result == -EBUSY && !(wait.value & FUTEX_WAITERS)) {
            result = change(address, wait.value, wait.value | FUTEX_WAITERS);
            result = result < 0 ? result : -EAGAIN;
        } else if (result == -EBUSY) {
            result = futex_wait_once(&wait);
            more = FUTEX_WAITERS;
            result = result < 0 ? result : -EAGAIN;
        }
        if (result != -EAGAIN)
            break;
        result = look_again();
    }
    /* Who gives up may have been woken for it: then it is another's turn. */
    if (result < 0 && more)
        (void)!futex_wake_at(&wait.point, 1);
    return result == -EINTR ? -LINUX_RESTART_ALWAYS : result;
}

k42_result futex_try_owned(uintptr_t address) {
    uint32_t value;
    k42_result result;
    if (address % sizeof value)
        return -EINVAL;
    do
        result = try_once(address, &value, 0);
    while (result == -EAGAIN && !(result = look_again()));
    return result == -EBUSY ? -EAGAIN : result;
}

k42_result futex_unlock_owned(uintptr_t address, bool private) {
    struct wait_point point;
    uint32_t value;
    k42_result result = futex_point(address, private, &point);
    while (result >= 0) {
        if (user_get32(&value, address) < 0)
            return -EFAULT;
        if ((value & FUTEX_TID_MASK) != (uint32_t)task_self()->tid)
            return -EPERM;
        result = change(address, value, 0);
        if (result == 0)
            (void)!futex_wake_at(&point, 1);
        if (result != -EAGAIN)
            return result;
        result = look_again();
    }
    return result;
}
