/*
 * Taking pages away, and allowing less: for FCMs, whose pages leave all address spaces, and for
 * regions, whose addresses end or change.
 *
 * Both go from leaf to leaf through what is there, so an empty range costs little however long it
 * is. What regions change in a shared leaf they change in a copy of their own. FCMs change the
 * shared leaf itself, for everyone who has it; everybody's CPUs are flushed because the FCM asks
 * each address space it is attached to, and each flushes the range of a leaf it shares, whatever
 * it finds there.
 */
#include "tables.h"

struct removal {
    struct gather gather;
    unsigned protection;
    bool all;  /* private pages, too, for a region; otherwise pages of objects alone */
    long done; /* pages */
};

static uintptr_t end_of_slot(uintptr_t address, uintptr_t end) {
    uintptr_t slot_end = leaf_start(address) + LEAF_BYTES;
    return slot_end < end ? slot_end : end;
}

/* ---- pages of objects ---- */

/* One entry: taken away when nothing is allowed any more, or else allowed less. */
static void object_change(struct removal *removal, struct leaf *leaf, unsigned index) {
    uint64_t *entry = &leaf->entries[index], old = user_entry_read(entry);
    if (!old || old & (ENTRY_PRIVATE | ENTRY_OUT))
        return;
    removal->done++;
    if (removal->protection & HAT_READ) {
        if (!(removal->protection & HAT_WRITE))
            user_entry_clear(entry, ENTRY_WRITABLE);
        return;
    }
    leaf_take(leaf, index);
    if (leaf->shared)
        leaf->frame->tag |= LEAF_LOST;
}

/* The large page of a locked slot, if it is an object's: allowed less, or taken away as a whole, so
 * that no table is needed and nothing fails. False: it is a private one. */
static bool object_change_large(struct removal *removal, uint64_t *upper, uintptr_t address) {
    uint64_t entry = user_entry_read(upper);
    if (entry & ENTRY_PRIVATE)
        return false;
    removal->done += LEAF_PAGES;
    if (!(removal->protection & HAT_READ))
        user_entry_exchange(upper, 0);
    else if (!(removal->protection & HAT_WRITE) && user_entry_writable(entry))
        user_entry_clear(upper, ENTRY_WRITABLE);
    else
        return true;
    user_flush_range(&removal->gather.flush, leaf_start(address), leaf_start(address) + LEAF_BYTES,
                     2);
    return true;
}

/* The addresses [start, end) of one slot. */
static k42_result object_slot(struct removal *removal, uintptr_t start, uintptr_t end) {
    struct hat_tables *tables = removal->gather.tables;
    struct leaf leaf;
    k42_result result = leaf_lock(tables, start, LEAF_FIND, &leaf);
    if (result == -EISDIR) {
        (void)object_change_large(removal, leaf.upper, start);
        leaf_unlock(&leaf);
        return 0;
    }
    if (result < 0)
        return result == -ENOENT ? 0 : result;
    unsigned to = leaf_index(end - PAGE_BYTES) + 1;
    long before = removal->done;
    for (unsigned at = leaf_index(start); (at = leaf_next(&leaf, at, to)) < to; at++)
        object_change(removal, &leaf, at);
    if (leaf.shared || removal->done != before)
        user_flush_range(&removal->gather.flush, start, end, 1);
    leaf_unlock(&leaf);
    return 0;
}

static k42_result objects_change(struct hat *self, uintptr_t address, size_t length,
                                 unsigned protection) {
    struct removal removal = {.protection = protection};
    uintptr_t end = address + length, next;
    uint64_t *upper;
    k42_result result = 0;
    gather_begin(&removal.gather, tables_of(self));
    while (result == 0 && (address = upper_next(tables_of(self), address, end, &upper)) < end) {
        next = end_of_slot(address, end);
        result = object_slot(&removal, address, next);
        address = next;
    }
    gather_finish(&removal.gather);
    return result < 0 ? result : removal.done;
}

k42_result tables_unmap(struct hat *self, uintptr_t address, size_t length) {
    return objects_change(self, address, length, 0);
}

k42_result tables_protect(struct hat *self, uintptr_t address, size_t length, unsigned protection) {
    k42_result result = objects_change(self, address, length, protection);
    return result < 0 ? result : 0;
}

/* ---- everything ---- */

/* A slot as a whole when it need not be looked into: nothing, a large page, a leaf that others
 * share. True when that was it. */
static bool slot_drop(struct removal *removal, uintptr_t start) {
    struct gather *gather = &removal->gather;
    struct slot_lock *slot = slot_of(gather->tables, start);
    uint64_t *upper = upper_find(gather->tables, start);
    k42_lock(&slot->lock);
    uint64_t entry = user_entry_read(upper);
    bool dropped = true;
    if (user_entry_present(entry) && user_entry_is_page(entry, 2)) {
        user_entry_exchange(upper, 0);
        user_flush_range(&gather->flush, start, start + LEAF_BYTES, 2);
        if (entry & ENTRY_PRIVATE)
            gather_page(gather, entry);
        removal->done += LEAF_PAGES;
    } else if (user_entry_shared(entry)) {
        dropped = leaf_leave(gather->tables, start, upper);
    } else if (entry) {
        dropped = false;
    }
    k42_unlock(&slot->lock);
    return dropped;
}

