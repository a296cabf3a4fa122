/*
 * Private pages that leave memory and come back.
 *
 * A page that is out has an entry all the same: not present, with ENTRY_OUT and its slot in the
 * swap
 * (../swap/swap.h) where the frame's number would be. The entry owns a hold of the slot as that of
 * a private page owns one of its frame: copied with a leaf it counts once more, moved it moves,
 * released it is dropped. So fork, exit, munmap and mremap need nothing else, whatever the page is
 * doing.
 *
 * Going out. A clock goes round the address space: what the processor has noted as used stays, and
 * the note is taken away. Of the others, as many as there are slots at hand, the entries are
 * exchanged with the slot locked; then every CPU forgets them, and only then the frames are given
 * to the swap. What a program writes until its CPU has forgotten the page is in the frame. What it
 * wants afterwards is a fault, which waits until the swap has the page. Only pages that one entry
 * has, in a leaf of its own, go: nobody else can reach their frames.
 *
 * Coming back. The slot is held by who brings the page, from the look at the entry to the exchange:
 * so it stays the page it was, and an entry that has the same slot afterwards still means it. The
 * page comes back as one that may not be used, and the fault that is made again allows what the
 * region allows: so bringing needs no lease.
 */
#include "tables.h"

#include "../../sched/wait.h"

enum { OUT_AT_ONCE = 16, LOOKS = 8192 };

/* ---- going out ---- */

struct outgoing {
    struct hat_tables *tables;
    unsigned slots, taken;
    uint64_t slot[OUT_AT_ONCE], frames[OUT_AT_ONCE];
    unsigned looks; /* that may still be made */
    bool found;     /* a page that went, or counts as unused from now on */
    bool flush_needed;
};

static bool may_go(uint64_t entry) {
    return entry & ENTRY_PRIVATE && !(entry & ENTRY_PART) && page_is_ours(entry);
}

static void look_at_entry(struct outgoing *out, uint64_t *entry) {
    uint64_t value = user_entry_read(entry);
    if (!may_go(value))
        return;
    if (user_entry_present(value) && user_entry_accessed(value)) {
        (void)user_entry_clear(entry, ENTRY_ACCESSED);
    } else {
        value = user_entry_exchange(entry, entry_out(out->slot[out->taken]));
        out->frames[out->taken++] = user_entry_frame(value);
    }
    out->found = true;
    out->flush_needed = true;
}

/* Looks at a leaf from an address on. Returns where it stopped. */
static uintptr_t look_at_leaf(struct outgoing *out, struct leaf *leaf, uintptr_t address) {
    struct user_flush flush;
    uintptr_t start = leaf_start(address);
    unsigned at = leaf_index(address);
    user_flush_begin(&flush, out->tables->table);
    for (; out->looks && out->taken < out->slots &&
           (at = leaf_next(leaf, at, LEAF_PAGES)) < LEAF_PAGES;
         at++, out->looks--)
        look_at_entry(out, &leaf->entries[at]);
    if (out->flush_needed)
        user_flush_range(&flush, start, start + LEAF_BYTES, 1);
    leaf_unlock(leaf);
    user_flush_finish(&flush);
    out->flush_needed = false;
    return start + at * PAGE_BYTES;
}

/* A large page that was not used is parted into pages of their own. */
static void look_at_large(struct outgoing *out, uintptr_t address) {
    struct hat_tables *tables = out->tables;
    struct slot_lock *slot = slot_of(tables, address);
    uint64_t *upper = upper_find(tables, address);
    struct k42_pair table = table_take(tables, PM_URGENT | PM_TRY);
    if (table.result < 0)
        return;
    k42_lock(&slot->lock);
    uint64_t entry = user_entry_read(upper);
    bool large = entry & ENTRY_LARGE && entry & ENTRY_PRIVATE && page_is_ours(entry);
    if (large && user_entry_accessed(entry)) {
        struct user_flush flush;
        (void)user_entry_clear(upper, ENTRY_ACCESSED);
        user_flush_begin(&flush, tables->table);
        user_flush_range(&flush, leaf_start(address), leaf_start(address) + LEAF_BYTES, 2);
        user_flush_finish(&flush);
        out->found = true;
        large = false;
    }
    if (large)
        leaf_part(tables, address, upper, table.word);
    k42_unlock(&slot->lock);
    if (!large)
        table_give(tables, table.word);
}

