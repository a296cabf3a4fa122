/*
 * Private pages that leave memory.
 *
 * A page that is out has an entry all the same: not present, with ENTRY_OUT and its slot in the
 * swap (../swap/swap.h) where the frame's number would be. The entry owns a hold of the slot as
 * that of a private page owns one of its frame: copied with a leaf it counts once more, moved it
 * moves, released it is dropped. So fork, exit, munmap and mremap need nothing else, whatever the
 * page is doing.
 *
 * A clock goes round the address space: what the processor has noted as used stays, and the note is
 * taken away. Of the others the entries are exchanged with the slot of the tables locked, as many
 * as there are slots of the swap at hand; then every CPU forgets them, and only then
 *
 *   a page that remembers a slot (remember.c)  loses an entry: nothing is written;
 *   a page that nobody else has                is the swap's;
 *   a page that others have as well            is the swap's, too, and remembers the slot: their
 *                                              entries follow when the clock comes to them;
 *   a part of a large page                     is copied, for it cannot go by itself. What others
 *                                              have of it remembers the slot.
 *
 * What a program writes until its CPU has forgotten the page is in the frame; what it wants
 * afterwards is a fault, which waits until the swap has the page. Nobody writes to a page that
 * others have: neither they nor the swap's cache find it changed under them.
 *
 * A leaf that several address spaces share is first looked at as it is. When a page of it is to go,
 * the address space gets a leaf of its own, as if it wrote: so entries change in one address space
 * at a time, and its CPUs are those to be told.
 *
 * Owns: where the clock stands. Locking: relief's thread alone comes here. Fails: never; what takes
 * a frame that is not to be had stays.
 */
#include "outgoing.h"

enum { LOOKS = 8192 };

/* Without any slot those go on that need none. */
static bool is_over(const struct outgoing *out) {
    return !out->looks || out->count == out->most || out->copy_lacks ||
           (out->had_slots && !out->slots);
}

/* ---- one page ---- */

/* Whether a page that remembers no slot could go to one. The cache may have it still, from before
 * it forgot: then it has to leave there first. */
static bool may_have_slot(const struct outgoing *out, uint64_t entry) {
    if (!out->slots || (entry & ENTRY_PART && out->no_copies))
        return false;
    return entry & ENTRY_PART || !(holds_of(page_frame(entry)) & FRAME_CACHED);
}

static bool may_go(const struct outgoing *out, uint64_t entry) {
    return entry & ENTRY_PRIVATE && (page_remembers(entry) || may_have_slot(out, entry));
}

/* A page that is used keeps a slot only as long as there are many. */
static void stay(uint64_t *entry, uint64_t value) {
    (void)user_entry_clear(entry, ENTRY_ACCESSED);
    if (page_remembers(value) && !swap_is_roomy())
        page_forget(value);
}

static void go(struct outgoing *out, uint64_t *entry, struct gone gone) {
    gone.entry = user_entry_exchange(entry, entry_out(gone.slot));
    out->gone[out->count++] = gone;
}

/* False: it has to stay after all. */
static bool send(struct outgoing *out, uint64_t *entry, uint64_t value) {
    struct gone gone = {.slot = page_lend_slot(value)};
    gone.known = gone.slot != 0;
    if (!gone.known && !may_have_slot(out, value))
        return false;
    if (!gone.known && value & ENTRY_PART) {
        out->copy_lacks = !out->copies;
        if (out->copy_lacks)
            return false;
        gone.copy = out->copy[--out->copies];
    }
    if (!gone.known) {
        gone.slot = out->slot[--out->slots];
        swap_hold(gone.slot);
    }
    go(out, entry, gone);
    return true;
}

static void look_at_entry(struct outgoing *out, struct frame *leaf, uint64_t *entry) {
    uint64_t value = user_entry_read(entry);
    if (!may_go(out, value))
        return;
    if (user_entry_accessed(value))
        stay(entry, value);
    else if (send(out, entry, value))
        leaf_note(leaf, HAT_KIND_OUT);
    else
        return;
    out->found = true;
    out->flush_needed = true;
}

/* ---- one leaf ---- */

/* Before the leaf is unlocked: a page that the swap has already may come back at once, as another
 * one, and nobody may read the old one then. */
static void flush_leaf(struct outgoing *out, uintptr_t start) {
    struct user_flush flush;
    if (!out->flush_needed)
        return;
    user_flush_begin(&flush, out->tables->table);
    user_flush_range(&flush, start, start + LEAF_BYTES, 1);
    user_flush_finish(&flush);
    out->flush_needed = false;
}

/* The first address from this one on, or `end`, whose page need not stay; in `until`, where that
 * may be otherwise. */
static uintptr_t skip_kept(const struct outgoing *out, uintptr_t address, uintptr_t end,
                           uintptr_t *until) {
    *until = end;
    while (out->kept && address < end && out->kept->look(out->kept->context, address, until))
        address = *until;
    return address < end ? address : end;
}

/* Looks at a leaf from an address on. Returns where it stopped. What is kept is looked up under the
 * slot's lock, which whoever has just locked a page takes after that (space/lock.c). */
