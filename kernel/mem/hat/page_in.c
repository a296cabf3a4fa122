/*
 * Private pages that come back from the swap (page_out.c), and those of an area that is to go.
 *
 * The slot is held by who brings the page, from the look at the entry to the exchange: so it stays
 * the page it was, and an entry that has the same slot afterwards still means it. The page comes
 * back as one that may not be used, and the fault that is made again allows what the region allows:
 * so bringing needs no lease.
 *
 * While memory is short the cache lets go of what came back, which would be there twice. It is
 * copied, and its frame not moved: that may be part of a block of 2 MiB, is charged to another PM,
 * and belongs to whoever else gets the page from the cache at the same time.
 *
 * If the swap has room for that, the page remembers the slot (remember.c), which takes over the
 * hold that the entry had.
 */
#include "tables.h"

/* The slot of an address, held; 0: its page is not out. */
static struct k42_pair hold_slot(struct hat_tables *tables, uintptr_t address) {
    struct leaf leaf;
    struct k42_pair held = {0, 0};
    held.result = leaf_lock(tables, address, LEAF_OWN, &leaf);
    if (held.result < 0) {
        held.result = held.result == -ENOENT ? 0 : held.result;
        return held;
    }
    uint64_t entry = user_entry_read(&leaf.entries[leaf_index(address)]);
    if (entry & ENTRY_OUT) {
        held.word = entry_slot(entry);
        swap_hold(held.word);
    }
    leaf_unlock(&leaf);
    return held;
}

/* 0: the frame is the page; 1: somebody else was faster; or an error. */
static k42_result put_back(struct hat_tables *tables, uintptr_t address, swap_slot slot,
                           uint64_t physical) {
    struct leaf leaf;
    k42_result result = leaf_lock(tables, address, LEAF_OWN, &leaf);
    if (result < 0)
        return result == -ENOENT ? 1 : result;
    uint64_t *entry = &leaf.entries[leaf_index(address)];
    uint64_t page = entry_allow(entry_private(physical, 1, 0), 0);
    bool same = user_entry_read(entry) == entry_out(slot), kept = same && swap_keeps(slot);
    if (same) {
        page_begin(tables, physical);
        if (kept)
            page_remember(page, slot);
        leaf_note(leaf.frame, HAT_KIND_PRIVATE);
        user_entry_write(entry, page);
    }
    leaf_unlock(&leaf);
    if (same && !kept)
        swap_drop(slot);
    return !same;
}

static k42_result bring(struct hat_tables *tables, uintptr_t address, swap_slot slot) {
    struct k42_pair taken = k42_call(tables->pm, take, 0, 0);
    if (taken.result < 0)
        return taken.result;
    k42_result result = swap_get(slot, taken.word);
    if (result >= 0)
        result = put_back(tables, address, slot, taken.word);
    if (result)
        frame_give(k42_id_of(tables->pm), taken.word, 0, 0);
    else
        swap_came_back(slot);
    return result < 0 ? result : 0;
}

k42_result tables_bring(struct hat *self, uintptr_t address) {
    struct hat_tables *tables = tables_of(self);
    struct k42_pair held = hold_slot(tables, address);
    if (held.result < 0 || !held.word)
        return held.result;
    k42_result result = bring(tables, address, held.word);
    swap_drop(held.word);
    return result;
}

/* ---- an area that is to go ---- */

/* The next entry of a locked leaf from `at` on whose page is in the area; pages that only remember
 * a slot there forget it. LEAF_PAGES: none. */
static unsigned leaf_next_out(const struct leaf *leaf, unsigned at, unsigned area) {
    for (; (at = leaf_next(leaf, at, LEAF_PAGES)) < LEAF_PAGES; at++) {
        uint64_t entry = user_entry_read(&leaf->entries[at]);
        if (entry & ENTRY_OUT && swap_area_of(entry_slot(entry)) == area)
            break;
        if (entry & ENTRY_PRIVATE)
            page_forget_area(entry, area);
    }
    return at;
}

struct k42_pair tables_next_out(struct hat *self, uintptr_t address, unsigned area) {
    struct hat_tables *tables = tables_of(self);
    uint64_t *upper;
    while ((address = upper_next(tables, address, USER_END, &upper)) < USER_END) {
        struct leaf leaf;
        k42_result result = leaf_lock(tables, address, LEAF_FIND, &leaf);
        unsigned at = LEAF_PAGES;
        if (result == 0)
            at = leaf_next_out(&leaf, leaf_index(address), area);
        else if (result == -EISDIR && user_entry_read(leaf.upper) & ENTRY_PRIVATE)
            page_forget_area(user_entry_read(leaf.upper), area);
        if (result == 0 || result == -EISDIR)
            leaf_unlock(&leaf);
        if (at < LEAF_PAGES)
            return (struct k42_pair){0, leaf_start(address) + at * PAGE_BYTES};
        address = leaf_start(address) + LEAF_BYTES;
    }
    return (struct k42_pair){-ENOENT, 0};
}
