/*
 * Ways through the tables, and the locking of leaves (tables.h says what is locked by what).
 *
 * Tables of levels 2 and 3 are made by compare-and-exchange and stay, so whoever has found an upper
 * entry may keep it. Leaves come and go with their slot locked, so whoever has locked the slot and
 * read the upper entry has the leaf.
 */
#include "tables.h"

struct k42_pair table_take(struct hat_tables *tables, unsigned flags) {
    struct k42_pair taken = k42_call(tables->pm, take, 0, PM_ZERO | flags);
    if (taken.result < 0)
        return taken;
    struct frame *frame = frame_at(taken.word);
    frame->tag = 0;
    frame->holds = 1;
    *leaf_record(frame) = (struct leaf_record){.pm = k42_id_of(tables->pm)};
    __atomic_fetch_add(&tables->table_frames, 1, __ATOMIC_RELAXED);
    return taken;
}

void table_give(struct hat_tables *tables, uint64_t physical) {
    __atomic_fetch_sub(&tables->table_frames, 1, __ATOMIC_RELAXED);
    frame_give(leaf_record(frame_at(physical))->pm, physical, 0, PM_ZERO);
}

static struct leaf_record *record_of(const uint64_t *entry) {
    return leaf_record(frame_at(machine_physical(entry) & ENTRY_FRAME));
}

/* The entry is about to be used: its table's record leads there. Before the entry is written, so
 * that who sees the entry used finds it. */
static void table_note(const uint64_t *entry) {
    struct leaf_record *record = record_of(entry);
    uint64_t bit = 1ul << ((uintptr_t)entry / 64 % 64);
    if (!(__atomic_load_n(&record->groups, __ATOMIC_RELAXED) & bit))
        __atomic_fetch_or(&record->groups, bit, __ATOMIC_RELAXED);
}

/* A group is looked through to its end, whatever the range's end. */
static unsigned entry_next(const uint64_t *entries, uint64_t groups, unsigned index, unsigned end) {
    while (index < end) {
        uint64_t rest = groups >> (index / 8);
        if (!rest)
            return end;
        if (!(rest & 1))
            index = (index / 8 + (unsigned)__builtin_ctzl(rest)) * 8;
        do
            if (user_entry_read(&entries[index]))
                return index < end ? index : end;
        while (++index % 8);
    }
    return end;
}

unsigned table_next(const uint64_t *entries, unsigned index, unsigned end) {
    uint64_t groups = __atomic_load_n(&record_of(entries)->groups, __ATOMIC_RELAXED);
    return entry_next(entries, groups, index, end);
}

unsigned leaf_next(const struct leaf *leaf, unsigned index, unsigned end) {
    return entry_next(leaf->entries, leaf->record->groups, index, end);
}

/* ---- above the leaves ---- */

/* The table below an entry of level 3 or 4, made when there is none. */
static k42_result table_below(struct hat_tables *tables, uint64_t *entry, uint64_t **below) {
    uint64_t value = user_entry_read(entry);
    if (!value) {
        struct k42_pair taken = table_take(tables, 0);
        if (taken.result < 0)
            return taken.result;
        table_note(entry);
        uint64_t made = user_entry_table(taken.word);
        if (user_entry_replace(entry, &value, made))
            value = made;
        else
            table_give(tables, taken.word);
    }
    *below = machine_memory(user_entry_frame(value));
    return 0;
}

struct k42_pair upper_make(struct hat_tables *tables, uintptr_t address) {
    uint64_t *entries = machine_memory(tables->table->root);
    for (unsigned level = USER_LEVELS; level > 2; level--) {
        k42_result result =
            table_below(tables, &entries[user_level_slot(address, level)], &entries);
        if (result < 0)
            return (struct k42_pair){result, 0};
    }
    uint64_t *upper = &entries[user_level_slot(address, 2)];
    table_note(upper);
    return (struct k42_pair){0, (uintptr_t)upper};
}

/* Skips to the first entry in use at `level` in the table that covers `address`; false: it has
 * none up to its end or `end`. Moves *address to what the entry covers. */
static bool level_next(uint64_t *entries, unsigned level, uintptr_t *address, uintptr_t end,
                       uint64_t **entry) {
    uintptr_t size = user_level_size(level), base = *address & ~(size * 512 - 1);
    unsigned from = user_level_slot(*address, level), to = 512;
    if (end - base < size * 512)
        to = (unsigned)((end - base + size - 1) / size);
    unsigned at = table_next(entries, from, to);
    *entry = &entries[at];
    if (at != from)
        *address = base + at * size;
    return at < to;
}

