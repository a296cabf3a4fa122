/*
 * Looking: what is mapped where, what is in memory, and the bytes of a program for somebody else.
 *
 * Without a lock: a region that is gone has become part of another one or has been unmapped since
 * the index was looked at. The index says which, for it changes before a region goes; so it is
 * looked at again.
 */
#include "../../copy.h"
#include "state.h"

k42_result space_find(struct space *self, uintptr_t address, unsigned count,
                      struct space_mapping *mapping) {
    struct space_state *state = space_state(self);
    const struct space_entry *entry;
    k42_result result;
    do {
        entry = index_find(&state->index, address);
        if (!entry)
            return -ENOENT;
        result = k42_call(entry->region, mapping, mapping);
    } while (result == -K42_STALE);
    if (result < 0)
        return result;
    /* What the index says is what others see: the region may be about to change. */
    mapping->start = entry->start;
    mapping->end = entry->end;
    if (count)
        result = k42_call(state->hat, survey, entry->start, entry->end - entry->start, NULL);
    mapping->present = count && result > 0 ? (uint64_t)result : 0;
    return 0;
}

_Static_assert(SPACE_PAGE_HERE == (int)HAT_PAGE_HERE &&
                   SPACE_PAGE_PRIVATE == (int)HAT_PAGE_PRIVATE &&
                   SPACE_PAGE_ALONE == (int)HAT_PAGE_ALONE &&
                   SPACE_PAGE_DIRTY == (int)HAT_PAGE_DIRTY &&
                   SPACE_PAGE_ACCESSED == (int)HAT_PAGE_ACCESSED &&
                   SPACE_PAGE_OF_BLOCK == (int)HAT_PAGE_OF_BLOCK &&
                   SPACE_PAGE_OUT == (int)HAT_PAGE_OUT,
               "they are the same");

k42_result space_resident(struct space *self, uintptr_t address, size_t length, uint8_t *bytes,
                          size_t size) {
    struct space_state *state = space_state(self);
    if (address % PAGE_BYTES)
        return -EINVAL;
    if (!user_range_ok(address, length))
        return -ENOMEM;
    if (size < length / PAGE_BYTES)
        return -EINVAL;
    for (uintptr_t at = address; at < address + length;) {
        const struct space_entry *entry = index_find(&state->index, at);
        if (!entry || entry->start > at)
            return -ENOMEM;
        at = entry->end;
    }
    for (size_t n = 0; n < length / PAGE_BYTES; n++)
        bytes[n] = 0;
    k42_result result = k42_call(state->hat, survey, address, length, bytes);
    return result < 0 ? result : 0;
}

k42_result space_forget_used(struct space *self, uintptr_t address, size_t length) {
    if (address % PAGE_BYTES || !user_range_ok(address, length))
        return -EINVAL;
    return k42_call(space_state(self)->hat, forget_used, address, length);
}

k42_result space_identify(struct space *self, uintptr_t address, struct space_identity *identity) {
    k42_result result;
    do {
        const struct space_entry *entry = index_find(&space_state(self)->index, address);
        if (!entry || entry->start > address)
            return -EFAULT;
        result = k42_call(entry->region, identify, address, identity);
    } while (result == -K42_STALE);
    return result;
}

k42_result space_usage(struct space *self, struct space_usage *usage) {
    struct space_state *state = space_state(self);
    struct hat_usage hat;
    k42_result result = k42_call(state->hat, usage, &hat);
    if (result < 0)
        return result;
    *usage = (struct space_usage){.mapped = state->pages,
                                  .resident = hat.mapped,
                                  .out = hat.out,
                                  .tables = hat.tables,
                                  .regions = state->index.count,
                                  .locked = state->locked,
                                  .data = state->data - state->stack,
                                  .stack = state->stack,
                                  .executable = state->executable,
                                  .data_start = state->marks.data_start,
                                  .data_end = state->marks.data_end};
    return 0;
}

k42_result space_census(struct space *self, struct space_census *census) {
    struct hat_census hat;
    k42_result result = k42_call(space_state(self)->hat, census, &hat);
    if (result < 0)
        return result;
    *census = (struct space_census){.private = hat.pages[HAT_KIND_PRIVATE],
                                    .of_files = hat.pages[HAT_KIND_OF_FILES],
                                    .of_memory = hat.pages[HAT_KIND_OF_MEMORY],
                                    .out = hat.pages[HAT_KIND_OUT]};
    return 0;
}

/* ---- another program's bytes ---- */

#define PIECE 512u /* what a kernel's stack has room for */

/* A piece of one page. */
static size_t piece_at(uintptr_t address, size_t left) {
    size_t piece = PAGE_BYTES - address % PAGE_BYTES;
    piece = piece > PIECE ? PIECE : piece;
    return piece > left ? left : piece;
}

typedef k42_result (*piece_fn)(struct space_state *state, uintptr_t address, char *bytes,
                               size_t size, struct copy *copy);

static k42_result piece_out(struct space_state *state, uintptr_t address, char *bytes, size_t size,
                            struct copy *copy) {
    k42_result result = k42_call(state->hat, peek, address, bytes, size);
    return result < 0 ? result : copy_out(copy, bytes, size);
}

/* What was taken from the cursor must be written: so the page is made ready before. */
static k42_result piece_in(struct space_state *state, uintptr_t address, char *bytes, size_t size,
                           struct copy *copy) {
    struct copy ahead = *copy;
    k42_result got = copy_in(&ahead, bytes, size);
    if (got <= 0)
        return got;
    k42_result result = k42_call(state->hat, poke, address, bytes, (size_t)got);
    if (result >= 0)
        *copy = ahead;
    return result < 0 ? result : got;
}

/* Its program alone reaches it, by its own accesses. */
static bool is_secret(struct space *self, uintptr_t address) {
    const struct space_entry *entry = index_find(&space_state(self)->index, address);
    return entry && entry->start <= address && entry->flags & SPACE_SECRET;
}

/* One piece, after the page was brought in: how many bytes, 0 to try again. */
static k42_result piece_move(struct space *self, uintptr_t address, struct copy *copy,
                             unsigned access, piece_fn move) {
    char bytes[PIECE];
    if (is_secret(self, address))
        return -EFAULT;
    k42_result result = space_fault(self, address, access);
    if (result < 0)
        return result == -K42_WAIT ? result : -EFAULT;
    result = move(space_state(self), address, bytes, piece_at(address, copy->left), copy);
    return result == -ENOENT || result == -EACCES ? 0 : result;
}

static k42_result pieces_move(struct space *self, uintptr_t address, struct copy *copy,
                              unsigned access, piece_fn move) {
    size_t done = 0;
    while (copy->left && address + done < USER_END) {
        k42_result result = piece_move(self, address + done, copy, access, move);
        if (result < 0)
            return done ? (k42_result)done : result;
        done += (size_t)result;
    }
    return done || !copy->left ? (k42_result)done : -EFAULT;
}

k42_result space_peek(struct space *self, uintptr_t address, struct copy *copy) {
    return pieces_move(self, address, copy, SPACE_ACCESS_READ, piece_out);
}

k42_result space_poke(struct space *self, uintptr_t address, struct copy *copy, unsigned force) {
    unsigned access = SPACE_ACCESS_WRITE | (force ? SPACE_ACCESS_FORCE : 0);
    return pieces_move(self, address, copy, access, piece_in);
}
