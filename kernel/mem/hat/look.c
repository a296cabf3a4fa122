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

/* Processors note it anew when they have forgotten what they know of the page. */
k42_result tables_forget_used(struct hat *self, uintptr_t address, size_t length) {
    struct hat_tables *tables = tables_of(self);
    uintptr_t end = address + length, start = address;
    struct user_flush flush;
    uint64_t *upper;
    while ((address = upper_next(tables, address, end, &upper)) < end) {
        uintptr_t next = leaf_start(address) + LEAF_BYTES;
        struct leaf leaf;
        next = next < end ? next : end;
        k42_result result = leaf_lock(tables, address, LEAF_FIND, &leaf);
        if (result == -EISDIR) {
            (void)user_entry_clear(leaf.upper, ENTRY_ACCESSED);
            address = next;
        }
        for (; result >= 0 && address < next; address += PAGE_BYTES)
            if (user_entry_accessed(user_entry_read(&leaf.entries[leaf_index(address)])))
                (void)user_entry_clear(&leaf.entries[leaf_index(address)], ENTRY_ACCESSED);
        if (result >= 0 || result == -EISDIR)
            leaf_unlock(&leaf);
        address = next;
    }
    user_flush_begin(&flush, tables->table);
    user_flush_range(&flush, start, end, 1);
    user_flush_finish(&flush);
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

k42_result tables_usage(struct hat *self, struct hat_usage *usage) {
    struct hat_tables *tables = tables_of(self);
    uintptr_t at = 0;
    uint64_t *upper;
    *usage = (struct hat_usage){.tables = 1 + tables->table_frames};
    for (; (at = upper_next(tables, at, USER_END, &upper)) < USER_END; at += LEAF_BYTES) {
        struct leaf leaf;
        k42_result result = leaf_lock(tables, at, LEAF_FIND, &leaf);
        if (result == -EISDIR) {
            usage->mapped += LEAF_PAGES;
            leaf_unlock(&leaf);
        } else if (result == 0) {
            usage->mapped += leaf_used(&leaf);
            leaf_unlock(&leaf);
        }
    }
    return 0;
}
