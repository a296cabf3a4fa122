/*
 * madvise and msync: what a program says of its memory, region by region.
 */
#include "../fcm/fcm.h"
#include "state.h"

/* Linux's numbers. */
enum {
    ADVICE_NORMAL = 0,
    ADVICE_RANDOM = 1,
    ADVICE_SEQUENTIAL = 2,
    ADVICE_WILL_NEED = 3,
    ADVICE_DONT_NEED = 4,
    ADVICE_FREE = 8,
    ADVICE_REMOVE = 9,
    ADVICE_DONT_FORK = 10,
    ADVICE_DO_FORK = 11,
    ADVICE_MERGEABLE = 12,
    ADVICE_UNMERGEABLE = 13,
    ADVICE_HUGE_PAGE = 14,
    ADVICE_NO_HUGE_PAGE = 15,
    ADVICE_DONT_DUMP = 16,
    ADVICE_DO_DUMP = 17,
    ADVICE_WIPE_ON_FORK = 18,
    ADVICE_KEEP_ON_FORK = 19,
    ADVICE_COLD = 20,
    ADVICE_PAGE_OUT = 21,
    ADVICE_POPULATE_READ = 22,
    ADVICE_POPULATE_WRITE = 23,
    ADVICE_DONT_NEED_LOCKED = 24,
};

/* What is done to a part [start, end) of one region. */
typedef k42_result (*part_fn)(struct space *self, const struct space_entry *entry, uintptr_t start,
                              uintptr_t end, uint64_t argument);

/* Over all regions of a range. Gaps are skipped, and -ENOMEM in the end. A region that is gone has
 * become part of another one, or has been unmapped: the index is looked at again. */
static k42_result each_part(struct space *self, uintptr_t start, uintptr_t end, part_fn fn,
                            uint64_t argument) {
    const struct space_entry *entry;
    k42_result result = 0;
    bool gap = false;
    while (start < end && result >= 0) {
        entry = index_find(&space_state(self)->index, start);
        if (!entry || entry->start >= end)
            return -ENOMEM;
        gap |= entry->start > start;
        uintptr_t from = entry->start > start ? entry->start : start;
        uintptr_t to = entry->end < end ? entry->end : end;
        result = fn(self, entry, from, to, argument);
        if (result == -K42_STALE)
            result = 0;
        else
            start = to;
    }
    return result < 0 ? result : gap ? -ENOMEM : 0;
}

static k42_result part_discard(struct space *self, const struct space_entry *entry, uintptr_t start,
                               uintptr_t end, uint64_t argument) {
    (void)self, (void)argument;
    return k42_call(entry->region, discard, start, end - start);
}

/* Nothing, or -EINVAL: it is locked. */
static k42_result part_unlocked(struct space *self, const struct space_entry *entry,
                                uintptr_t start, uintptr_t end, uint64_t argument) {
    (void)self, (void)start, (void)end, (void)argument;
    return entry->flags & SPACE_LOCKED ? -EINVAL : 0;
}

static k42_result part_forget(struct space *self, const struct space_entry *entry, uintptr_t start,
                              uintptr_t end, uint64_t argument) {
    k42_result result = part_unlocked(self, entry, start, end, argument);
    return result < 0 ? result : part_discard(self, entry, start, end, argument);
}

/* -EINVAL: it is not private memory without a file. */
static k42_result check_private(const struct space_entry *entry) {
    struct space_mapping mapping;
    k42_result result = k42_call(entry->region, mapping, &mapping);
    if (result >= 0 && (mapping.flags & SPACE_SHARED || mapping.fcm != K42_NULL_REF))
        result = -EINVAL;
    return result;
}

static k42_result part_free(struct space *self, const struct space_entry *entry, uintptr_t start,
                            uintptr_t end, uint64_t argument) {
    k42_result result = check_private(entry);
    return result < 0 ? result : part_forget(self, entry, start, end, argument);
}

/* A hole in what is shared, for everybody. */
static k42_result part_remove(struct space *self, const struct space_entry *entry, uintptr_t start,
                              uintptr_t end, uint64_t argument) {
    struct space_mapping mapping;
    (void)self, (void)argument;
    k42_result result = k42_call(entry->region, mapping, &mapping);
    if (result >= 0 && (!(mapping.flags & SPACE_SHARED) || mapping.fcm == K42_NULL_REF ||
                        entry->flags & SPACE_LOCKED))
        result = -EINVAL;
    if (result >= 0 && !(mapping.protection & SPACE_WRITE))
        result = -EACCES;
    uint64_t offset = mapping.first * PAGE_BYTES + (start - mapping.start);
    return result < 0 ? result
                      : k42_call((fcm_ref)mapping.fcm, punch, offset, (uint64_t)(end - start));
}

static k42_result part_populate(struct space *self, const struct space_entry *entry,
                                uintptr_t start, uintptr_t end, uint64_t access) {
    (void)entry;
    for (; start < end; start += PAGE_BYTES) {
        k42_result result = space_fault(self, start, (unsigned)access);
        if (result < 0)
            return result == -EACCES ? -EINVAL : result;
    }
    return 0;
}

