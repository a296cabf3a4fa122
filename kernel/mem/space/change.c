/*
 * Unmapping and protecting: cutting regions where a range ends, and joining those that have become
 * alike.
 *
 * What can fail is done before the index is changed, and the index is changed before a region is
 * made smaller or destroyed that stays reachable by it.
 */
#include "state.h"

static k42_result entry_end(struct space_state *state, const struct space_entry *entry,
                            enum region_end what) {
    struct space_mapping mapping;
    k42_result result = k42_call(entry->region, mapping, &mapping);
    if (result >= 0)
        result = k42_call(entry->region, close, what);
    if (result < 0)
        return result;
    account(state, &mapping, -(long)pages_of(entry));
    return 0;
}

/* An entry loses one of its ends. */
static k42_result entry_trim(struct space_state *state, struct space_entry entry, uintptr_t start,
                             uintptr_t end) {
    struct space_mapping mapping;
    size_t pages = pages_of(&entry);
    uintptr_t key = entry.start;
    k42_result result = k42_call(entry.region, mapping, &mapping);
    if (result >= 0)
        result = index_stock(&state->index, 1);
    if (result >= 0)
        result = k42_call(entry.region, resize, start, end, REGION_RELEASE);
    if (result < 0)
        return result;
    entry.start = start;
    entry.end = end;
    index_change(&state->index, key, true, &entry, 1);
    account(state, &mapping, (long)pages_of(&entry) - (long)pages);
    return 0;
}

/* Both parts answer for the upper addresses until the lower one is cut, and alike. */
k42_result split_at(struct space_state *state, uintptr_t at) {
    const struct space_entry *found = index_find(&state->index, at);
    if (!found || found->start >= at)
        return 0;
    if (state->index.count >= state->limits.count)
        return -ENOMEM;
    struct space_entry parts[2] = {*found, *found};
    k42_ref upper = K42_NULL_REF;
    k42_result result = index_stock(&state->index, 1);
    if (result >= 0)
        result = k42_call(parts[0].region, divide, at, &upper);
    if (result < 0)
        return result;
    parts[0].end = parts[1].start = at;
    parts[1].region = (region_ref)upper;
    parts[1].below = 0;
    index_change(&state->index, parts[0].start, true, parts, 2);
    result = k42_call(parts[0].region, resize, parts[0].start, at, REGION_LEAVE);
    if (result < 0) { /* its FCM has no memory to note it: one region again */
        struct space_entry whole = parts[0];
        whole.end = parts[1].end;
        k42_result undone = index_stock(&state->index, 1);
        if (undone >= 0 && index_join(&state->index, &whole))
            undone = k42_call(parts[1].region, close, REGION_LEAVE);
    }
    return result;
}

/*
 * The entries that lie in [start, end), which no entry overlaps otherwise: first all regions end,
 * then the index loses them in one step, which makes little to be freed however many there are.
 */
static k42_result entries_remove(struct space_state *state, uintptr_t start, uintptr_t end) {
    const struct space_entry *entry;
    struct space_index before = state->index;
    k42_result result = index_stock(&state->index, 1);
    uintptr_t at = start;
    while (result >= 0 && (entry = index_find(&before, at)) && entry->start < end) {
        result = entry->flags & SPACE_KEEP ? -EINVAL : entry_end(state, entry, REGION_RELEASE);
        at = result < 0 ? at : entry->end;
    }
    if (at == start)
        return result;
    index_cut(&state->index, start, at);
    for (uintptr_t gone = start; gone < at; gone = entry->end) {
        entry = index_find(&before, gone);
        k42_result ended = k42_destroy((k42_ref)entry->region);
        (void)ended;
    }
    return result;
}

