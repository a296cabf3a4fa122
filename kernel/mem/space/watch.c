/*
 * Watching: mappings whose missing pages are brought by somebody else, whom they name
 * (userfaultfd). See region/watched.c for what becomes of a fault there.
 *
 * Regions are cut where the range ends, as they differ from then on; a region that is cut or grows
 * stays watched, one that moves or is inherited is not.
 */
#include "state.h"

#include "../../fs/file.h"

/* A watcher that was closed watches nothing. */
static bool is_watched_by_other(const struct space_mapping *mapping, k42_ref watcher) {
    if (!(mapping->flags & SPACE_WATCHED) || mapping->watcher == watcher ||
        k42_call((file_ref)mapping->watcher, hold) < 0)
        return false;
    (void)!k42_call((file_ref)mapping->watcher, release);
    return true;
}

/* Before anything is changed. */
static k42_result check(struct space_state *state, uintptr_t start, uintptr_t end,
                        k42_ref watcher) {
    const struct space_entry *entry = index_find(&state->index, start);
    struct space_mapping mapping;
    if (!entry)
        return -ENOMEM;
    if (entry->start >= end)
        return -EINVAL;
    for (; entry && entry->start < end; entry = index_find(&state->index, entry->end)) {
        k42_result result = k42_call(entry->region, mapping, &mapping);
        if (result >= 0 && watcher != K42_NULL_REF && is_watched_by_other(&mapping, watcher))
            result = -EBUSY;
        if (result < 0)
            return result;
    }
    return 0;
}

static k42_result set_all(struct space_state *state, uintptr_t start, uintptr_t end,
                          k42_ref watcher) {
    k42_result result = split_at(state, start);
    if (result >= 0)
        result = split_at(state, end);
    const struct space_entry *entry = index_find(&state->index, start);
    for (; result >= 0 && entry && entry->start < end;
         entry = index_find(&state->index, entry->end))
        result = k42_call(entry->region, watch, watcher);
    merge_at(state, start);
    merge_at(state, end);
    return result;
}

k42_result space_watch(struct space *self, uintptr_t address, size_t length, k42_ref watcher) {
    struct space_state *state = space_state(self);
    if (!range_is_valid(address, length))
        return -EINVAL;
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    result = check(state, address, address + length, watcher);
    if (result >= 0)
        result = set_all(state, address, address + length, watcher);
    change_end(self);
    return result;
}

k42_result space_provide(struct space *self, uintptr_t address, struct copy *copy) {
    const struct space_entry *entry = index_find(&space_state(self)->index, address);
    if (!entry || entry->start > address)
        return -ENOENT;
    k42_result result = k42_call(entry->region, provide, address, copy);
    return result == -K42_STALE ? 0 : result;
}
