/*
 * Pages that stay in memory: mlock and its like, and what the pager is told of it.
 *
 * Whether an address is locked is a flag of its entry in the index, which whoever sends pages out
 * looks up as faults do, once for each region or 2 MiB; what is locked as a whole is stepped over,
 * and never looked at page by page. Nothing is kept beside it, so fork, mremap and munmap have
 * nothing to follow. Of pages of objects it is the FCM that decides, and its attachments say so
 * (region/body.c).
 *
 * Why a locked page stays. The index shows the lock before the caller touches the pages, and a
 * touch takes the lock of the page's slot; so does the clock, which looks the address up under it.
 * Either the clock came before: then the touch finds the page gone and brings it back; or it comes
 * after and sees the lock.
 *
 * Owns nothing. Fails: -ENOMEM, -K42_WAIT.
 */
#include "state.h"

k42_result locks_allow(const struct space_state *state, unsigned flags, size_t pages) {
    if (!(flags & SPACE_LOCKED))
        return 0;
    return state->locked + pages > state->most_locked / PAGE_BYTES ? -EAGAIN : 0;
}

/* ---- locking ---- */

/* Of a whole region. What the kernel has put there is not the program's to lock. */
static k42_result entry_lock(struct space_state *state, const struct space_entry *found,
                             unsigned flags) {
    struct space_entry entry = *found;
    if ((entry.flags & SPACE_LOCKS) == flags || entry.flags & SPACE_KEEP)
        return 0;
    k42_result result = index_stock(&state->index, 1);
    if (result >= 0)
        result = k42_call(entry.region, set_flags, flags, SPACE_LOCKS & ~flags);
    if (result < 0)
        return result;
    state->locked -= entry.flags & SPACE_LOCKED ? pages_of(&entry) : 0;
    state->locked += flags ? pages_of(&entry) : 0;
    entry.flags = (entry.flags & ~(unsigned)SPACE_LOCKS) | flags;
    index_change(&state->index, entry.start, true, &entry, 1);
    return 0;
}

/* What lies before a gap or an error has changed, as Linux does. */
static k42_result range_lock(struct space_state *state, uintptr_t at, uintptr_t end,
                             unsigned flags) {
    k42_result result = split_at(state, at);
    while (result >= 0 && at < end) {
        const struct space_entry *entry = index_find(&state->index, at);
        if (!entry || entry->start > at)
            return -ENOMEM;
        if (entry->end > end)
            result = split_at(state, end);
        if (result < 0)
            break;
        entry = index_find(&state->index, at);
        uintptr_t next = entry->end;
        result = entry_lock(state, entry, flags);
        merge_at(state, at);
        at = next;
    }
    merge_at(state, at);
    return result;
}

static size_t locked_in(const struct space_state *state, uintptr_t at, uintptr_t end) {
    const struct space_entry *entry;
    size_t pages = 0;
    for (; (entry = index_find(&state->index, at)) && entry->start < end; at = entry->end) {
        uintptr_t from = entry->start > at ? entry->start : at;
        uintptr_t to = entry->end < end ? entry->end : end;
        pages += entry->flags & SPACE_LOCKED ? (to - from) / PAGE_BYTES : 0;
    }
    return pages;
}

/* What is locked already is not counted twice, but only looked for when that matters. */
static bool range_may_be_locked(const struct space_state *state, uintptr_t at, size_t length) {
    size_t most = state->most_locked / PAGE_BYTES, pages = state->locked + length / PAGE_BYTES;
    return pages <= most || pages - locked_in(state, at, at + length) <= most;
}

k42_result space_lock(struct space *self, uintptr_t address, size_t length, unsigned flags,
                      size_t most) {
    struct space_state *state = space_state(self);
    if (!range_is_valid(address, length))
        return length ? -ENOMEM : 0;
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    locks_told(state, most);
    result = flags && !range_may_be_locked(state, address, length)
                 ? -ENOMEM
                 : range_lock(state, address, address + length, flags);
    change_end(self);
    return result;
}

static k42_result all_lock(struct space_state *state, unsigned flags) {
    const struct space_entry *entry;
    k42_result result = 0;
    for (uintptr_t at = 0, next; result >= 0 && (entry = index_find(&state->index, at));
         at = next) {
        uintptr_t start = entry->start;
        next = entry->end;
        result = entry_lock(state, entry, flags);
        merge_at(state, start);
    }
    return result;
}

k42_result space_lock_all(struct space *self, unsigned flags, unsigned which, size_t most) {
    struct space_state *state = space_state(self);
    k42_result result = change_begin(self);
    if (result < 0)
        return result;
    locks_told(state, most);
    bool present = which & SPACE_LOCK_PRESENT;
    if (present && flags && state->pages > state->most_locked / PAGE_BYTES) {
        result = -ENOMEM;
    } else {
        state->future = which & SPACE_LOCK_FUTURE ? flags : 0;
        result = present ? all_lock(state, flags) : 0;
    }
    change_end(self);
    return result;
}

/* ---- what the pager asks ---- */

/* Called with a slot of the HAT locked; reads the index, and nothing else. */
static bool is_kept(const void *context, uintptr_t address, uintptr_t *until) {
    const struct space_entry *entry = index_find(context, address);
    bool inside = entry && entry->start <= address;
    *until = !entry ? USER_END : inside ? entry->end : entry->start;
    return inside && entry->flags & SPACE_LOCKED;
}

struct k42_pair space_page_out(struct space *self, uint64_t wanted, k42_ref pm) {
    struct space_state *state = space_state(self);
    struct hat_kept kept = {is_kept, &state->index};
    return k42_call(state->hat, page_out, wanted, pm, &kept);
}
