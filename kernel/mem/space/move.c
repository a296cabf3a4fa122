/*
 * Making a mapping longer, shorter, or moving it: mremap and brk.
 *
 * A region that moves is in the index at both places for a moment, and answers for the new one.
 */
#include "state.h"

static struct k42_pair failed(k42_result result) {
    return (struct k42_pair){result, 0};
}

/* The region that has all of [start, end). Errors: -EFAULT. */
static k42_result entry_of(const struct space_state *state, uintptr_t start, uintptr_t end,
                           struct space_entry *entry, struct space_mapping *mapping) {
    const struct space_entry *found = index_find(&state->index, start);
    if (!found || found->start > start || found->end < end)
        return -EFAULT;
    *entry = *found;
    return k42_call(found->region, mapping, mapping);
}

static bool can_extend(const struct space_state *state, const struct space_entry *entry,
                       uintptr_t end, uintptr_t to) {
    const struct space_entry *behind = index_find(&state->index, end);
    return entry->end == end && to <= USER_END &&
           (!behind || behind->start - behind->below * PAGE_BYTES >= to);
}

/* A region of the same kind where nothing was, for SPACE_LEAVE. */
static k42_result leave_empty(struct space *self, const struct space_mapping *mapping,
                              uintptr_t start, size_t length) {
    struct space_request request = {.length = length,
                                    .protection = mapping->protection,
                                    .flags = mapping->flags,
                                    .most = mapping->most,
                                    .fcm = mapping->fcm,
                                    .first = mapping->first + (start - mapping->start) / PAGE_BYTES,
                                    .file = mapping->file,
                                    .watcher = mapping->watcher,
                                    .name = mapping->name,
                                    .limit = mapping->limit};
    return map_at(self, start, &request);
}

/* All of a region to another address. */
static k42_result region_to(struct space_state *state, uintptr_t from, uintptr_t to) {
    k42_result result = index_stock(&state->index, 2);
    if (result < 0)
        return result;
    struct space_entry entry = *index_find(&state->index, from), moved = entry;
    moved.start = to;
    moved.end = to + (entry.end - entry.start);
    index_change(&state->index, to, false, &moved, 1);
    result = k42_call(entry.region, move, to);
    index_change(&state->index, result < 0 ? to : from, true, NULL, 0);
    return result;
}

/* Where it goes: there, or wherever there is room. In the word. */
static struct k42_pair new_place(struct space_state *state, const struct space_move *move) {
    if (!(move->flags & SPACE_MOVE_TO)) {
        uintptr_t place = find_place(state, move->new_length, 0, 0, 0);
        return (struct k42_pair){place ? 0 : -ENOMEM, place};
    }
    uintptr_t to = move->new_address;
    if (!range_is_valid(to, move->new_length) ||
        (to < move->address + move->length && move->address < to + move->new_length))
        return failed(-EINVAL);
    if (to < LOWEST)
        return failed(-EPERM);
    return (struct k42_pair){unmap_range(state, to, to + move->new_length), to};
}

static struct k42_pair move_away(struct space *self, const struct space_move *move) {
    struct space_state *state = space_state(self);
    struct space_entry entry;
    struct space_mapping mapping;
    struct k42_pair place = new_place(state, move);
    size_t length = move->length < move->new_length ? move->length : move->new_length;
    k42_result result = place.result;
    if (result >= 0 && length < move->length)
        result = unmap_range(state, move->address + length, move->address + move->length);
    if (result >= 0)
        result = split_at(state, move->address);
    if (result >= 0)
        result = split_at(state, move->address + length);
    if (result >= 0)
        result = entry_of(state, move->address, move->address + length, &entry, &mapping);
    if (result >= 0)
        result = region_to(state, move->address, place.word);
    if (result >= 0 && move->new_length > length)
        result = extend_up(state, place.word + length, place.word + move->new_length);
    mapping.flags &= ~(unsigned)SPACE_LOCKS;
    if (result >= 0 && move->flags & SPACE_LEAVE)
        result = leave_empty(self, &mapping, move->address, length);
    return (struct k42_pair){result < 0 ? result : 0, place.word};
}