/* Takes entries away until all are or the gatherer is full; says where it stopped. */
static unsigned leaf_empty(struct removal *removal, struct leaf *leaf, unsigned from, unsigned to) {
    while ((from = leaf_next(leaf, from, to)) < to) {
        unsigned group_end = (from | 7) + 1;
        for (; from < group_end && from < to; from++) {
            if (!user_entry_read(&leaf->entries[from]))
                continue;
            if (gather_is_full(&removal->gather))
                return from;
            uint64_t entry = leaf_take(leaf, from);
            if (entry & ENTRY_PRIVATE)
                gather_page(&removal->gather, entry);
            else if (entry & ENTRY_OUT)
                swap_drop(entry_slot(entry));
            removal->done++;
        }
    }
    return to;
}

/* Part of a leaf, or all of one that is nobody else's. */
static k42_result leaf_release(struct removal *removal, uintptr_t start, uintptr_t end) {
    struct gather *gather = &removal->gather;
    struct leaf leaf;
    unsigned from = leaf_index(start), to = leaf_index(end - PAGE_BYTES) + 1;
    while (from < to) {
        k42_result result = leaf_lock(gather->tables, start, LEAF_FIND, &leaf);
        bool over = result == 0 && leaf_next(&leaf, from, to) == to && leaf_used(&leaf);
        if (result == -EISDIR) {
            over = object_change_large(removal, leaf.upper, start);
            leaf_unlock(&leaf);
        } else if (result == 0 && (over || leaf.shared)) {
            leaf_unlock(&leaf);
        }
        if (result == -ENOENT || over)
            return 0;
        if (result == -EISDIR || (result == 0 && leaf.shared))
            result = leaf_lock(gather->tables, start, LEAF_OWN, &leaf);
        if (result < 0)
            return result == -ENOENT ? 0 : result;
        from = leaf_empty(removal, &leaf, from, to);
        user_flush_range(&gather->flush, start, end, 1);
        if (leaf_used(&leaf) == 0) {
            user_entry_exchange(leaf.upper, 0);
            gather_leaf(gather, leaf.frame);
        }
        leaf_unlock(&leaf);
        if (gather_is_full(gather))
            gather_finish(gather);
    }
    return 0;
}

k42_result tables_release(struct hat *self, uintptr_t address, size_t length) {
    struct removal removal = {.all = true};
    uintptr_t end = address + length, next;
    uint64_t *upper;
    k42_result result = 0;
    gather_begin(&removal.gather, tables_of(self));
    while (result == 0 && (address = upper_next(tables_of(self), address, end, &upper)) < end) {
        next = end_of_slot(address, end);
        if (next - address != LEAF_BYTES || !slot_drop(&removal, address))
            result = leaf_release(&removal, address, next);
        if (gather_is_full(&removal.gather))
            gather_finish(&removal.gather);
        address = next;
    }
    gather_finish(&removal.gather);
    return result < 0 ? result : removal.done;
}

/* ---- rights of a range ---- */

static void allow_entry(struct removal *removal, struct leaf *leaf, unsigned index) {
    uint64_t *entry = &leaf->entries[index], old = user_entry_read(entry);
    unsigned protection = removal->protection;
    if (old & ENTRY_OUT)
        return;
    if (old & ENTRY_PRIVATE) {
        if (protection & HAT_WRITE && (!page_is_ours(old) || page_remembers(old)))
            protection &= ~(unsigned)HAT_WRITE;
    } else if (!(protection & HAT_READ)) {
        leaf_take(leaf, index);
        return;
    } else if (!user_entry_writable(old)) {
        protection &= ~(unsigned)HAT_WRITE;
    }
    user_entry_exchange(entry, entry_allow(old, protection) | (old & ENTRY_UNCACHED));
}

/* A large page as a whole; an object's goes when only a part of it is meant. True when that is
 * done. */
static bool allow_large(struct removal *removal, uintptr_t start, uintptr_t end) {
    struct slot_lock *slot = slot_of(removal->gather.tables, start);
    uint64_t *upper = upper_find(removal->gather.tables, start), allowed = 0;
    unsigned protection = removal->protection;
    k42_lock(&slot->lock);
    uint64_t entry = user_entry_read(upper);
    bool private = entry & ENTRY_PRIVATE;
    bool whole = end - start == LEAF_BYTES && protection & HAT_READ;
    bool large = entry & ENTRY_LARGE && (whole || !private);
    if (large && whole) {
        if (private ? !page_is_ours(entry) || page_remembers(entry) : !user_entry_writable(entry))
            protection &= ~(unsigned)HAT_WRITE;
        allowed = entry_allow(entry, protection);
    }
    if (large) {
        user_entry_exchange(upper, allowed);
        user_flush_range(&removal->gather.flush, leaf_start(start), leaf_start(start) + LEAF_BYTES,
                         2);
    }
    k42_unlock(&slot->lock);
    return large;
}

