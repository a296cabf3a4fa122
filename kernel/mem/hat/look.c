/*
 * Reading the tables: what is mapped, what the processor noted, and a page's bytes for whoever
 * looks into another program.
 */
#include "tables.h"

/* Runs over the leaves and large pages of a range; `visit` is called with the slot locked. */
struct looked {
    uint64_t entry; /* of the page looked for, or 0 */
    uint64_t *at;
    struct leaf leaf;
    bool large;
};

/* Locks the slot of an address and finds its entry. -ENOENT, nothing locked: there is none. */
static k42_result look_lock(struct hat_tables *tables, uintptr_t address, struct looked *looked) {
    k42_result result = leaf_lock(tables, address, LEAF_FIND, &looked->leaf);
    looked->large = result == -EISDIR;
    if (result < 0 && !looked->large)
        return result;
    looked->at = looked->large ? looked->leaf.upper : &looked->leaf.entries[leaf_index(address)];
    looked->entry = user_entry_read(looked->at);
    if (looked->entry & ENTRY_OUT)
        looked->entry = 0; /* not there to be looked at */
    return 0;
}

static void look_unlock(struct looked *looked) {
    leaf_unlock(&looked->leaf);
}

static char *look_memory(const struct looked *looked, uintptr_t address) {
    uintptr_t mask = looked->large ? LEAF_BYTES - 1 : PAGE_BYTES - 1;
    return (char *)machine_memory((user_entry_frame(looked->entry) & ~mask) & ENTRY_FRAME) +
           (address & mask);
}

k42_result tables_look(struct hat *self, uintptr_t address) {
    struct hat_tables *tables = tables_of(self);
    struct looked looked;
    k42_result result = look_lock(tables, address, &looked);
    if (result < 0)
        return result;
    result = -ENOENT;
    if (user_entry_present(looked.entry)) {
        uint64_t seen = user_entry_clear(looked.at, ENTRY_ACCESSED);
        result = (user_entry_accessed(seen) ? HAT_ACCESSED : 0) |
                 (user_entry_dirty(seen) ? HAT_DIRTY : 0) | (looked.large ? HAT_OF_BLOCK : 0);
    }
    look_unlock(&looked);
    return result;
}

static uint8_t page_seen(const struct leaf *leaf, uint64_t entry, bool large) {
    unsigned seen = large ? HAT_PAGE_HERE | HAT_PAGE_OF_BLOCK : HAT_PAGE_HERE;
    if (entry & ENTRY_OUT)
        return HAT_PAGE_OUT;
    if (entry & ENTRY_PRIVATE)
        seen |= HAT_PAGE_PRIVATE | (!leaf->shared && page_is_ours(entry) ? HAT_PAGE_ALONE : 0);
    seen |= user_entry_dirty(entry) ? HAT_PAGE_DIRTY : 0;
    return (uint8_t)(seen | (user_entry_accessed(entry) ? HAT_PAGE_ACCESSED : 0));
}

k42_result tables_survey(struct hat *self, uintptr_t address, size_t length, uint8_t *bytes) {
    struct hat_tables *tables = tables_of(self);
    uintptr_t start = address, end = address + length;
    uint64_t *upper;
    long present = 0;
    while ((address = upper_next(tables, address, end, &upper)) < end) {
        uintptr_t next = leaf_start(address) + LEAF_BYTES;
        struct leaf leaf;
        next = next < end ? next : end;
        k42_result result = leaf_lock(tables, address, LEAF_FIND, &leaf);
        if (result < 0 && result != -EISDIR) {
            address = next;
            continue;
        }
        for (; address < next; address += PAGE_BYTES) {
            uint64_t entry =
                user_entry_read(result ? leaf.upper : &leaf.entries[leaf_index(address)]);
            if (bytes && entry)
                bytes[(address - start) / PAGE_BYTES] = page_seen(&leaf, entry, result != 0);
            present += entry && !(entry & ENTRY_OUT);
        }
        leaf_unlock(&leaf);
    }
    return present;
}

/* Whether there was anything to forget. Other address spaces' CPUs may remember pages of a shared
 * leaf as used and not note it again, which only makes the clock err. */
static bool leaf_forget_used(const struct leaf *leaf, unsigned from, unsigned to) {
    bool any = false;
    for (unsigned at = from; (at = leaf_next(leaf, at, to)) < to; at++) {
        uint64_t entry = user_entry_read(&leaf->entries[at]);
        if (entry & ENTRY_OUT || !user_entry_accessed(entry))
            continue;
        (void)user_entry_clear(&leaf->entries[at], ENTRY_ACCESSED);
        any = true;
    }
    return any;
}

