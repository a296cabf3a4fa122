/*
 * What the files of the memory calls share. Active callers, of the calling task's memory.
 */
#ifndef KERNEL_MEMORY_CALLS_H
#define KERNEL_MEMORY_CALLS_H

#include "../arch/x86_64/user.h"
#include "../mem/space/space.h"

#define MEMORY_PAGE_MASK (FRAME_SIZE - 1)

static inline bool memory_is_page(uint64_t address) {
    return !(address & MEMORY_PAGE_MASK);
}

/* Rounded up to pages; 0 when that is more than there is. */
static inline size_t memory_whole_pages(size_t length) {
    size_t pages = (length + MEMORY_PAGE_MASK) & ~MEMORY_PAGE_MASK;
    return pages < length || pages > USER_END ? 0 : pages;
}

/* Whether all of a range is mapped; -ENOMEM. */
K42_MUST_CHECK
k42_result memory_check_mapped(uintptr_t address, size_t length);

/* How many bytes the caller may lock, for who maps something; 0 when it has never locked any, and
 * that is of no use. memory_locks.c */
size_t memory_most_locked(void);
/* The caller is about to lock something. Errors: -EPERM, it may lock nothing at all. */
K42_MUST_CHECK
k42_result memory_may_lock(void);
/* Of so much at a time, grace periods wait for a call. */
#define MEMORY_PIECE 0x100000ul
/* Brings in what is there up to the first page that cannot be had. */
void memory_populate(uintptr_t address, uintptr_t end);
/* Brings in what was locked, as far as there is something; ends early when the caller is killed. */
void memory_bring_in(uintptr_t address, uintptr_t end);

/* prctl(PR_SET_VMA): memory_names.c. */
k42_result memory_name(uint64_t what, uintptr_t address, size_t length, uintptr_t from);

/* mprotect(). */
k42_result memory_protect(uintptr_t address, size_t length, int protection);

#endif