static k42_result allow_slot(struct removal *removal, uintptr_t start, uintptr_t end) {
    struct leaf leaf;
    if (allow_large(removal, start, end))
        return 0;
    k42_result result = leaf_lock(removal->gather.tables, start, LEAF_OWN, &leaf);
    if (result < 0)
        return result == -ENOENT ? 0 : result;
    unsigned to = leaf_index(end - PAGE_BYTES) + 1;
    for (unsigned at = leaf_index(start); (at = leaf_next(&leaf, at, to)) < to; at++)
        allow_entry(removal, &leaf, at);
    user_flush_range(&removal->gather.flush, start, end, 1);
    leaf_unlock(&leaf);
    return 0;
}

k42_result tables_allow(struct hat *self, uintptr_t address, size_t length, unsigned protection) {
    struct removal removal = {.protection = protection};
    uintptr_t end = address + length, next;
    uint64_t *upper;
    k42_result result = 0;
    gather_begin(&removal.gather, tables_of(self));
    while (result == 0 && (address = upper_next(tables_of(self), address, end, &upper)) < end) {
        next = end_of_slot(address, end);
        result = allow_slot(&removal, address, next);
        address = next;
    }
    gather_finish(&removal.gather);
    return result;
}

/* ---- to another place ---- */

/* Takes up to GATHER_MAX entries of a leaf out, at most to its end. */
static k42_result entries_take(struct hat_tables *tables, uintptr_t from, uintptr_t end,
                               uint64_t *entries, unsigned count) {
    struct gather gather;
    struct leaf leaf;
    for (unsigned n = 0; n < count; n++)
        entries[n] = 0;
    k42_result result = leaf_lock(tables, from, LEAF_OWN, &leaf);
    if (result < 0)
        return result == -ENOENT ? 0 : result;
    gather_begin(&gather, tables);
    for (unsigned n = 0; n < count; n++)
        entries[n] = leaf_take(&leaf, leaf_index(from) + n);
    user_flush_range(&gather.flush, from, end, 1);
    if (leaf_used(&leaf) == 0) {
        user_entry_exchange(leaf.upper, 0);
        gather_leaf(&gather, leaf.frame);
    }
    leaf_unlock(&leaf);
    gather_finish(&gather);
    return 0;
}

/* Puts private ones into another leaf. Its table may have to be made: -ENOMEM, -K42_WAIT. */
static k42_result entries_put(struct hat_tables *tables, uintptr_t to, const uint64_t *entries,
                              unsigned count) {
    struct leaf leaf;
    k42_result result = leaf_lock(tables, to, LEAF_MAKE, &leaf);
    if (result == -EISDIR)
        leaf_unlock(&leaf);
    if (result < 0)
        return result;
    for (unsigned n = 0; n < count; n++) {
        if (!(entries[n] & (ENTRY_PRIVATE | ENTRY_OUT)))
            continue;
        leaf_put(&leaf, leaf_index(to) + n, entries[n]);
        leaf_note(leaf.frame, entry_kind(entries[n]));
    }
    leaf_unlock(&leaf);
    return 0;
}

/* Every leaf that the move needs is there, and its own, so nothing fails half-way. */
static k42_result move_prepare(struct hat_tables *tables, uintptr_t from, uintptr_t to,
                               size_t length) {
    uintptr_t end = from + length;
    uint64_t *upper;
    struct leaf leaf;
    for (uintptr_t at = from; (at = upper_next(tables, at, end, &upper)) < end;) {
        k42_result result = leaf_lock(tables, at, LEAF_OWN, &leaf);
        if (result == 0)
            leaf_unlock(&leaf);
        else if (result != -ENOENT)
            return result;
        uintptr_t next = end_of_slot(at, end);
        for (uintptr_t place = at - from + to; result == 0 && place < next - from + to;
             place = leaf_start(place) + LEAF_BYTES) {
            result = leaf_lock(tables, place, LEAF_MAKE, &leaf);
            if (result == 0 || result == -EISDIR)
                leaf_unlock(&leaf);
            if (result < 0)
                return result;
        }
        at = next;
    }
    return 0;
}

k42_result tables_move(struct hat *self, uintptr_t from, uintptr_t to, size_t length) {
    struct hat_tables *tables = tables_of(self);
    uintptr_t end = from + length, next;
    uint64_t *upper, entries[GATHER_MAX];
    k42_result result = move_prepare(tables, from, to, length);
    while (result == 0 && (from = upper_next(tables, from, end, &upper)) < end) {
        next = end_of_slot(from, end);
        uintptr_t place = from + (to - (end - length)), place_end = end_of_slot(place, ~0ul);
        if (next - from > place_end - place)
            next = from + (place_end - place);
        if (next - from > GATHER_MAX * PAGE_BYTES)
            next = from + GATHER_MAX * PAGE_BYTES;
        unsigned count = (unsigned)((next - from) / PAGE_BYTES);
        result = entries_take(tables, from, next, entries, count);
        if (result == 0)
            result = entries_put(tables, place, entries, count);
        from = next;
    }
    return result;
}
