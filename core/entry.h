/*
 * The state word of a global entry, and the two ways of changing it.
 *
 *     bits 0-15   misses being answered
 *     bits 16-23  flags
 *     bits 32-63  touched: bit (cpu mod 32) is set for each CPU that may hold a translation
 *
 * A miss counts itself up only while BUSY is clear; whoever redirects an object sets BUSY only
 * while no miss is counted. So between k42_entry_claim() and k42_entry_release() no CPU stores into
 * a slot of this object, and the claimer may change the root and empty slots. Claims are a few
 * instructions long and do not nest, so both sides may spin.
 *
 * Modelled in tests/models/entry.pml.
 */
#ifndef K42_CORE_ENTRY_H
#define K42_CORE_ENTRY_H

#include "runtime.h"

#define K42_ENTRY_MISSES   0xffffull
#define K42_ENTRY_LIVE     (1ull << 16) /* names an object */
#define K42_ENTRY_BUSY     (1ull << 17) /* claimed */
#define K42_ENTRY_SWAPPING (1ull << 18) /* a swap owns the chain of roots */
#define K42_ENTRY_DOOMED   (1ull << 19) /* destroy when the swap ends */
#define K42_ENTRY_DEAD     (1ull << 20) /* destroyed; the object goes after a grace period */
#define K42_ENTRY_LAZY     (1ull << 21) /* the next miss queues it for upgrade */
#define K42_ENTRY_KEPT     (1ull << 22) /* an adaptor has its number, which is not used again yet */
#define K42_ENTRY_ENDED    (1ull << 23) /* the object has gone */

static inline uint64_t k42_entry_touch(uint32_t cpu) {
    return 1ull << (32 + cpu % 32);
}

static inline uint32_t k42_entry_touched(uint64_t state) {
    return (uint32_t)(state >> 32);
}

static inline bool k42_entry_usable(uint64_t state) {
    return (state & (K42_ENTRY_LIVE | K42_ENTRY_DEAD)) == K42_ENTRY_LIVE;
}

/*
 * Waits until no miss is counted, with BUSY or DEAD set so that none begins; returns the word.
 */
uint64_t k42_entry_settle(struct k42_entry *entry);

/*
 * Claims a live object, setting `set` too. Errors: -K42_STALE (dead), -EBUSY (has one of `unless`).
 */
k42_result k42_entry_claim(struct k42_entry *entry, uint64_t unless, uint64_t set);

/*
 * Ends a claim, clearing `clear` and the touched set if `untouch`. When this ends a swap of a
 * doomed object, it is destroyed here: the word goes to DEAD in the same step, so no call slips
 * between.
 */
void k42_entry_release(struct k42_entry *entry, uint64_t clear, bool untouch);

/* Sets SWAPPING without claiming: from now on the chain of roots is the swap's. Errors as claim. */
k42_result k42_entry_begin_swap(struct k42_entry *entry);

#endif
