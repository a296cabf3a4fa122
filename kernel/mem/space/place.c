/*
 * Mapping: where, whether the limits allow it, and as part of which region.
 *
 * New mappings are placed from the top down, large ones where large pages fit: an object's such
 * that its blocks of 2 MiB are blocks of addresses, too. One that continues its neighbour becomes
 * part of it, so a heap that grows piece by piece stays one region.
 */
#include <k42/class.h>

#include "../../fs/file.h"
#include "../fcm/file_pages.h"
#include "runtime.h"
#include "state.h"

static bool is_free(const struct space_state *state, uintptr_t start, uintptr_t end) {
    const struct space_entry *entry = index_find(&state->index, start);
    return !entry || entry->start - entry->below * PAGE_BYTES >= end;
}

/* `skew` is how far behind the beginning of a block it begins. */
static uintptr_t find_large(const struct space_state *state, size_t length, size_t skew,
                            uintptr_t high) {
    uintptr_t place = index_place(&state->index, length + skew, LARGE_BYTES, LOWEST, high);
    return place ? place + skew : 0;
}

uintptr_t find_place(const struct space_state *state, size_t length, uintptr_t hint, uint64_t first,
                     unsigned flags) {
    uintptr_t high = flags & SPACE_LOW ? LOW_END : state->limits.top;
    if (hint >= LOWEST && user_range_ok(hint, length) && is_free(state, hint, hint + length) &&
        (!(flags & SPACE_LOW) || hint + length <= high))
        return hint;
    uintptr_t place = 0;
    if (length >= LARGE_BYTES)
        place = find_large(state, length, first * PAGE_BYTES % LARGE_BYTES, high);
    if (!place)
        place = index_place(&state->index, length, PAGE_BYTES, LOWEST, high);
    if (!place && !(flags & SPACE_LOW))
        place = index_place(&state->index, length, PAGE_BYTES, LOWEST, USER_END);
    return place;
}

k42_result limits_allow(const struct space_state *state, size_t pages, bool data) {
    if (state->pages + pages > state->limits.size / PAGE_BYTES)
        return -ENOMEM;
    if (data && state->data + pages > state->limits.data / PAGE_BYTES)
        return -ENOMEM;
    return 0;
}

static bool is_data(unsigned protection, unsigned flags) {
    return protection & SPACE_WRITE && !(flags & SPACE_SHARED);
}

void account(struct space_state *state, const struct space_mapping *mapping, long pages) {
    state->pages += (uint64_t)pages;
    if (is_data(mapping->protection, mapping->flags))
        state->data += (uint64_t)pages;
    if (mapping->flags & SPACE_GROWS_DOWN)
        state->stack += (uint64_t)pages;
    else if ((mapping->protection & (SPACE_WRITE | SPACE_EXECUTE)) == SPACE_EXECUTE)
        state->executable += (uint64_t)pages;
    if (mapping->flags & SPACE_LOCKED)
        state->locked += (uint64_t)pages;
}

/* By what they say: each call that gives a name makes one. */
static bool names_agree(k42_ref one, k42_ref other) {
    char first[FILE_TEXT_MOST], second[FILE_TEXT_MOST];
    if (one == other)
        return true;
    return one != K42_NULL_REF && other != K42_NULL_REF &&
           k42_call((file_ref)one, control, FILE_LOOK, (uintptr_t)first) >= 0 &&
           k42_call((file_ref)other, control, FILE_LOOK, (uintptr_t)second) >= 0 &&
           k42_text_equal(first, second);
}

bool mappings_fit(const struct space_mapping *lower, const struct space_mapping *upper) {
    uint64_t behind = lower->first + (lower->end - lower->start) / PAGE_BYTES;
    return lower->end == upper->start && lower->protection == upper->protection &&
           lower->flags == upper->flags && lower->most == upper->most && lower->fcm == upper->fcm &&
           lower->file == upper->file && lower->watcher == upper->watcher &&
           names_agree(lower->name, upper->name) && !(lower->flags & SPACE_GROWS_DOWN) &&
           (lower->fcm == K42_NULL_REF || behind == upper->first);
}

k42_result extend_up(struct space_state *state, uintptr_t from, uintptr_t to) {
    struct space_entry entry = *index_before(&state->index, from);
    struct space_mapping mapping;
    k42_result result = k42_call(entry.region, mapping, &mapping);
    if (result >= 0)
        result = index_stock(&state->index, 1);
    if (result >= 0)
        result = k42_call(entry.region, resize, entry.start, to, REGION_LEAVE);
    if (result < 0)
        return result;
    entry.end = to;
    index_change(&state->index, entry.start, true, &entry, 1);
    account(state, &mapping, (long)((to - from) / PAGE_BYTES));
    return 0;
}

/* Makes the region below part of it, if it is of the same kind. */
static bool map_with_neighbour(struct space_state *state, uintptr_t address,
                               const struct space_request *request) {
    const struct space_entry *entry = index_before(&state->index, address);
    struct space_mapping mapping;
    struct space_mapping wanted = {.start = address,
                                   .protection = request->protection,
                                   .flags = request->flags,
                                   .most = request->most,
                                   .fcm = request->fcm,
                                   .first = request->first,
                                   .file = request->file,
                                   .watcher = request->watcher,
                                   .name = request->name};
    if (!entry || entry->end != address || entry->flags != request->flags ||
        k42_call(entry->region, mapping, &mapping) < 0 || !mappings_fit(&mapping, &wanted))
        return false;
    return extend_up(state, address, address + request->length) >= 0;
}

