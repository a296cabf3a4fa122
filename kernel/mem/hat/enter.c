/*
 * Entering pages: a new one, neighbours of one, more rights for one, a copy in place of one.
 *
 * The lease. Whoever takes a range away changes the lease's word first and then looks at the upper
 * entries, skipping those that are nothing without a lock. So the word is read here after the leaf
 * is there for all to see, with a barrier between (the slot's lock, and the exchange that puts a
 * new leaf in place): if this read still finds the old word, the other side's look comes after it
 * and finds the leaf; then it waits for the slot. A large page is its own upper entry, so it is put
 * in place before the word is read, and taken out again if the lease is over.
 */
#include "tables.h"

static unsigned wanted_of(unsigned protection) {
    return protection >> HAT_WANTED & (HAT_READ | HAT_WRITE | HAT_EXECUTE);
}

static bool entry_permits(uint64_t entry, unsigned wanted) {
    return user_entry_present(entry) && (!(wanted & HAT_WRITE) || user_entry_writable(entry)) &&
           (!(wanted & HAT_EXECUTE) || user_entry_executable(entry));
}

/* ---- new pages ---- */

/* Another CPU was faster with the same large page of an object. */
static bool is_same_object(uint64_t old, uint64_t large) {
    return (old & ~(ENTRY_ACCESSED | ENTRY_DIRTY)) == large && !(large & ENTRY_PRIVATE);
}

static k42_result map_large(struct hat_tables *tables, uintptr_t address, uint64_t physical,
                            unsigned protection, const struct hat_lease *lease) {
    struct k42_pair upper = upper_make(tables, address);
    if (upper.result < 0)
        return upper.result;
    uint64_t *entry = (uint64_t *)upper.word;
    struct slot_lock *slot = slot_of(tables, address);
    struct user_flush flush;
    uint64_t large = protection & HAT_PRIVATE ? entry_private(physical, 2, protection)
                                              : entry_object(physical, 2, protection);
    k42_result result = 0;
    k42_lock(&slot->lock);
    uint64_t old = user_entry_read(entry);
    if (old) {
        result = is_same_object(old, large) ? 0 : -EEXIST;
    } else if (tables_are_sharing(tables)) {
        result = tables_await_fork(tables);
    } else {
        if (protection & HAT_PRIVATE)
            page_begin(tables, physical);
        user_entry_exchange(entry, large);
        if (lease_is_over(lease)) {
            user_entry_exchange(entry, 0);
            user_flush_begin(&flush, tables->table);
            user_flush_range(&flush, address, address + LEAF_BYTES, 2);
            user_flush_finish(&flush);
            result = -K42_RETRY;
        }
    }
    k42_unlock(&slot->lock);
    return result;
}

static enum hat_kind object_kind(unsigned protection) {
    return protection & HAT_OF_MEMORY ? HAT_KIND_OF_MEMORY : HAT_KIND_OF_FILES;
}

/* A page where `old` is: 0, or -EEXIST. The same page with more rights is all that may be. */
static k42_result map_in(struct hat_tables *tables, struct leaf *leaf, unsigned index,
                         uint64_t physical, unsigned protection) {
    uint64_t old = user_entry_read(&leaf->entries[index]);
    if (!old && protection & HAT_PRIVATE) {
        page_begin(tables, physical);
        leaf_put(leaf, index, entry_private(physical, 1, protection));
        leaf_note(leaf->frame, HAT_KIND_PRIVATE);
    } else if (!old) {
        leaf_put(leaf, index, entry_object(physical, 1, protection));
        leaf_note(leaf->frame, object_kind(protection));
    } else if (user_entry_frame(old) == physical && !((protection | old) & ENTRY_PRIVATE) &&
               !(old & ENTRY_OUT)) {
        uint64_t seen = old & (ENTRY_ACCESSED | ENTRY_DIRTY);
        user_entry_exchange(&leaf->entries[index], entry_object(physical, 1, protection) | seen);
    } else {
        return -EEXIST;
    }
    return 0;
}

k42_result tables_map(struct hat *self, uintptr_t address, uint64_t physical, unsigned protection,
                      const struct hat_lease *lease) {
    struct hat_tables *tables = tables_of(self);
    struct leaf leaf;
    if (protection & HAT_LARGE)
        return map_large(tables, address, physical, protection, lease);
    k42_result result = leaf_lock(tables, address, LEAF_MAKE, &leaf);
    if (result == 0) {
        result = lease_is_over(lease)
                     ? -K42_RETRY
                     : map_in(tables, &leaf, leaf_index(address), physical, protection);
        leaf_unlock(&leaf);
    } else if (result == -EISDIR) {
        leaf_unlock(&leaf);
        result = -EEXIST;
    }
    return result;
}

k42_result tables_map_around(struct hat *self, uintptr_t address, const struct hat_around *around,
                             const struct hat_lease *lease) {
    struct hat_tables *tables = tables_of(self);
    struct leaf leaf;
    k42_result result = leaf_lock(tables, address, LEAF_MAKE, &leaf);
    if (result == -EISDIR)
        leaf_unlock(&leaf);
    if (result < 0)
        return result == -EISDIR ? -EEXIST : result;
    if (lease_is_over(lease))
        result = -K42_RETRY;
    uint64_t like = entry_object(0, 1, around->protection);
    for (uint32_t mask = around->mask; mask && result >= 0; mask &= mask - 1) {
        unsigned n = (unsigned)__builtin_ctz(mask), index = leaf_index(address) + n;
        if (user_entry_read(&leaf.entries[index]))
            continue;
        leaf_put(&leaf, index, like | around->physical[n]);
        result++;
    }
    if (result > 0)
        leaf_note(leaf.frame, object_kind(around->protection));
    leaf_unlock(&leaf);
    return result;
}

