/*
 * Claiming and releasing global entries: every change of what a ref leads to goes through here.
 *
 * Owns nothing; the words belong to table.c. Lock-free against misses except for BUSY, which is
 * held for some tens of instructions. Never fails except for the reasons it returns.
 */
#include "entry.h"

uint64_t k42_entry_settle(struct k42_entry *entry) {
    uint64_t state;
    for (unsigned step = 0; (state = k42_load_acquire(&entry->state)) & K42_ENTRY_MISSES; step++)
        k42_back_off(step);
    return state;
}

k42_result k42_entry_claim(struct k42_entry *entry, uint64_t unless, uint64_t set) {
    uint64_t state = k42_load_acquire(&entry->state);
    for (unsigned step = 0;; step++) {
        if (!k42_entry_usable(state))
            return -K42_STALE;
        if (state & unless)
            return -EBUSY;
        if (!(state & K42_ENTRY_BUSY) &&
            __atomic_compare_exchange_n(&entry->state, &state, state | K42_ENTRY_BUSY | set, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            break;
        k42_back_off(step);
        state = k42_load_acquire(&entry->state);
    }
    (void)k42_entry_settle(entry);
    return 0;
}

void k42_entry_release(struct k42_entry *entry, uint64_t clear, bool untouch) {
    uint64_t state = k42_load_relaxed(&entry->state), next;
    bool dies;
    /* Only DOOMED and LAZY can be set under us: retry until none was. */
    do {
        next = state & ~(clear | K42_ENTRY_BUSY);
        dies = (state & K42_ENTRY_DOOMED) && (clear & K42_ENTRY_SWAPPING);
        if (dies)
            next = (next & ~K42_ENTRY_DOOMED) | K42_ENTRY_DEAD;
        if (untouch)
            next &= 0xffffffffull;
    } while (!__atomic_compare_exchange_n(&entry->state, &state, next, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (!dies)
        return;
    /*
     * Between the step above and this, nobody can fill a slot: misses find the entry dead. Slots
     * filled before are those of CPUs touched when the claim began, and they are emptied again.
     */
    k42_slots_empty(k42_entry_id(entry), k42_entry_touched(state));
    k42_bury(k42_entry_id(entry));
}

k42_result k42_entry_begin_swap(struct k42_entry *entry) {
    uint64_t state = k42_load_acquire(&entry->state);
    for (unsigned step = 0;; step++) {
        if (!k42_entry_usable(state))
            return -K42_STALE;
        if (state & K42_ENTRY_SWAPPING)
            return -EBUSY;
        if (!(state & K42_ENTRY_BUSY) &&
            __atomic_compare_exchange_n(&entry->state, &state, state | K42_ENTRY_SWAPPING, false,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            return 0;
        k42_back_off(step);
        state = k42_load_acquire(&entry->state);
    }
}