/* The parts of a region that stick out of a range are cut off before the range is emptied. */
k42_result unmap_range(struct space_state *state, uintptr_t start, uintptr_t end) {
    const struct space_entry *entry = index_find(&state->index, start);
    k42_result result = 0;
    if (entry && entry->start < start && entry->end > end)
        result = split_at(state, end);
    if (result < 0)
        return result;
    entry = index_find(&state->index, start);
    if (entry && entry->start < start)
        result =
            entry->flags & SPACE_KEEP ? -EINVAL : entry_trim(state, *entry, entry->start, start);
    entry = index_before(&state->index, end);
    if (result >= 0 && entry && entry->start >= start && entry->end > end)
        result = entry->flags & SPACE_KEEP ? -EINVAL : entry_trim(state, *entry, end, entry->end);
    return result < 0 ? result : entries_remove(state, start, end);
}

k42_result space_unmap(struct space *self, uintptr_t address, size_t length) {
    if (!range_is_valid(address, length))
        return -EINVAL;
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    result = unmap_range(space_state(self), address, address + length);
    change_end(self);
    return result;
}

/* ---- joining ---- */

/* The lower one answers for all before the index leads there, the upper one ends afterwards. */
void merge_at(struct space_state *state, uintptr_t at) {
    const struct space_entry *found = index_before(&state->index, at);
    const struct space_entry *behind = index_find(&state->index, at);
    struct space_mapping low, high;
    if (!found || !behind || found->end != at || behind->start != at ||
        found->flags != behind->flags || k42_call(found->region, mapping, &low) < 0 ||
        k42_call(behind->region, mapping, &high) < 0 || !mappings_fit(&low, &high))
        return;
    struct space_entry lower = *found, upper = *behind, joined = lower;
    joined.end = upper.end;
    if (index_stock(&state->index, 1) < 0 ||
        k42_call(lower.region, resize, lower.start, upper.end, REGION_LEAVE) < 0)
        return;
    if (!index_join(&state->index, &joined)) {
        k42_result back = k42_call(lower.region, resize, lower.start, lower.end, REGION_LEAVE);
        (void)back; /* it would answer for addresses that the index gives to the other */
        return;
    }
    k42_result ended = k42_call(upper.region, close, REGION_LEAVE);
    ended = k42_destroy((k42_ref)upper.region);
    (void)ended;
}

/* ---- protecting ---- */

static k42_result protect_one(struct space_state *state, const struct space_entry *entry,
                              unsigned protection) {
    struct space_mapping mapping;
    k42_result result = k42_call(entry->region, mapping, &mapping);
    if (result < 0 || mapping.protection == protection)
        return result;
    if (protection & ~mapping.most)
        return -EACCES;
    long pages = (long)pages_of(entry);
    account(state, &mapping, -pages);
    result = k42_call(entry->region, protect, protection);
    if (result >= 0)
        mapping.protection = protection;
    account(state, &mapping, pages);
    return result;
}

/* What lies before a gap or an error is changed, as Linux does. */
static k42_result protect_range(struct space_state *state, uintptr_t start, uintptr_t end,
                                unsigned protection) {
    uintptr_t at = start;
    k42_result result = 0;
    while (at < end && result >= 0) {
        const struct space_entry *entry = index_find(&state->index, at);
        if (!entry || entry->start > at)
            return -ENOMEM;
        if (entry->end > end)
            result = split_at(state, end);
        if (result < 0)
            return result;
        entry = index_find(&state->index, at);
        uintptr_t next = entry->end;
        result = protect_one(state, entry, protection);
        if (result >= 0)
            merge_at(state, at);
        at = next;
    }
    merge_at(state, at);
    return result;
}

k42_result space_protect(struct space *self, uintptr_t address, size_t length,
                         unsigned protection) {
    if (address % PAGE_BYTES || protection & ~7u)
        return -EINVAL;
    if (!range_is_valid(address, length))
        return length ? -ENOMEM : 0;
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    struct space_state *state = space_state(self);
    const struct space_entry *entry = index_find(&state->index, address);
    if (!entry || entry->start >= address + length)
        result = -ENOMEM;
    else if (entry->start < address)
        result = split_at(state, address);
    if (result >= 0)
        result = protect_range(state, address, address + length, protection);
    change_end(self);
    return result;
}
