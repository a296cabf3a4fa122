/*
 * What becomes of whole leaves: a shared one is copied or, when nobody else has it any more, one's
 * own again; a large page is parted.
 *
 * All with the slot locked. Nothing here fails or allocates: the frame was taken before.
 */
#include "tables.h"

static void slot_flush(struct hat_tables *tables, uintptr_t start, size_t length) {
    struct user_flush flush;
    user_flush_begin(&flush, tables->table);
    user_flush_range(&flush, start, start + length, 1);
    user_flush_finish(&flush);
}

/*
 * An object's page may have left a shared leaf on behalf of somebody else who had it, and our CPUs
 * remember it still; once our leaf is not shared, the FCM that asks us finds nothing and takes that
 * for an answer. So they forget everything of a leaf that has lost something. Otherwise all they
 * remember is true: a shared leaf permits no writing, and what it permits is the same in a copy.
 * (What they remember as writable from before a fork, that fork forgets when it has shared all.)
 */
static bool leaf_lost(const struct frame *frame) {
    return __atomic_load_n(&frame->tag, __ATOMIC_RELAXED) & LEAF_LOST;
}

/* Our CPUs no longer use the shared leaf. Forgetting one page makes them forget the upper entry. */
static void leaf_forget(struct hat_tables *tables, uintptr_t address, const struct frame *frame) {
    if (leaf_lost(frame))
        slot_flush(tables, leaf_start(address), LEAF_BYTES);
    else
        slot_flush(tables, address & ~(PAGE_BYTES - 1), PAGE_BYTES);
}

/* Its own again, which CPUs that remember less find out by a fault. */
static void leaf_return(struct hat_tables *tables, uintptr_t address, uint64_t *upper) {
    struct frame *frame = frame_at(user_entry_frame(user_entry_read(upper)));
    if (leaf_lost(frame)) {
        slot_flush(tables, leaf_start(address), LEAF_BYTES);
        frame->tag &= (uint16_t)~LEAF_LOST;
    }
    user_entry_write(upper, user_entry_table(user_entry_frame(user_entry_read(upper))));
}

/*
 * Nobody can begin to share it: only who has it can, and that is us, with the slot locked. Who let
 * it go has flushed before, and unlocked it afterwards: that is waited for.
 */
bool leaf_reclaim(struct hat_tables *tables, uintptr_t address, uint64_t *upper) {
    struct frame *frame = frame_at(user_entry_frame(user_entry_read(upper)));
    struct leaf_record *record = leaf_record(frame);
    if (holds_of(frame) != 1)
        return false;
    k42_lock(&record->lock);
    k42_unlock(&record->lock);
    leaf_return(tables, address, upper);
    return true;
}

/* What a copy of a private page's entry is; the page is writable in neither afterwards. */
static uint64_t entry_share(uint64_t *entry) {
    uint64_t value = user_entry_read(entry);
    struct frame *frame = page_frame(value);
    __atomic_fetch_add(&frame->holds, 1, __ATOMIC_RELAXED);
    if (value & ENTRY_PART)
        __atomic_fetch_or(&frame->tag, FRAME_FORKED, __ATOMIC_RELAXED);
    if (value & ENTRY_WRITABLE)
        user_entry_clear(entry, ENTRY_WRITABLE);
    return value & ~ENTRY_WRITABLE;
}

/* Eight entries; whether one is in use. */
static bool group_copy(uint64_t *from, uint64_t *to) {
    uint64_t any = 0;
#pragma GCC unroll 8
    for (unsigned at = 0; at < 8; at++) {
        uint64_t value = user_entry_read(&from[at]);
        to[at] = value & ENTRY_PRIVATE ? entry_share(&from[at]) : value;
        if (__builtin_expect(value & ENTRY_OUT, 0))
            swap_hold(entry_slot(value));
        any |= value;
    }
    return any;
}

/* Into a table that is empty. */
static void leaf_copy(struct frame *from_frame, struct frame *to_frame) {
    uint64_t *from = frame_memory(from_frame), *to = frame_memory(to_frame), used = 0;
    for (uint64_t rest = leaf_record(from_frame)->groups; rest; rest &= rest - 1) {
        unsigned group = (unsigned)__builtin_ctzl(rest);
        used |= (uint64_t)group_copy(from + group * 8, to + group * 8) << group;
    }
    to_frame->tag = from_frame->tag & (uint16_t)~LEAF_LOST;
    leaf_record(to_frame)->groups = used;
}

