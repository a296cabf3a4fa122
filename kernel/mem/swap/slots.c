/*
 * Slots of areas.
 *
 * Each slot has a count of entries, and is in one of three states:
 *
 *   free      its bit in `free` is set, the count is 0
 *   used      the count is not 0
 *   left      the count has become 0, its bit in `left` is set: the cache may still have its page
 *
 * Only relief's thread makes slots used, and left ones free (when the cache has forgotten the page,
 * so that a slot that is taken again finds no page of its former owner). Everybody may hold a slot
 * of which he has a hold, and drop it; who drops the last one sets the bit of `left`, after which
 * nobody can hold it again. So `free` has one writer, and counts and `left` are atomic.
 *
 * Owns: counts, bits and `used` of each area; spares. Locking: none. Fails: there is no slot.
 */
#include "area.h"

#include <k42/k42.h>

#include <errno.h>

enum { SPARES = 16 };

void swap_hold(swap_slot slot) {
    __atomic_add_fetch(&area_of(slot)->counts[(uint32_t)slot], 1, __ATOMIC_RELAXED);
}

void swap_drop(swap_slot slot) {
    struct area *area = area_of(slot);
    if (!__atomic_sub_fetch(&area->counts[(uint32_t)slot], 1, __ATOMIC_ACQ_REL))
        bits_set(&area->left, (uint32_t)slot);
}

/* ---- free ones: relief's thread alone ---- */

/* The lowest free slot of a word of the summary; 0: none. */
static uint64_t find_free(const struct area *area, uint64_t at) {
    uint64_t summary = area->free.summary[at];
    if (!summary)
        return 0;
    uint64_t word = at * WORD + (unsigned)__builtin_ctzl(summary);
    return word * WORD + (unsigned)__builtin_ctzl(area->free.words[word]);
}

static uint64_t take_free(struct area *area) {
    uint64_t count = bits_words(bits_words(area->its.pages)), slot = 0;
    for (uint64_t looked = 0; looked < count && !slot; looked++) {
        slot = find_free(area, area->hand);
        if (!slot)
            area->hand = (area->hand + 1) % count;
    }
    if (slot)
        bits_clear(&area->free, slot);
    return slot;
}

static void make_free(struct area *area, uint64_t page) {
    bits_set(&area->free, page);
    __atomic_store_n(&area->used, area->used - 1, __ATOMIC_RELEASE);
}

/* ---- left ones ---- */

/* Pages that are on their way are looked at again the next time. */
static uint64_t collect_word(struct area *area, uint64_t word) {
    uint64_t collected = 0;
    for (uint64_t left = __atomic_exchange_n(&area->left.words[word], 0, __ATOMIC_SEQ_CST); left;
         left &= left - 1) {
        uint64_t page = word * WORD + (unsigned)__builtin_ctzl(left);
        if (area_forget(area, page)) {
            make_free(area, page);
            collected++;
        } else {
            bits_set(&area->left, page);
        }
    }
    return collected;
}

uint64_t area_collect(struct area *area) {
    uint64_t count = bits_words(bits_words(area->its.pages)), collected = 0;
    for (uint64_t at = 0; at < count; at++) {
        if (!__atomic_load_n(&area->left.summary[at], __ATOMIC_RELAXED))
            continue;
        for (uint64_t words = __atomic_exchange_n(&area->left.summary[at], 0, __ATOMIC_SEQ_CST);
             words; words &= words - 1)
            collected += collect_word(area, at * WORD + (unsigned)__builtin_ctzl(words));
    }
    return collected;
}

/* ---- taking ---- */

/* The cache may have read a free slot ahead; a page that it cannot forget now is left to later. */
static k42_result expect_page(const struct area *area, uint64_t page) {
    k42_result result = k42_call(area_fcm(area), expect, page);
    if (result == -EEXIST && area_forget(area, page))
        result = k42_call(area_fcm(area), expect, page);
    return result;
}

static swap_slot take_from(unsigned number) {
    struct area *area = area_at(number);
    for (uint64_t page; (page = take_free(area));) {
        __atomic_store_n(&area->used, area->used + 1, __ATOMIC_RELEASE);
        k42_result result = expect_page(area, page);
        if (result >= 0) {
            __atomic_store_n(&area->counts[page], 1, __ATOMIC_RELEASE);
            return (uint64_t)number << 32 | page;
        }
        if (result != -EEXIST) {
            make_free(area, page);
            return 0;
        }
        bits_set(&area->left, page);
    }
    return 0;
}

/* Slots that were taken and not needed, for the next address space that is asked. */
static swap_slot spares[SPARES];
static unsigned spare_count;

/* The open area with room, where writing does not fail, that is to be used first; SWAP_AREAS: none.
 */
static unsigned choose(void) {
    unsigned best = SWAP_AREAS;
    for (unsigned n = 0; n < SWAP_AREAS; n++) {
        const struct area *area = area_at(n);
        if (area && area_is_open(area) && !area->fails && area->used < area->usable &&
            (best == SWAP_AREAS || area->its.priority > area_at(best)->its.priority))
            best = n;
    }
    return best;
}

static void cancel(swap_slot slot) {
    struct area *area = area_of(slot);
    k42_result result = k42_call(area_fcm(area), adopt, (uint32_t)slot, 0);
    (void)result;
    area->counts[(uint32_t)slot] = 0;
    make_free(area, (uint32_t)slot);
}

swap_slot swap_take(void) {
    if (spare_count)
        return spares[--spare_count];
    unsigned number = choose();
    return number == SWAP_AREAS ? 0 : take_from(number);
}

void swap_spare(swap_slot slot) {
    if (spare_count < SPARES)
        spares[spare_count++] = slot;
    else
        cancel(slot);
}

void swap_cancel_spares(void) {
    while (spare_count)
        cancel(spares[--spare_count]);
}
