/*
 * Pages that remember a slot of the swap: it has what they have, so they need not be written to go
 * out, only to be forgotten.
 *
 * A page begins to remember a slot when it comes back from there, or when it goes there for one of
 * the entries that have it while others go on reading it. Its frame's record has the slot, and owns
 * a hold of it. That lasts as long as the page does not change:
 *
 *   Nobody can write.  While it remembers, no entry that has the page is writable, and no CPU
 *                      remembers one that was: it came back with an entry that allows nothing; or
 *                      several entries had it, which makes none writable, and a fork's flush is
 *                      over before relief looks at the child (share.c).
 *   Who wants to,      has the page alone (page_is_ours), with the slot of the page tables locked.
 *   forgets first.     Relief would have to come by the same entry, and so waits for that lock.
 *   The last one       of those who have it forgets (page_drop). Before that relief may make it
 *                      remember only by an entry that counts.
 *
 * Besides, a slot is forgotten when it is wanted more (relief), and when its area goes, by any
 * entry. Therefore it is taken out of the record by an exchange: who gets it has its hold.
 *
 * A block of 2 MiB that several entries have, or parts of which they have, cannot be the cache's
 * part by part: copies of its parts go. What a part remembers is in that frame's own record, which
 * nobody uses otherwise; FRAME_REMEMBERS in the tag of the block says that those records are valid.
 */
#include "tables.h"

static uintptr_t *slot_in(struct frame *frame) {
    return &frame->user[1];
}

static void frame_forget(struct frame *frame) {
    swap_slot slot = __atomic_exchange_n(slot_in(frame), 0, __ATOMIC_ACQ_REL);
    if (slot)
        swap_drop(slot);
}

static bool is_in_block(uint64_t entry) {
    return entry & (ENTRY_PART | ENTRY_LARGE);
}

static bool block_remembers(const struct frame *block) {
    return __atomic_load_n(&block->tag, __ATOMIC_ACQUIRE) & FRAME_REMEMBERS;
}

/* The record in which a slot for this entry's page would be; NULL: there is none yet. */
static struct frame *record_of(uint64_t entry) {
    if (is_in_block(entry) && !block_remembers(page_frame(entry)))
        return NULL;
    return frame_at(user_entry_frame(entry));
}

static void block_forget(struct frame *block) {
    for (unsigned at = 0; at < LEAF_PAGES; at++)
        frame_forget(&block[at]);
    __atomic_fetch_and(&block->tag, (uint16_t)~FRAME_REMEMBERS, __ATOMIC_RELEASE);
}

void page_forget_slowly(uint64_t entry) {
    struct frame *record = record_of(entry);
    if (!record)
        return;
    if (entry & ENTRY_LARGE)
        block_forget(record);
    else
        frame_forget(record);
}

void frame_forget_all(struct frame *frame, unsigned order) {
    if (!order)
        frame_forget(frame);
    else if (block_remembers(frame))
        block_forget(frame);
}

bool page_remembers_slowly(uint64_t entry) {
    return entry & ENTRY_LARGE ? block_remembers(page_frame(entry)) : page_slot(entry) != 0;
}

swap_slot page_slot(uint64_t entry) {
    struct frame *record = record_of(entry);
    return record ? __atomic_load_n(slot_in(record), __ATOMIC_RELAXED) : 0;
}

swap_slot page_lend_slot(uint64_t entry) {
    struct frame *record = record_of(entry);
    swap_slot slot = record ? __atomic_exchange_n(slot_in(record), 0, __ATOMIC_ACQ_REL) : 0;
    if (!slot)
        return 0;
    if (!swap_is_open(slot)) {
        swap_drop(slot);
        return 0;
    }
    swap_hold(slot);
    __atomic_store_n(slot_in(record), slot, __ATOMIC_RELEASE);
    return slot;
}

void page_remember(uint64_t entry, swap_slot slot) {
    struct frame *block = page_frame(entry);
    if (is_in_block(entry) && !block_remembers(block)) {
        for (unsigned at = 0; at < LEAF_PAGES; at++)
            *slot_in(&block[at]) = 0;
        __atomic_fetch_or(&block->tag, FRAME_REMEMBERS, __ATOMIC_RELEASE);
    }
    __atomic_store_n(slot_in(frame_at(user_entry_frame(entry))), slot, __ATOMIC_RELEASE);
}

void page_forget_area(uint64_t entry, unsigned area) {
    struct frame *record = record_of(entry);
    unsigned parts = entry & ENTRY_LARGE ? LEAF_PAGES : 1;
    for (unsigned at = 0; record && at < parts; at++) {
        swap_slot slot = __atomic_load_n(slot_in(&record[at]), __ATOMIC_RELAXED);
        if (slot && swap_area_of(slot) == area)
            frame_forget(&record[at]);
    }
}
