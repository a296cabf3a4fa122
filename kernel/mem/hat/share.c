/*
 * Fork: one HAT's leaves and large pages become another's as well.
 *
 * Costs some hundred instructions for 2 MiB of addresses in use, whatever is mapped there; what
 * follows is paid by who writes.
 *
 * What a program's other threads write meanwhile is seen by the child up to some moment of each of
 * them, and not after it: libraries rely on that, whose child repairs at most one change that was
 * begun. Until the flush at the end they write to pages that both sides have, through what their
 * CPUs remember or through leaves that are still to be shared. What would be the old HAT's alone (a
 * leaf, a part or a copy in place of something shared, or something new where the fork has been)
 * waits until after the flush, and whoever wants it with it; else what he writes next could go to a
 * leaf that is yet to be shared. `sharing` says so. It is looked at with the slot locked, and each
 * slot is locked once after it was written: so whoever has not seen it comes before the sharing.
 *
 * The new HAT's upper entries are written here, with the slot of the old one locked. So nobody has
 * a leaf that is not to be found by his addresses: an FCM that takes a page away finds it in the
 * leaf while only the old HAT has it, and later in each of the two, whichever gets a copy.
 *
 * Relief must not take a page for one that nobody writes to before that flush. Through the old HAT
 * it cannot: what it finds shared would have to become that HAT's own first. Through the new one it
 * could; so that HAT `inherits` from before it has an entry until somebody wants to run there.
 */
#include "tables.h"

#include "../../sched/wait.h"

#define SHARE_MAX 32u

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

/* Nobody else writes the place: the new HAT's program does not run yet. */
static void slot_share(struct hat_tables *tables, uintptr_t address, uint64_t *place) {
    struct slot_lock *slot = slot_of(tables, address);
    uint64_t *upper = upper_find(tables, address);
    k42_lock(&slot->lock);
    uint64_t entry = user_entry_read(upper);
    if (entry)
        user_entry_exchange(place,
                            user_entry_is_page(entry, 2) ? large_share(upper) : leaf_share(upper));
    k42_unlock(&slot->lock);
}

static k42_result slots_share(struct hat_tables *tables, hat_ref with, const uintptr_t *addresses,
                              unsigned count) {
    uint64_t *places[SHARE_MAX];
    k42_result result = k42_call(with, places, addresses, count, places);
    for (unsigned n = 0; result >= 0 && n < count; n++)
        slot_share(tables, addresses[n], places[n]);
    return result;
}

/* ---- what others want meanwhile ---- */

k42_result tables_await_fork(const struct hat_tables *tables) {
    return wait_on(WAIT_NO_OBJECT, (uintptr_t)tables, WAIT_WRITE);
}

static void sharing_begin(struct hat_tables *tables) {
    __atomic_store_n(&tables->sharing, true, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < HAT_LOCKS; i++) {
        k42_lock(&tables->locks[i].lock);
        k42_unlock(&tables->locks[i].lock);
    }
}

/* By an exchange, a full barrier: who found it true is in the table of waiters, or looks again. */
static void sharing_end(struct hat_tables *tables) {
    (void)__atomic_exchange_n(&tables->sharing, false, __ATOMIC_SEQ_CST);
    wait_notify(WAIT_NO_OBJECT, (uintptr_t)tables, WAIT_WRITE, WAIT_ALL);
}

/* ---- the fork ---- */

/* Forks of one HAT take turns (space/fork.c). */
k42_result tables_share(struct hat *self, k42_ref with) {
    struct hat_tables *tables = tables_of(self);
    uintptr_t addresses[SHARE_MAX], at = 0;
    struct user_flush flush;
    unsigned count = 0;
    uint64_t *upper;
    k42_result result = 0;
    sharing_begin(tables);
    while (result >= 0 && (at = upper_next(tables, at, USER_END, &upper)) < USER_END) {
        addresses[count++] = at;
        at += LEAF_BYTES;
        if (count == SHARE_MAX) {
            result = slots_share(tables, (hat_ref)with, addresses, count);
            count = 0;
        }
    }
    if (result >= 0 && count)
        result = slots_share(tables, (hat_ref)with, addresses, count);
    user_flush_begin(&flush, tables->table);
    user_flush_range(&flush, 0, USER_END, 1);
    user_flush_finish(&flush);
    sharing_end(tables);
    return result;
}

k42_result tables_places(struct hat *self, const uintptr_t *addresses, unsigned count,
                         uint64_t **places) {
    struct hat_tables *tables = tables_of(self);
    __atomic_store_n(&tables->inherits, true, __ATOMIC_RELAXED);
    for (unsigned n = 0; n < count; n++) {
        struct k42_pair upper = upper_make(tables, addresses[n]);
        if (upper.result < 0)
            return upper.result;
        places[n] = (uint64_t *)upper.word;
    }
    return 0;
}
