/*
 * mlock and its like: pages that are to stay in memory.
 *
 * The address space keeps what is locked and how much may be (mem/space/lock.c); here pages are
 * brought in, which may have to be waited for. No state.
 */
#include "../sched/wait.h"
#include "abi.h"
#include "call.h"
#include "memory_calls.h"
#include "program.h"
#include "task.h"

#include <k42/k42.h>

/* ---- what one may ---- */

static size_t most_of_caller(void) {
    return task_capable(task_self(), CAP_IPC_LOCK) ? ~0ul : task_limit(task_self(), RLIMIT_MEMLOCK);
}

/* Less than a page is none. */
size_t memory_most_locked(void) {
    bool locks = __atomic_load_n(&task_self()->memory->locks, __ATOMIC_RELAXED);
    size_t most = locks ? most_of_caller() : 0;
    return locks && !most ? 1 : most;
}

k42_result memory_may_lock(void) {
    __atomic_store_n(&task_self()->memory->locks, true, __ATOMIC_RELAXED);
    return most_of_caller() ? 0 : -EPERM;
}

/* ---- bringing in ---- */

/* As populating does: what may be written and is private is made so at once. */
static unsigned access_of(const struct space_mapping *mapping) {
    bool own = mapping->protection & SPACE_WRITE && !(mapping->flags & SPACE_SHARED);
    return own ? SPACE_ACCESS_WRITE : SPACE_ACCESS_READ;
}

/* Ends at the first page that cannot be had, with what that says. Grace periods pass meanwhile. */
static k42_result bring_in(uintptr_t address, uintptr_t end) {
    struct space_mapping mapping;
    k42_result result = 0;
    while (result >= 0 && address < end) {
        if (k42_call(task_self()->space, find, address, 0, &mapping) < 0 || mapping.start > address)
            return -EFAULT;
        uintptr_t to = mapping.end < end ? mapping.end : end;
        for (; result >= 0 && address < to; address += FRAME_SIZE) {
            result = program_fault(address, access_of(&mapping));
            if (address % MEMORY_PIECE == 0)
                k42_safe_point();
        }
        k42_safe_point();
    }
    return result;
}

void memory_populate(uintptr_t address, uintptr_t end) {
    (void)!bring_in(address, end);
}

void memory_bring_in(uintptr_t address, uintptr_t end) {
    struct space_mapping mapping;
    for (; address < end && k42_call(task_self()->space, find, address, 0, &mapping) >= 0 &&
           mapping.start < end;
         address = mapping.end) {
        uintptr_t from = mapping.start > address ? mapping.start : address;
        uintptr_t to = mapping.end < end ? mapping.end : end;
        if ((mapping.flags & (SPACE_LOCKED | SPACE_ON_FAULT)) == SPACE_LOCKED &&
            bring_in(from, to) == -EINTR)
            return;
        k42_safe_point();
    }
}

/* ---- calls ---- */

static k42_result lock(uintptr_t address, size_t length, unsigned flags) {
    k42_result result, brought;
    uintptr_t start = address & ~MEMORY_PAGE_MASK;
    size_t pages = (length + (address & MEMORY_PAGE_MASK) + MEMORY_PAGE_MASK) & ~MEMORY_PAGE_MASK;
    if (flags && (result = memory_may_lock()) < 0)
        return result;
    if (start + pages < start)
        return flags && pages > memory_most_locked() ? -ENOMEM : -EINVAL;
    if (!pages)
        return 0;
    if (pages > USER_END || start > USER_END - pages)
        return -ENOMEM;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                                  k42_call(task_self()->space, lock, start, pages, flags,
                                           memory_most_locked())));
    if (result < 0 || flags != SPACE_LOCKED)
        return result;
    brought = bring_in(start, start + pages);
    return brought == -ENOMEM ? -EAGAIN : brought < 0 && brought != -EINTR ? -ENOMEM : brought;
}

/* Pages are brought in before it returns, and stay. */
LINUX_CALL(149, mlock, uintptr_t address, size_t length) {
    return lock(address, length, SPACE_LOCKED);
}

LINUX_CALL(325, mlock2, uintptr_t address, size_t length, int flags) {
    if (flags & ~MLOCK_ONFAULT)
        return -EINVAL;
    return lock(address, length, SPACE_LOCKED | (flags & MLOCK_ONFAULT ? SPACE_ON_FAULT : 0));
}

LINUX_CALL(150, munlock, uintptr_t address, size_t length) {
    return lock(address, length, 0);
}

static k42_result lock_all(unsigned flags, unsigned which) {
    k42_result result;
    MEMORY_CALL(result, WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
                                  k42_call(task_self()->space, lock_all, flags, which,
                                           memory_most_locked())));
    return result < 0 ? result : 0;
}

LINUX_CALL(151, mlockall, int flags) {
    if (!(flags & (MCL_CURRENT | MCL_FUTURE)) ||
        (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
        return -EINVAL;
    unsigned locks = SPACE_LOCKED | (flags & MCL_ONFAULT ? SPACE_ON_FAULT : 0);
    k42_result result = memory_may_lock();
    if (result >= 0)
        result = lock_all(locks, (flags & MCL_CURRENT ? SPACE_LOCK_PRESENT : 0) |
                                     (flags & MCL_FUTURE ? SPACE_LOCK_FUTURE : 0));
    if (result >= 0 && flags & MCL_CURRENT)
        memory_bring_in(0, USER_END);
    return result;
}

LINUX_CALL(152, munlockall, void) {
    return lock_all(0, SPACE_LOCK_PRESENT);
}
