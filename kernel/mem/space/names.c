/*
 * Names of private memory, which its program gives it.
 *
 * Regions are cut where the range ends, and made one where they have become alike. Owns nothing: a
 * name is held by the regions that have it (region/body.c). Fails: -ENOMEM, -EBADF, -K42_WAIT.
 */
#include "state.h"

static k42_result entry_rename(const struct space_entry *entry, k42_ref name) {
    struct space_mapping mapping;
    k42_result result = k42_call(entry->region, mapping, &mapping);
    if (result >= 0 && mapping.fcm != K42_NULL_REF)
        result = -EBADF;
    return result < 0 ? result : k42_call(entry->region, rename, name);
}

/* Gaps are skipped, and said. */
static k42_result range_rename(struct space_state *state, uintptr_t at, uintptr_t end,
                               k42_ref name) {
    k42_result result = split_at(state, at);
    bool gap = false;
    while (result >= 0 && at < end) {
        const struct space_entry *entry = index_find(&state->index, at);
        gap |= !entry || entry->start > at;
        if (!entry || entry->start >= end)
            break;
        at = entry->start > at ? entry->start : at;
        if (entry->end > end)
            result = split_at(state, end);
        if (result < 0)
            break;
        entry = index_find(&state->index, at);
        uintptr_t next = entry->end;
        result = entry_rename(entry, name);
        merge_at(state, at);
        at = next;
    }
    merge_at(state, at);
    return result < 0 ? result : gap ? -ENOMEM : 0;
}

k42_result space_rename(struct space *self, uintptr_t address, size_t length, k42_ref name) {
    if (!range_is_valid(address, length))
        return length ? -ENOMEM : 0;
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    result = range_rename(space_state(self), address, address + length, name);
    change_end(self);
    return result;
}