/* The addresses of one slot. */
static bool slot_forget_used(struct hat_tables *tables, uintptr_t start, uintptr_t end) {
    struct leaf leaf;
    k42_result result = leaf_lock(tables, start, LEAF_FIND, &leaf);
    bool any = false;
    if (result == -EISDIR)
        any = user_entry_accessed(user_entry_clear(leaf.upper, ENTRY_ACCESSED));
    else if (result == 0)
        any = leaf_forget_used(&leaf, leaf_index(start), leaf_index(end - PAGE_BYTES) + 1);
    if (result == 0 || result == -EISDIR)
        leaf_unlock(&leaf);
    return any;
}

/* Processors note it anew when they have forgotten what they know of the page. */
k42_result tables_forget_used(struct hat *self, uintptr_t address, size_t length) {
    struct hat_tables *tables = tables_of(self);
    uintptr_t end = address + length, start = address;
    uint64_t *upper;
    bool any = false;
    while ((address = upper_next(tables, address, end, &upper)) < end) {
        uintptr_t next = leaf_start(address) + LEAF_BYTES;
        next = next < end ? next : end;
        any |= slot_forget_used(tables, address, next);
        address = next;
    }
    if (any) {
        struct user_flush flush;
        user_flush_begin(&flush, tables->table);
        user_flush_range(&flush, start, end, 1);
        user_flush_finish(&flush);
    }
    return 0;
}

k42_result tables_peek(struct hat *self, uintptr_t address, void *to, size_t length) {
    struct looked looked;
    k42_result result = look_lock(tables_of(self), address, &looked);
    if (result < 0)
        return result;
    if (looked.entry)
        __builtin_memcpy(to, look_memory(&looked, address), length);
    look_unlock(&looked);
    return looked.entry ? 0 : -ENOENT;
}

k42_result tables_poke(struct hat *self, uintptr_t address, const void *from, size_t length) {
    struct looked looked;
    k42_result result = look_lock(tables_of(self), address, &looked);
    if (result < 0)
        return result;
    bool shared = !looked.large && looked.leaf.shared;
    result = -ENOENT;
    if (looked.entry)
        result = -EACCES;
    if (looked.entry && !shared &&
        (looked.entry & ENTRY_PRIVATE ? page_is_ours(looked.entry)
                                      : user_entry_writable(looked.entry))) {
        if (looked.entry & ENTRY_PRIVATE)
            page_forget(looked.entry);
        __builtin_memcpy(look_memory(&looked, address), from, length);
        result = 0;
    }
    look_unlock(&looked);
    return result;
}

/* ---- counting ---- */

/* Looks at each entry, and notes which kinds there are, so that the next count may be spared it. */
static void entries_count(const struct leaf *leaf, struct hat_census *census) {
    unsigned seen = 0;
    for (unsigned at = 0; (at = leaf_next(leaf, at, LEAF_PAGES)) < LEAF_PAGES; at++) {
        enum hat_kind kind = entry_kind(user_entry_read(&leaf->entries[at]));
        census->pages[kind]++;
        seen |= 1u << (LEAF_KIND + kind);
    }
    leaf->frame->tag = (uint16_t)((leaf->frame->tag & ~LEAF_KINDS) | seen);
}

/* Without the kinds `apart`, as bits of a tag, all of them may be counted as private. */
static void leaf_count(const struct leaf *leaf, unsigned apart, struct hat_census *census) {
    unsigned kinds = leaf->frame->tag & LEAF_KINDS;
    if (!(kinds & apart))
        census->pages[HAT_KIND_PRIVATE] += leaf_used(leaf);
    else if (kinds & (kinds - 1))
        entries_count(leaf, census);
    else
        census->pages[__builtin_ctz(kinds) - LEAF_KIND] += leaf_used(leaf);
}

/* By slots, each of which is locked for as long as it is looked at. */
static void count(struct hat_tables *tables, unsigned apart, struct hat_census *census) {
    uintptr_t at = 0;
    uint64_t *upper;
    *census = (struct hat_census){0};
    for (; (at = upper_next(tables, at, USER_END, &upper)) < USER_END; at += LEAF_BYTES) {
        struct leaf leaf;
        k42_result result = leaf_lock(tables, at, LEAF_FIND, &leaf);
        if (result == -EISDIR)
            census->pages[entry_kind(user_entry_read(leaf.upper))] += LEAF_PAGES;
        else if (result == 0)
            leaf_count(&leaf, apart, census);
        if (result == 0 || result == -EISDIR)
            leaf_unlock(&leaf);
    }
}

k42_result tables_usage(struct hat *self, struct hat_usage *usage) {
    struct hat_tables *tables = tables_of(self);
    struct hat_census census;
    count(tables, 1u << (LEAF_KIND + HAT_KIND_OUT), &census);
    *usage =
        (struct hat_usage){.out = census.pages[HAT_KIND_OUT], .tables = 1 + tables->table_frames};
    for (unsigned kind = 0; kind < HAT_KIND_OUT; kind++)
        usage->mapped += census.pages[kind];
    return 0;
}

k42_result tables_census(struct hat *self, struct hat_census *census) {
    count(tables_of(self), LEAF_KINDS, census);
    return 0;
}