static k42_result map_new(struct space *self, uintptr_t address, const struct space_request *what) {
    struct space_state *state = space_state(self);
    if (map_with_neighbour(state, address, what))
        return 0;
    if (state->index.count >= state->limits.count)
        return -ENOMEM;
    struct region_new new = {.start = address,
                             .end = address + what->length,
                             .protection = what->protection,
                             .flags = what->flags,
                             .most = what->most,
                             .fcm = what->fcm,
                             .first = what->first,
                             .file = what->file,
                             .watcher = what->watcher,
                             .name = what->name,
                             .limit = what->limit,
                             .hat = (k42_ref)state->hat,
                             .pm = state->pm,
                             .space = space_id(self)};
    struct space_entry entry = {new.start, new.end, (region_ref)K42_NULL_REF,
                                new.flags &SPACE_GROWS_DOWN ? STACK_GAP : 0, new.flags};
    k42_result result = index_stock(&state->index, 1);
    if (result >= 0)
        result = region_create(&new, &entry.region);
    if (result < 0)
        return result;
    index_change(&state->index, entry.start, false, &entry, 1);
    struct space_mapping mapping = {
        .protection = new.protection, .flags = new.flags, .file = new.file};
    account(state, &mapping, (long)pages_of(&entry));
    return 0;
}

/*
 * Shared memory that no file is behind gets an object of its own, of the class for files of which
 * nothing is behind. It is charged to the machine, since it may outlive whoever made it.
 */
static k42_result make_shared_memory(struct space_request *what) {
    struct fcm_file file = {.pm = pm_machine, .size = what->length};
    struct k42_class *class_ = k42_class_find("fcm.pinned");
    what->flags |= SPACE_ANONYMOUS | SPACE_OF_MEMORY;
    return class_ ? k42_make(class_, &file, &what->fcm) : -ENOMEM;
}

k42_result map_at(struct space *self, uintptr_t address, const struct space_request *request) {
    struct space_request what = *request;
    what.flags &= ~(unsigned)(SPACE_FIXED | SPACE_NO_REPLACE | SPACE_LOW);
    if (what.fcm != K42_NULL_REF || !(what.flags & SPACE_SHARED))
        return map_new(self, address, &what);
    k42_result result = make_shared_memory(&what);
    if (result < 0)
        return result;
    result = map_new(self, address, &what);
    if (result < 0 && k42_destroy(what.fcm) < 0)
        return -ENOMEM;
    return result;
}

/* Where it goes, after what is there was taken away if that was asked for; in the word. */
static struct k42_pair make_room(struct space_state *state, const struct space_request *request) {
    uintptr_t address = request->address;
    size_t length = request->length;
    if (!(request->flags & SPACE_FIXED)) {
        uintptr_t hint = address & ~(PAGE_BYTES - 1);
        address = find_place(state, length, hint, request->first, request->flags);
        return (struct k42_pair){address ? 0 : -ENOMEM, address};
    }
    if (address % PAGE_BYTES)
        return (struct k42_pair){-EINVAL, 0};
    if (!user_range_ok(address, length))
        return (struct k42_pair){-ENOMEM, 0};
    if (address < LOWEST)
        return (struct k42_pair){-EPERM, 0};
    const struct space_entry *entry = index_find(&state->index, address);
    bool taken = entry && entry->start < address + length;
    if (taken && request->flags & SPACE_NO_REPLACE)
        return (struct k42_pair){-EEXIST, 0};
    k42_result result = taken ? unmap_range(state, address, address + length) : 0;
    return (struct k42_pair){result, address};
}

/* The limits, before anything is changed. */
static k42_result map_allowed(const struct space_state *state, const struct space_request *what) {
    size_t pages = what->length / PAGE_BYTES;
    k42_result result = locks_allow(state, what->flags, pages);
    return result < 0 ? result : limits_allow(state, pages, is_data(what->protection, what->flags));
}

static struct k42_pair map_changing(struct space *self, const struct space_request *request) {
    struct space_state *state = space_state(self);
    struct space_request what = *request;
    locks_told(state, what.most_locked);
    what.flags |= what.flags & SPACE_KEEP ? 0 : state->future;
    struct k42_pair place = {map_allowed(state, &what), 0};
    if (place.result >= 0)
        place = make_room(state, &what);
    if (place.result >= 0)
        place.result = map_at(self, place.word, &what);
    if (place.result >= 0) {
        merge_at(state, place.word + what.length);
        place.result = locks_wanted(what.flags);
    }
    return place;
}

struct k42_pair space_map(struct space *self, const struct space_request *request) {
    if (request->length == 0 || request->length % PAGE_BYTES)
        return (struct k42_pair){-EINVAL, 0};
    if (request->length > USER_END - LOWEST)
        return (struct k42_pair){-ENOMEM, 0};
    if (request->protection & ~request->most)
        return (struct k42_pair){-EACCES, 0};
    k42_result result = change_begin(self);
    if (result < 0)
        return (struct k42_pair){result, 0};
    struct k42_pair place = map_changing(self, request);
    change_end(self);
    return place;
}