/*
 * The flush comes before the shared leaf is unlocked. Until it is over, other CPUs of this address
 * space may use the shared leaf, and whoever has it alone next may change it.
 */
bool leaf_unshare(struct hat_tables *tables, uintptr_t address, uint64_t *upper, uint64_t spare) {
    uint64_t entry = user_entry_read(upper);
    struct frame *frame = frame_at(user_entry_frame(entry));
    struct leaf_record *record = leaf_record(frame);
    k42_lock(&record->lock);
    bool copy = holds_of(frame) != 1;
    if (copy) {
        leaf_copy(frame, frame_at(spare));
        user_entry_exchange(upper, user_entry_table(spare));
        leaf_forget(tables, address, frame);
        __atomic_fetch_sub(&frame->holds, 1, __ATOMIC_RELEASE);
    } else {
        leaf_return(tables, address, upper);
    }
    k42_unlock(&record->lock);
    return copy;
}

/* A large page that nobody else has becomes 512 pages, each with a frame of its own. */
static void frame_divide(uint64_t large) {
    struct frame *frame = page_frame(large);
    uintptr_t pm = frame->user[0];
    page_forget(large);
    frame_part(frame);
    for (unsigned at = 0; at < LEAF_PAGES; at++) {
        frame[at].holds = 1;
        frame[at].user[0] = pm;
    }
}

/* Parts of a page of an object are the object's, too: only private ones are counted. One that
 * others have keeps its block, which counts the parts. */
void leaf_part(struct hat_tables *tables, uintptr_t address, uint64_t *upper, uint64_t spare) {
    uint64_t large = user_entry_read(upper);
    uint64_t *entries = machine_memory(spare);
    struct leaf_record *record = leaf_record(frame_at(spare));
    bool private = large & ENTRY_PRIVATE, ours = private && page_is_ours(large);
    if (ours) {
        frame_divide(large);
        private = false;
    } else if (private) {
        struct frame *frame = page_frame(large);
        bool last = __atomic_fetch_add(&frame->holds, LEAF_PAGES - 1, __ATOMIC_ACQ_REL) == 1;
        if (last)
            __atomic_fetch_and(&frame->tag, (uint16_t)~FRAME_FORKED, __ATOMIC_RELAXED);
        else
            __atomic_fetch_or(&frame->tag, FRAME_FORKED, __ATOMIC_RELAXED);
    }
    /* The processor may note accesses until the large entry is gone; those are taken over here, or
     * do no harm: private pages have both bits set, an object's are asked for by look(). */
    uint64_t part = (large & ~ENTRY_LARGE) | (private ? ENTRY_PART : 0);
    for (unsigned at = 0; at < LEAF_PAGES; at++)
        entries[at] = part + at * PAGE_BYTES;
    frame_at(spare)->tag = LEAF_PAGES;
    leaf_note(frame_at(spare), entry_kind(large));
    record->groups = ~0ul;
    struct user_flush flush;
    user_entry_exchange(upper, user_entry_table(spare));
    user_flush_begin(&flush, tables->table);
    user_flush_range(&flush, leaf_start(address), leaf_start(address) + LEAF_BYTES, 2);
    user_flush_finish(&flush);
}

/* The flush comes before it is let go, for the same reason as in leaf_unshare(). */
bool leaf_leave(struct hat_tables *tables, uintptr_t address, uint64_t *upper) {
    struct frame *frame = frame_at(user_entry_frame(user_entry_read(upper)));
    struct leaf_record *record = leaf_record(frame);
    k42_lock(&record->lock);
    bool others = holds_of(frame) != 1;
    if (others) {
        user_entry_exchange(upper, 0);
        slot_flush(tables, leaf_start(address), LEAF_BYTES);
        __atomic_fetch_sub(&frame->holds, 1, __ATOMIC_RELEASE);
    } else {
        leaf_return(tables, address, upper);
    }
    k42_unlock(&record->lock);
    return others;
}

uint64_t leaf_share(uint64_t *upper) {
    uint64_t entry = user_entry_read(upper);
    struct frame *frame = frame_at(user_entry_frame(entry));
    struct leaf_record *record = leaf_record(frame);
    uint64_t shared = user_entry_shared_table(user_entry_frame(entry));
    k42_lock(&record->lock);
    __atomic_fetch_add(&frame->holds, 1, __ATOMIC_RELAXED);
    user_entry_exchange(upper, shared);
    k42_unlock(&record->lock);
    return shared;
}