static uintptr_t look_at_leaf(struct outgoing *out, struct leaf *leaf, uintptr_t address) {
    uintptr_t start = leaf_start(address), free_until = start;
    unsigned at = leaf_index(address);
    while (!is_over(out) && (at = leaf_next(leaf, at, LEAF_PAGES)) < LEAF_PAGES) {
        if (start + at * PAGE_BYTES >= free_until) {
            uintptr_t next =
                skip_kept(out, start + at * PAGE_BYTES, start + LEAF_BYTES, &free_until);
            unsigned kept_to = (unsigned)((next - start) / PAGE_BYTES);
            if (kept_to != at) {
                at = kept_to;
                continue;
            }
        }
        look_at_entry(out, leaf->frame, &leaf->entries[at]);
        if (out->copy_lacks)
            break;
        out->looks--;
        at++;
    }
    flush_leaf(out, start);
    leaf_unlock(leaf);
    return start + at * PAGE_BYTES;
}

/* Whether a page is to go, of a leaf that others share. */
static bool leaf_has_unused(struct outgoing *out, const struct leaf *leaf, unsigned at) {
    for (; out->looks && (at = leaf_next(leaf, at, LEAF_PAGES)) < LEAF_PAGES; at++, out->looks--) {
        uint64_t value = user_entry_read(&leaf->entries[at]);
        if (may_go(out, value) && !user_entry_accessed(value))
            return true;
    }
    return false;
}

/* All of them count as unused from now on. Other address spaces' CPUs may remember some as used and
 * not note it again, which only makes the clock err. */
static void leaf_not_used(struct outgoing *out, const struct leaf *leaf, unsigned at) {
    for (; (at = leaf_next(leaf, at, LEAF_PAGES)) < LEAF_PAGES; at++) {
        if (!may_go(out, user_entry_read(&leaf->entries[at])))
            continue;
        (void)user_entry_clear(&leaf->entries[at], ENTRY_ACCESSED);
        out->found = out->flush_needed = true;
    }
}

/* The shared leaf is locked, and is not afterwards. Returns where it stopped. */
static uintptr_t look_at_shared(struct outgoing *out, struct leaf *leaf, uintptr_t address) {
    uintptr_t start = leaf_start(address);
    unsigned at = leaf_index(address);
    bool goes = holds_of(leaf->frame) == 1 || leaf_has_unused(out, leaf, at);
    if (!goes)
        leaf_not_used(out, leaf, at);
    flush_leaf(out, start);
    leaf_unlock(leaf);
    if (goes) {
        k42_result result = leaf_lock(out->tables, address, LEAF_OWN_URGENTLY, leaf);
        if (result == 0)
            return look_at_leaf(out, leaf, address);
        if (result == -EISDIR)
            leaf_unlock(leaf);
    }
    return start + LEAF_BYTES;
}

/* A large page that was not used is parted; if nobody else has it, into pages of their own. */
static void look_at_large(struct outgoing *out, uintptr_t address) {
    struct hat_tables *tables = out->tables;
    struct slot_lock *slot = slot_of(tables, address);
    uint64_t *upper = upper_find(tables, address);
    struct k42_pair table = table_take(tables, PM_URGENT | PM_TRY);
    if (table.result < 0)
        return;
    k42_lock(&slot->lock);
    uint64_t entry = user_entry_read(upper);
    bool large = entry & ENTRY_LARGE && entry & ENTRY_PRIVATE && out->slots;
    if (large && user_entry_accessed(entry)) {
        struct user_flush flush;
        (void)user_entry_clear(upper, ENTRY_ACCESSED);
        user_flush_begin(&flush, tables->table);
        user_flush_range(&flush, leaf_start(address), leaf_start(address) + LEAF_BYTES, 2);
        user_flush_finish(&flush);
        out->found = true;
        large = false;
    }
    large = large && !tables_are_sharing(tables);
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
    bool inherits = __atomic_load_n(&out->tables->inherits, __ATOMIC_ACQUIRE);
    if (result == 0 && !inherits)
        return leaf.shared ? look_at_shared(out, &leaf, address)
                           : look_at_leaf(out, &leaf, address);
    if (result == 0 || result == -EISDIR)
        leaf_unlock(&leaf);
    return leaf_start(address) + LEAF_BYTES;
}

/* ---- the clock ---- */

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
    while (!is_over(out)) {
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
        uintptr_t until, next = skip_kept(out, at, USER_END, &until);
        if (next != at) {
            at = next;
            continue;
        }
        at = look_at_slot(out, at);
        if (out->copy_lacks)
            outgoing_take_copies(out);
    }
    tables->found = tables->found || out->found;
    __atomic_store_n(&tables->hand, at < USER_END ? at : 0, __ATOMIC_RELAXED);
    return nothing;
}

struct k42_pair tables_page_out(struct hat *self, uint64_t wanted, k42_ref pm,
                                const struct hat_kept *kept) {
    struct outgoing out = {.tables = tables_of(self), .kept = kept, .looks = LOOKS};
    if (pm != K42_NULL_REF && pm != (k42_ref)out.tables->pm)
        return (struct k42_pair){0, 0};
    out.most = wanted < OUT_AT_ONCE ? (unsigned)wanted : OUT_AT_ONCE;
    while (out.slots < out.most && (out.slot[out.slots] = swap_take()))
        out.slots++;
    out.had_slots = out.slots != 0;
    bool nothing = go_round(&out);
    outgoing_hand_over(&out);
    outgoing_end(&out);
    return (struct k42_pair){out.count, out.had_slots ? !nothing : out.found};
}
