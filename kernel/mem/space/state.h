/*
 * The inside of the address space's class: what its files share.
 *
 * space_indexed.c the class, faults      place.c   mapping         change.c   unmapping, protecting
 * move.c          mremap, brk            fork.c    a child's       look.c     what is where,
 * peeking advise.c        madvise, msync         index.c   regions by address
 * lock.c          mlock, and which pages stay for that reason
 * watch.c         mappings whose pages somebody else brings
 *
 * A change of the layout is made by one call at a time, the one that set `changing`; another gets
 * -K42_WAIT and is made again. Faults and looks take no lock: they find the region in the index and
 * call it. Who changes publishes the index such that an address that stays mapped is found at every
 * moment, in one region or in another of the same kind.
 */
#ifndef KERNEL_SPACE_STATE_H
#define KERNEL_SPACE_STATE_H

#include <user_pages.h>

#include <errno.h>
#include <k42/k42.h>

#include "../../body.h"
#include "../../sched/wait.h"
#include "../hat/hat.h"
#include "../heap/heap.h"
#include "index.h"

#define PAGE_BYTES  MACHINE_PAGE_SIZE
#define LARGE_BYTES MACHINE_TABLE_SPAN
#define LOWEST      SPACE_LOWEST
#define LOW_END     0x80000000ul /* of SPACE_LOW */
#define STACK_GAP   256u         /* pages that stay free below a stack */
#define DEFAULT_TOP (USER_END - (1ul << 30))

struct space_state {
    uint32_t changing;
    struct space_index index;
    hat_ref hat;
    k42_ref pm;
    uint64_t pages; /* mapped; changed by who changes the layout */
    uint64_t data;  /* of them, private and writable */
    uint64_t stack, executable;
    uint64_t locked;    /* of them */
    size_t most_locked; /* bytes, as last told */
    unsigned future;    /* flags that are added to what is mapped: SPACE_LOCKS */
    struct space_limits limits;
    struct space_marks marks;
};

static inline struct space_state *space_state(struct space *self) {
    return BODY(self);
}

static inline k42_id space_id(struct space *self) {
    return k42_root_id(BODY_ROOT(self));
}

#define KEY_LAYOUT 0 /* where calls wait that want to change the layout */

/* Begins and ends a change. -K42_WAIT: another one is under way. */
K42_MUST_CHECK
k42_result change_begin(struct space *self);
void change_end(struct space *self);

/* Whole pages within a program's addresses, at least one. */
static inline bool range_is_valid(uintptr_t address, size_t length) {
    return address % PAGE_BYTES == 0 && length % PAGE_BYTES == 0 && length &&
           user_range_ok(address, length);
}

static inline size_t pages_of(const struct space_entry *entry) {
    return (entry->end - entry->start) / PAGE_BYTES;
}

/* ---- what changes are made of; the change has begun ---- */

/* Keeps the counts when `pages` pages of a region come (or go: negative). */
void account(struct space_state *state, const struct space_mapping *mapping, long pages);

/* Makes a boundary between regions at `at`. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result split_at(struct space_state *state, uintptr_t at);
/* Unmaps [start, end). Errors: -ENOMEM, -K42_WAIT; then the upper part of it is still there. */
K42_MUST_CHECK
k42_result unmap_range(struct space_state *state, uintptr_t start, uintptr_t end);
/* Makes one region of two neighbours that are alike, if there are two at `at`. */
void merge_at(struct space_state *state, uintptr_t at);
/* Whether two neighbours could be one. */
bool mappings_fit(const struct space_mapping *lower, const struct space_mapping *upper);

/* A place for a mapping that begins with page `first` of what it maps, or 0. */
uintptr_t find_place(const struct space_state *state, size_t length, uintptr_t hint, uint64_t first,
                     unsigned flags);
/* -ENOMEM when so much more is more than the limits allow. */
K42_MUST_CHECK
k42_result limits_allow(const struct space_state *state, size_t pages, bool data);
/* -EAGAIN when so many more pages with these flags would be more than may be locked. */
K42_MUST_CHECK
k42_result locks_allow(const struct space_state *state, unsigned flags, size_t pages);
/* What is said of most_locked in requests. */
static inline void locks_told(struct space_state *state, size_t most) {
    state->most_locked = most ? most : state->most_locked;
}
/* 1 when a mapping with these flags is to be brought in by who asked for it. */
static inline k42_result locks_wanted(unsigned flags) {
    return (flags & SPACE_LOCKS) == SPACE_LOCKED;
}
/* Maps at an address that is free. Errors: -ENOMEM, -EACCES, what attaching says. */
K42_MUST_CHECK
k42_result map_at(struct space *self, uintptr_t address, const struct space_request *request);
/* Makes the region that ends at `from` end at `to`, where nothing is in between. */
K42_MUST_CHECK
k42_result extend_up(struct space_state *state, uintptr_t from, uintptr_t to);

/* ---- the methods ---- */

k42_result space_fault(struct space *self, uintptr_t address, unsigned access);
struct k42_pair space_map(struct space *self, const struct space_request *request);
k42_result space_unmap(struct space *self, uintptr_t address, size_t length);
k42_result space_protect(struct space *self, uintptr_t address, size_t length, unsigned protection);
struct k42_pair space_resize(struct space *self, const struct space_move *move);
struct k42_pair space_set_break(struct space *self, uintptr_t end);
k42_result space_advise(struct space *self, uintptr_t address, size_t length, int advice);
k42_result space_sync(struct space *self, uintptr_t address, size_t length, unsigned durable);
k42_result space_fork(struct space *self, k42_ref pm, k42_ref *child);
k42_result space_find(struct space *self, uintptr_t address, unsigned count,
                      struct space_mapping *mapping);
k42_result space_forget_used(struct space *self, uintptr_t address, size_t length);
k42_result space_resident(struct space *self, uintptr_t address, size_t length, uint8_t *bytes,
                          size_t size);
k42_result space_identify(struct space *self, uintptr_t address, struct space_identity *identity);
k42_result space_peek(struct space *self, uintptr_t address, struct copy *copy);
k42_result space_poke(struct space *self, uintptr_t address, struct copy *copy, unsigned force);
k42_result space_usage(struct space *self, struct space_usage *usage);
k42_result space_census(struct space *self, struct space_census *census);
k42_result space_set_flags(struct space *self, uintptr_t address, size_t length, unsigned set,
                           unsigned clear);

k42_result space_rename(struct space *self, uintptr_t address, size_t length, k42_ref name);

k42_result space_lock(struct space *self, uintptr_t address, size_t length, unsigned flags,
                      size_t most);
k42_result space_lock_all(struct space *self, unsigned flags, unsigned which, size_t most);
struct k42_pair space_page_out(struct space *self, uint64_t wanted, k42_ref pm);

k42_result space_watch(struct space *self, uintptr_t address, size_t length, k42_ref watcher);
k42_result space_provide(struct space *self, uintptr_t address, struct copy *copy);

extern struct k42_class space_indexed;

#endif