/* A length of 0: the object's pages once more, somewhere else. */
static struct k42_pair map_again(struct space *self, const struct space_move *move) {
    struct space_state *state = space_state(self);
    struct space_entry entry;
    struct space_mapping mapping;
    k42_result result =
        entry_of(state, move->address, move->address + PAGE_BYTES, &entry, &mapping);
    if (result >= 0 && (!(mapping.flags & SPACE_SHARED) || !(move->flags & SPACE_MAY_MOVE)))
        result = -EINVAL;
    if (result < 0)
        return failed(result);
    struct k42_pair place = new_place(state, move);
    result = locks_allow(state, mapping.flags, move->new_length / PAGE_BYTES);
    if (place.result < 0 || result < 0)
        return place.result < 0 ? place : failed(result);
    struct space_mapping at = mapping;
    at.first += (move->address - mapping.start) / PAGE_BYTES;
    at.flags &= ~(unsigned)SPACE_WATCHED;
    at.watcher = K42_NULL_REF;
    at.start = place.word;
    return (struct k42_pair){leave_empty(self, &at, place.word, move->new_length), place.word};
}

static struct k42_pair resize_changing(struct space *self, const struct space_move *move) {
    struct space_state *state = space_state(self);
    uintptr_t end = move->address + move->length;
    struct space_entry entry;
    struct space_mapping mapping;
    if (move->length == 0)
        return map_again(self, move);
    k42_result result = entry_of(state, move->address, end, &entry, &mapping);
    if (result < 0)
        return failed(result);
    bool grows = move->new_length > move->length;
    if (grows) {
        bool data = mapping.protection & SPACE_WRITE && !(mapping.flags & SPACE_SHARED);
        result = limits_allow(state, (move->new_length - move->length) / PAGE_BYTES, data);
        if (result >= 0)
            result =
                locks_allow(state, mapping.flags, (move->new_length - move->length) / PAGE_BYTES);
        if (result < 0)
            return failed(result);
    }
    if (move->flags & (SPACE_MOVE_TO | SPACE_LEAVE))
        return move_away(self, move);
    uintptr_t to = move->address + move->new_length;
    if (!grows)
        result = to < end ? unmap_range(state, to, end) : 0;
    else if (can_extend(state, &entry, end, to))
        result = extend_up(state, end, to);
    else if (move->flags & SPACE_MAY_MOVE)
        return move_away(self, move);
    else
        result = -ENOMEM;
    return (struct k42_pair){result, move->address};
}

struct k42_pair space_resize(struct space *self, const struct space_move *move) {
    if (move->address % PAGE_BYTES || move->length % PAGE_BYTES || move->new_length == 0 ||
        move->new_length % PAGE_BYTES)
        return failed(-EINVAL);
    if (!user_range_ok(move->address, move->length) || move->new_length > USER_END)
        return failed(-EFAULT);
    k42_result result = change_begin(self);
    if (result < 0)
        return failed(result);
    struct space_state *state = space_state(self);
    locks_told(state, move->most_locked);
    struct k42_pair place = resize_changing(self, move);
    const struct space_entry *entry =
        place.result < 0 ? NULL : index_find(&state->index, place.word);
    place.result = entry ? locks_wanted(entry->flags) : place.result;
    change_end(self);
    return place;
}

/* ---- the end of the data segment ---- */

static k42_result break_change(struct space *self, uintptr_t from, uintptr_t to) {
    struct space_state *state = space_state(self);
    if (to <= from)
        return to < from ? unmap_range(state, to, from) : 0;
    const struct space_entry *behind = index_find(&state->index, from);
    if (behind && behind->start - behind->below * PAGE_BYTES < to)
        return -ENOMEM;
    k42_result result = limits_allow(state, (to - from) / PAGE_BYTES, true);
    if (result >= 0)
        result = locks_allow(state, state->future, (to - from) / PAGE_BYTES);
    struct space_request request = {.length = to - from,
                                    .flags = state->future,
                                    .protection = SPACE_READ | SPACE_WRITE,
                                    .most = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE};
    return result < 0 ? result : map_at(self, from, &request);
}

/* Linux answers with the old end when it cannot. */
struct k42_pair space_set_break(struct space *self, uintptr_t end) {
    struct space_marks *marks = &space_state(self)->marks;
    k42_result result = change_begin(self);
    if (result < 0)
        return failed(result);
    if (end >= marks->break_start && end <= USER_END - PAGE_BYTES) {
        uintptr_t from = (marks->break_end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
        uintptr_t to = (end + PAGE_BYTES - 1) & ~(PAGE_BYTES - 1);
        result = break_change(self, from, to);
        if (result >= 0)
            marks->break_end = end;
    }
    struct k42_pair answer = {
        result == -K42_WAIT ? result : locks_wanted(space_state(self)->future), marks->break_end};
    change_end(self);
    return answer;
}