/* Asks for what can be had at once and starts the rest. */
static k42_result part_will_need(struct space *self, const struct space_entry *entry,
                                 uintptr_t start, uintptr_t end, uint64_t argument) {
    struct space_mapping mapping;
    (void)argument;
    k42_result result = k42_call(entry->region, mapping, &mapping);
    for (; result >= 0 && mapping.fcm != K42_NULL_REF && start < end; start += PAGE_BYTES) {
        k42_result got = space_fault(self, start, SPACE_ACCESS_READ);
        if (got < 0 && got != -K42_WAIT)
            break;
    }
    return result < 0 ? result : 0;
}

/* The flags to set in the lower half, those to clear in the upper. */
#define FLAGS(set, clear) ((set) | (uint64_t)(clear) << 32)

static k42_result part_flags(struct space *self, const struct space_entry *entry, uintptr_t start,
                             uintptr_t end, uint64_t flags) {
    (void)self, (void)start, (void)end;
    k42_result result = flags & SPACE_WIPE_FORK ? check_private(entry) : 0;
    return result < 0
               ? result
               : k42_call(entry->region, set_flags, (unsigned)flags, (unsigned)(flags >> 32));
}

/* Regions are cut where the range ends, since they differ from then on. */
static k42_result advise_flags(struct space *self, uintptr_t start, uintptr_t end, uint64_t flags) {
    struct space_state *state = space_state(self);
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    result = split_at(state, start);
    if (result >= 0)
        result = split_at(state, end);
    if (result >= 0)
        result = each_part(self, start, end, part_flags, flags);
    merge_at(state, start);
    merge_at(state, end);
    change_end(self);
    return result;
}

k42_result space_set_flags(struct space *self, uintptr_t address, size_t length, unsigned set,
                           unsigned clear) {
    if (!range_is_valid(address, length))
        return length ? -ENOMEM : 0;
    return advise_flags(self, address, address + length, FLAGS(set, clear));
}

static k42_result advise_flags_of(struct space *self, uintptr_t start, uintptr_t end, int advice) {
    switch (advice) {
    case ADVICE_DONT_FORK:
        return advise_flags(self, start, end, FLAGS(SPACE_NO_FORK, 0));
    case ADVICE_DO_FORK:
        return advise_flags(self, start, end, FLAGS(0, SPACE_NO_FORK));
    case ADVICE_WIPE_ON_FORK:
        return advise_flags(self, start, end, FLAGS(SPACE_WIPE_FORK, 0));
    case ADVICE_KEEP_ON_FORK:
        return advise_flags(self, start, end, FLAGS(0, SPACE_WIPE_FORK));
    case ADVICE_HUGE_PAGE:
        return advise_flags(self, start, end, FLAGS(SPACE_LARGE, SPACE_NO_LARGE));
    case ADVICE_NO_HUGE_PAGE:
        return advise_flags(self, start, end, FLAGS(SPACE_NO_LARGE, SPACE_LARGE));
    default:
        return -EINVAL;
    }
}

k42_result space_advise(struct space *self, uintptr_t address, size_t length, int advice) {
    uintptr_t end = address + length;
    if (length == 0 && address % PAGE_BYTES == 0)
        return 0;
    if (address % PAGE_BYTES)
        return -EINVAL;
    if (!range_is_valid(address, length))
        return -ENOMEM;
    switch (advice) {
    case ADVICE_NORMAL:
    case ADVICE_RANDOM:
    case ADVICE_SEQUENTIAL:
    case ADVICE_MERGEABLE:
    case ADVICE_UNMERGEABLE:
    case ADVICE_DONT_DUMP:
    case ADVICE_DO_DUMP:
        return 0; /* taken note of, and nothing else would help */
    case ADVICE_COLD:
    case ADVICE_PAGE_OUT:
        return each_part(self, address, end, part_unlocked, 0);
    case ADVICE_WILL_NEED:
        return each_part(self, address, end, part_will_need, 0);
    case ADVICE_DONT_NEED:
        return each_part(self, address, end, part_forget, 0);
    case ADVICE_DONT_NEED_LOCKED:
        return each_part(self, address, end, part_discard, 0);
    case ADVICE_REMOVE:
        return each_part(self, address, end, part_remove, 0);
    case ADVICE_FREE:
        return each_part(self, address, end, part_free, 0);
    case ADVICE_POPULATE_READ:
        return each_part(self, address, end, part_populate, SPACE_ACCESS_READ);
    case ADVICE_POPULATE_WRITE:
        return each_part(self, address, end, part_populate, SPACE_ACCESS_WRITE);
    default:
        return advise_flags_of(self, address, end, advice);
    }
}

static k42_result part_sync(struct space *self, const struct space_entry *entry, uintptr_t start,
                            uintptr_t end, uint64_t durable) {
    (void)self;
    return k42_call(entry->region, sync, start, end - start, (unsigned)durable);
}

k42_result space_sync(struct space *self, uintptr_t address, size_t length, unsigned durable) {
    if (length == 0)
        return address % PAGE_BYTES ? -EINVAL : 0;
    if (!range_is_valid(address, length))
        return -ENOMEM;
    return each_part(self, address, address + length, part_sync, durable);
}
