/*
 * mlock and its like: pages that are to stay in memory.
 *
 * Locking a page is bringing it in. No state: nothing keeps count of what was locked.
 */
#include "../sched/wait.h"
#include "abi.h"
#include "memory_calls.h"
#include "program.h"
#include "task.h"

#include <k42/k42.h>

/* The pages of a range of bytes are all to be mapped. */
static k42_result check_lock(uintptr_t address, size_t length) {
    length = (length + (address & MEMORY_PAGE_MASK) + MEMORY_PAGE_MASK) & ~MEMORY_PAGE_MASK;
    address &= ~MEMORY_PAGE_MASK;
    if (address + length < address)
        return -EINVAL;
    return length > USER_END || address > USER_END - length ? -ENOMEM
                                                            : memory_check_mapped(address, length);
}

/* Whether the caller may keep so many bytes. Those it keeps already are not counted. */
static k42_result may_lock(size_t length) {
    uint64_t limit = task_limit(task_self(), RLIMIT_MEMLOCK);
    if (task_capable(task_self(), CAP_IPC_LOCK))
        return 0;
    return !limit ? -EPERM : length > limit ? -ENOMEM : 0;
}

static k42_result bring_in(uintptr_t address, size_t length) {
    uintptr_t end = (address + length + MEMORY_PAGE_MASK) & ~MEMORY_PAGE_MASK;
    for (address &= ~MEMORY_PAGE_MASK; address < end; address += FRAME_SIZE)
        if (program_fault(address, SPACE_ACCESS_READ) == -EINTR)
            return -EINTR;
    return 0;
}

static k42_result lock(uintptr_t address, size_t length, bool now) {
    k42_result result = may_lock(0);
    if (result >= 0)
        result = check_lock(address, length);
    if (result >= 0)
        result = may_lock((length + (address & MEMORY_PAGE_MASK) + MEMORY_PAGE_MASK) &
                          ~MEMORY_PAGE_MASK);
    return result < 0 || !now ? result : bring_in(address, length);
}

/*
 * Locking a page is bringing it in.
 * Partly: the page may be taken out again when memory is short.
 */
LINUX_CALL(149, mlock, uintptr_t address, size_t length) {
    return lock(address, length, true);
}

/* Partly: as mlock(). */
LINUX_CALL(325, mlock2, uintptr_t address, size_t length, int flags) {
    return flags & ~MLOCK_ONFAULT ? -EINVAL : lock(address, length, !(flags & MLOCK_ONFAULT));
}

LINUX_CALL(150, munlock, uintptr_t address, size_t length) {
    return check_lock(address, length);
}

/* What there is; what cannot be had is left out. */
static k42_result bring_all_in(void) {
    struct space_mapping mapping;
    for (uintptr_t at = 0; k42_call(task_self()->space, find, at, 0, &mapping) >= 0;
         at = mapping.end) {
        if (mapping.protection && !(mapping.flags & SPACE_KEEP) &&
            bring_in(mapping.start, mapping.end - mapping.start) == -EINTR)
            return -EINTR;
        k42_safe_point();
    }
    return 0;
}

/* Partly: pages may be taken out again when memory is short, and what is mapped later is not
 * brought in. */
LINUX_CALL(151, mlockall, int flags) {
    struct space_usage usage;
    if (!(flags & (MCL_CURRENT | MCL_FUTURE)) ||
        (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
        return -EINVAL;
    k42_result result = may_lock(0);
    if (result >= 0)
        result = k42_call(task_self()->space, usage, &usage);
    if (result >= 0 && (flags & MCL_CURRENT))
        result = may_lock(usage.mapped * FRAME_SIZE);
    if (result >= 0 && (flags & (MCL_CURRENT | MCL_ONFAULT)) == MCL_CURRENT)
        result = bring_all_in();
    return result < 0 ? result : 0;
}

LINUX_CALL(152, munlockall, void) {
    return 0;
}