/* ---- what is there already ---- */

/* One entry, of a leaf or a large page, that is private to this HAT's tables. 0, HAT_COPY or
 * HAT_OUT. */
static k42_result grant_entry(uint64_t *entry, unsigned protection) {
    uint64_t old = user_entry_read(entry);
    unsigned wanted = wanted_of(protection);
    if (entry_permits(old, wanted))
        return 0;
    if (old & ENTRY_OUT)
        return HAT_OUT;
    if (!(old & ENTRY_PRIVATE))
        return HAT_COPY;
    bool ours = page_is_ours(old);
    if ((wanted & HAT_WRITE) && !ours)
        return HAT_COPY;
    if (wanted & HAT_WRITE)
        page_forget(old);
    else if (ours && page_remembers(old))
        ours = false; /* to be asked again before it is written */
    user_entry_exchange(entry, entry_allow(old, ours ? protection : protection & ~HAT_WRITE));
    return 0;
}

/* A shared leaf is good enough for what it permits through its upper entry, which is read-only. */
static k42_result grant_shared(struct leaf *leaf, uintptr_t address, unsigned wanted) {
    uint64_t entry = user_entry_read(&leaf->entries[leaf_index(address)]);
    if (!entry)
        return HAT_ABSENT;
    return !(wanted & HAT_WRITE) && entry_permits(entry, wanted) ? 0 : HAT_COPY;
}

/* One that is our own afterwards. */
static k42_result grant_own(struct hat_tables *tables, uintptr_t address, unsigned protection,
                            const struct hat_lease *lease) {
    struct leaf leaf;
    k42_result result = leaf_lock(tables, address, LEAF_OWN, &leaf);
    if (result < 0)
        return result == -ENOENT ? HAT_EMPTY : result;
    uint64_t *entry = &leaf.entries[leaf_index(address)];
    if (!user_entry_read(entry))
        result = HAT_ABSENT;
    else
        result = lease_is_over(lease) ? -K42_RETRY : grant_entry(entry, protection);
    leaf_unlock(&leaf);
    return result;
}

/* The first look changes no shared leaf and parts no large page. */
k42_result tables_grant(struct hat *self, uintptr_t address, unsigned protection,
                        const struct hat_lease *lease) {
    struct hat_tables *tables = tables_of(self);
    unsigned wanted = wanted_of(protection);
    struct leaf leaf;
    k42_result result = leaf_lock(tables, address, LEAF_FIND, &leaf);
    if (result == -EISDIR) {
        result = lease_is_over(lease) ? -K42_RETRY : grant_entry(leaf.upper, protection);
        leaf_unlock(&leaf);
        return result;
    }
    if (result < 0)
        return result == -ENOENT ? HAT_EMPTY : result;
    uint64_t *entry = &leaf.entries[leaf_index(address)];
    bool shared = leaf.shared;
    if (shared)
        result = grant_shared(&leaf, address, wanted);
    else if (!user_entry_read(entry))
        result = HAT_ABSENT;
    else
        result = lease_is_over(lease) ? -K42_RETRY : grant_entry(entry, protection);
    leaf_unlock(&leaf);
    return shared && result == HAT_COPY ? grant_own(tables, address, protection, lease) : result;
}

/*
 * Copies what an entry maps and puts the copy in its place. All CPUs forget the old page before one
 * can see the new one, or a write to the new one could be seen before a read of the old one.
 */
static k42_result copy_in_leaf(struct hat_tables *tables, struct leaf *leaf, uintptr_t address,
                               uint64_t copy, uint64_t *old) {
    uint64_t *entry = &leaf->entries[leaf_index(address)];
    *old = user_entry_read(entry);
    if (!*old)
        return HAT_ABSENT;
    if (*old & ENTRY_OUT)
        return -K42_RETRY;
    if (*old & ENTRY_PRIVATE && page_is_ours(*old)) {
        page_forget(*old);
        user_entry_exchange(entry, copy ^ user_entry_frame(copy) ^ user_entry_frame(*old) ^
                                       (*old & ENTRY_PART));
        return HAT_UNUSED;
    }
    machine_copy_page(machine_memory(user_entry_frame(copy)),
                      machine_memory(user_entry_frame(*old)));
    page_begin(tables, user_entry_frame(copy));
    if (user_entry_present(*old)) {
        struct user_flush flush;
        user_entry_exchange(entry, 0);
        user_flush_begin(&flush, tables->table);
        user_flush_range(&flush, address, address + PAGE_BYTES, 1);
        user_flush_finish(&flush);
    }
    leaf_note(leaf->frame, HAT_KIND_PRIVATE);
    user_entry_write(entry, copy);
    return 0;
}

/*
 * The page that is copied stays while the slot is locked: an object's page leaves by unmap(), which
 * waits for the slot, and a private one is held by this entry.
 */
k42_result tables_copy(struct hat *self, uintptr_t address, uint64_t physical, unsigned protection,
                       const struct hat_lease *lease) {
    struct hat_tables *tables = tables_of(self);
    struct leaf leaf;
    uint64_t old = 0, copy = entry_private(physical, 1, protection);
    k42_result result = leaf_lock(tables, address, LEAF_OWN, &leaf);
    if (result < 0)
        return result == -ENOENT ? HAT_ABSENT : result;
    result = lease_is_over(lease) ? -K42_RETRY : copy_in_leaf(tables, &leaf, address, copy, &old);
    leaf_unlock(&leaf);
    if (result == 0 && old & ENTRY_PRIVATE)
        page_drop(old);
    return result;
}