/* One leaf, or one large page. Returns where to go on. */
static uintptr_t look_at_slot(struct outgoing *out, uintptr_t address) {
    struct leaf leaf;
    k42_result result = leaf_lock(out->tables, address, LEAF_FIND, &leaf);
    if (result == -EISDIR) {
        leaf_unlock(&leaf);
        look_at_large(out, address);
        result = leaf_lock(out->tables, address, LEAF_FIND, &leaf);
    }
    if (result == 0 && leaf.shared && holds_of(leaf.frame) == 1) {
        leaf_unlock(&leaf);
        result = leaf_lock(out->tables, address, LEAF_OWN, &leaf);
    }
    if (result == 0 && !leaf.shared)
        return look_at_leaf(out, &leaf, address);
    if (result == 0 || result == -EISDIR)
        leaf_unlock(&leaf);
    return leaf_start(address) + LEAF_BYTES;
}

static void hand_over(struct outgoing *out) {
    for (unsigned n = 0; n < out->taken; n++) {
        struct frame *frame = frame_at(out->frames[n]);
        frame->holds = 0;
        frame->tag = 0;
        swap_put(out->slot[n], out->frames[n]);
    }
}

/* The hand comes to the end. True: in a whole round there was nothing. */
static bool end_round(struct outgoing *out) {
    struct hat_tables *tables = out->tables;
    bool nothing = !out->found && !tables->found;
    tables->found = false;
    return nothing;
}

/* Goes on where the hand stands, once round at most. True: in vain, and so it would be again. */
static bool go_round(struct outgoing *out) {
    struct hat_tables *tables = out->tables;
    uintptr_t hand = __atomic_load_n(&tables->hand, __ATOMIC_RELAXED), at = hand;
    uint64_t *upper;
    bool wrapped = false, nothing = false;
    while (out->looks && out->taken < out->slots) {
        at = upper_next(tables, at, USER_END, &upper);
        if (wrapped && at >= hand)
            break;
        if (at >= USER_END) {
            nothing = end_round(out);
            at = 0;
            if (wrapped || !hand)
                break;
            wrapped = true;
            continue;
        }
        out->looks--;
        at = look_at_slot(out, at);
    }
    tables->found = tables->found || out->found;
    __atomic_store_n(&tables->hand, at < USER_END ? at : 0, __ATOMIC_RELAXED);
    return nothing;
}

struct k42_pair tables_page_out(struct hat *self, uint64_t wanted, k42_ref pm) {
    struct outgoing out = {.tables = tables_of(self), .looks = LOOKS};
    if (pm != K42_NULL_REF && pm != (k42_ref)out.tables->pm)
        return (struct k42_pair){0, 0};
    while (out.slots < OUT_AT_ONCE && out.slots < wanted && (out.slot[out.slots] = swap_take()))
        out.slots++;
    bool more = out.slots && !go_round(&out);
    hand_over(&out);
    for (unsigned n = out.taken; n < out.slots; n++)
        swap_spare(out.slot[n]);
    return (struct k42_pair){out.taken, more};
}

/* ---- coming back ---- */

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
    bool same = user_entry_read(entry) == entry_out(slot);
    if (same) {
        page_begin(tables, physical);
        user_entry_write(entry, entry_allow(entry_private(physical, 1, 0), 0));
    }
    leaf_unlock(&leaf);
    if (same)
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

/* ---- who is out ---- */

struct k42_pair tables_next_out(struct hat *self, uintptr_t address, unsigned area) {
    struct hat_tables *tables = tables_of(self);
    uint64_t *upper;
    while ((address = upper_next(tables, address, USER_END, &upper)) < USER_END) {
        struct leaf leaf;
        k42_result result = leaf_lock(tables, address, LEAF_FIND, &leaf);
        unsigned at = leaf_index(address);
        for (; result == 0 && (at = leaf_next(&leaf, at, LEAF_PAGES)) < LEAF_PAGES; at++) {
            uint64_t entry = user_entry_read(&leaf.entries[at]);
            if (entry & ENTRY_OUT && swap_area_of(entry_slot(entry)) == area) {
                leaf_unlock(&leaf);
                return (struct k42_pair){0, leaf_start(address) + at * PAGE_BYTES};
            }
        }
        if (result == 0 || result == -EISDIR)
            leaf_unlock(&leaf);
        address = leaf_start(address) + LEAF_BYTES;
    }
    return (struct k42_pair){-ENOENT, 0};
}
