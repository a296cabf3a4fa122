/*
 * Fork: one HAT's leaves and large pages become another's as well.
 *
 * Costs some 50 instructions for 2 MiB of addresses in use, whatever is mapped there; what follows
 * is paid by who writes. What a program's other threads write until the flush at the end is seen by
 * both sides or by one: fork says no more than that of it. What they enter goes into leaves of
 * their own, since slot locks and leaf locks order it before the sharing or after.
 *
 * The new HAT is told by a method, in batches. A share on the way counts already, so the page-table
 * page stays; if the other side cannot take it, it is let go of here.
 */
#include "tables.h"

/* A large page: one entry more has it. An object's stays as it is. */
static uint64_t large_share(uint64_t *upper) {
    uint64_t entry = user_entry_read(upper);
    if (!(entry & ENTRY_PRIVATE))
        return entry;
    struct frame *frame = page_frame(entry);
    __atomic_fetch_add(&frame->holds, 1, __ATOMIC_RELAXED);
    user_entry_clear(upper, ENTRY_WRITABLE);
    return entry & ~ENTRY_WRITABLE;
}

static void slot_share(struct hat_tables *tables, uintptr_t address, uint64_t *upper,
                       struct hat_shared *share) {
    struct slot_lock *slot = slot_of(tables, address);
    k42_lock(&slot->lock);
    uint64_t entry = user_entry_read(upper);
    share->address = address;
    if (!entry)
        share->entry = 0;
    else if (user_entry_is_page(entry, 2))
        share->entry = large_share(upper);
    else
        share->entry = leaf_share(upper);
    k42_unlock(&slot->lock);
}

/* A share that nobody took. Whoever shared it is there still, so this is not the last; but for a
 * large page or leaf that he has released meanwhile. */
static void share_drop(struct hat_tables *tables, uint64_t entry) {
    struct frame *frame = frame_at(user_entry_frame(entry));
    if (user_entry_is_page(entry, 2)) {
        if (entry & ENTRY_PRIVATE)
            page_drop(entry);
        return;
    }
    struct leaf leaf = {.frame = frame, .record = leaf_record(frame)};
    leaf.entries = frame_memory(frame);
    k42_lock(&leaf.record->lock);
    bool last = holds_of(frame) == 1;
    if (!last)
        __atomic_fetch_sub(&frame->holds, 1, __ATOMIC_RELEASE);
    k42_unlock(&leaf.record->lock);
    if (!last)
        return;
    for (unsigned at = 0; (at = leaf_next(&leaf, at, LEAF_PAGES)) < LEAF_PAGES; at++)
        if (leaf.entries[at] & ENTRY_PRIVATE)
            page_drop(leaf.entries[at]);
    frame->holds = 0;
    table_give(tables, frame_physical(frame));
}

static k42_result shares_hand_over(struct hat_tables *tables, hat_ref with,
                                   const struct hat_shared *shares, unsigned count) {
    k42_result taken = k42_call(with, adopt, shares, count);
    for (unsigned n = taken < 0 ? 0 : (unsigned)taken; n < count; n++)
        share_drop(tables, shares[n].entry);
    if (taken < 0)
        return taken;
    return taken == count ? 0 : -ENOMEM;
}

k42_result tables_share(struct hat *self, k42_ref with) {
    struct hat_tables *tables = tables_of(self);
    struct hat_shared shares[HAT_SHARE_MAX];
    struct user_flush flush;
    unsigned count = 0;
    uint64_t *upper;
    k42_result result = 0;
    uintptr_t at = 0;
    while (result == 0 && (at = upper_next(tables, at, USER_END, &upper)) < USER_END) {
        slot_share(tables, at, upper, &shares[count]);
        count += shares[count].entry != 0;
        at += LEAF_BYTES;
        if (count == HAT_SHARE_MAX) {
            result = shares_hand_over(tables, (hat_ref)with, shares, count);
            count = 0;
        }
    }
    if (result == 0 && count)
        result = shares_hand_over(tables, (hat_ref)with, shares, count);
    user_flush_begin(&flush, tables->table);
    user_flush_range(&flush, 0, USER_END, 1);
    user_flush_finish(&flush);
    return result;
}

k42_result tables_adopt(struct hat *self, const struct hat_shared *shares, unsigned count) {
    struct hat_tables *tables = tables_of(self);
    for (unsigned n = 0; n < count; n++) {
        struct k42_pair upper = upper_make(tables, shares[n].address);
        if (upper.result < 0)
            return n ? n : upper.result;
        struct slot_lock *slot = slot_of(tables, shares[n].address);
        k42_lock(&slot->lock);
        user_entry_exchange((uint64_t *)upper.word, shares[n].entry);
        k42_unlock(&slot->lock);
    }
    return count;
}