uintptr_t upper_next(struct hat_tables *tables, uintptr_t address, uintptr_t end,
                     uint64_t **upper) {
    while (address < end) {
        uint64_t *here = upper_find(tables, address);
        if (here) {
            if (level_next(here - user_level_slot(address, 2), 2, &address, end, upper))
                return address;
            continue;
        }
        uint64_t *entries = machine_memory(tables->table->root), *entry;
        unsigned level = USER_LEVELS;
        for (; level_next(entries, level, &address, end, &entry); level--) {
            if (level == 2) {
                *upper = entry;
                return address;
            }
            entries = machine_memory(user_entry_frame(user_entry_read(entry)));
        }
        if (level == USER_LEVELS)
            break;
    }
    return end;
}

/* ---- locking a leaf ---- */

static void leaf_found(struct leaf *leaf, uint64_t entry) {
    leaf->frame = frame_at(user_entry_frame(entry));
    leaf->record = leaf_record(leaf->frame);
    leaf->entries = machine_memory(user_entry_frame(entry));
    leaf->shared = user_entry_shared(entry);
    if (leaf->shared)
        k42_lock(&leaf->record->lock);
}

/* Puts a leaf with nothing in it where there is none. The barrier is that of the lease: see
 * enter.c. */
static void leaf_make(uint64_t *upper, uint64_t frame) {
    table_note(upper);
    user_entry_exchange(upper, user_entry_table(frame));
}

/*
 * One attempt, with the slot locked, to have the leaf as it is wished for. 0; -EAGAIN: a frame is
 * needed; -ENOENT, -EISDIR; -K42_WAIT or -ENOMEM, a fork is under way.
 */
static k42_result leaf_try(struct hat_tables *tables, uintptr_t address, uint64_t *upper,
                           enum leaf_wish wish, uint64_t *spare) {
    uint64_t entry = user_entry_read(upper);
    if (!entry && wish != LEAF_MAKE)
        return -ENOENT;
    if (user_entry_is_page(entry, 2) && wish != LEAF_OWN)
        return -EISDIR;
    if (entry && !user_entry_is_page(entry, 2) && (!user_entry_shared(entry) || wish == LEAF_FIND))
        return 0;
    if (user_entry_shared(entry) && leaf_reclaim(tables, address, upper))
        return 0;
    if (tables_are_sharing(tables))
        return wish == LEAF_OWN_URGENTLY ? -ENOMEM : tables_await_fork(tables);
    if (!*spare)
        return -EAGAIN;
    if (!entry)
        leaf_make(upper, *spare);
    else if (user_entry_is_page(entry, 2))
        leaf_part(tables, address, upper, *spare);
    else if (!leaf_unshare(tables, address, upper, *spare))
        return 0;
    *spare = 0;
    return 0;
}

void leaf_unlock(struct leaf *leaf) {
    if (leaf->shared)
        k42_unlock(&leaf->record->lock);
    k42_unlock(&leaf->slot->lock);
    if (leaf->spare)
        table_give(leaf->tables, leaf->spare);
    leaf->spare = 0;
}

/* The slot is locked and its leaf is not simply there. As leaf_lock(). What was taken in vain is
 * given back when nothing is locked any more. */
static k42_result leaf_lock_slowly(struct hat_tables *tables, uintptr_t address,
                                   enum leaf_wish wish, struct leaf *leaf) {
    for (;;) {
        k42_result result = leaf_try(tables, address, leaf->upper, wish, &leaf->spare);
        if (result == 0)
            leaf_found(leaf, user_entry_read(leaf->upper));
        else if (result != -EISDIR)
            leaf_unlock(leaf);
        if (result != -EAGAIN)
            return result;
        struct k42_pair taken =
            table_take(tables, wish == LEAF_OWN_URGENTLY ? PM_URGENT | PM_TRY : 0);
        if (taken.result < 0)
            return taken.result;
        leaf->spare = taken.word;
        k42_lock(&leaf->slot->lock);
    }
}

k42_result leaf_lock(struct hat_tables *tables, uintptr_t address, enum leaf_wish wish,
                     struct leaf *leaf) {
    struct k42_pair upper = {0, (uintptr_t)upper_find(tables, address)};
    if (!upper.word && wish != LEAF_MAKE)
        return -ENOENT;
    if (!upper.word)
        upper = upper_make(tables, address);
    if (upper.result < 0)
        return upper.result;
    leaf->tables = tables;
    leaf->upper = (uint64_t *)upper.word;
    leaf->slot = slot_of(tables, address);
    leaf->shared = false;
    leaf->spare = 0;
    k42_lock(&leaf->slot->lock);
    uint64_t entry = user_entry_read(leaf->upper);
    if ((entry & (ENTRY_PRESENT | ENTRY_LARGE | ENTRY_SHARED)) != ENTRY_PRESENT)
        return leaf_lock_slowly(tables, address, wish, leaf);
    leaf_found(leaf, entry);
    return 0;
}
