/*
 * Inside the swap: an area, and what the files share.
 *
 *   areas.c    areas: added, closed, removed, and how much is used
 *   slots.c    slots: free, used, left
 *   pages.c    pages: to the cache of an area and back, and what relief asks of it
 *   bits.c     sets of slots
 *   header.c   what mkswap wrote
 *   page_out.c which address spaces send pages out
 *
 * An area is seen between k42_enter and k42_exit; who closes one waits for a grace period, and who
 * removes one waits for another before its memory goes. Holders of slots keep it there by
 * swap_used().
 */
#ifndef KERNEL_SWAP_AREA_H
#define KERNEL_SWAP_AREA_H

#include "swap.h"

#include "../fcm/fcm.h"

#include "runtime.h"

/* A set of numbers below a limit; found by a word of bits of words, so a look costs a load for
 * 4,096 of them. */
enum { WORD = 64 };

struct bits {
    uint64_t *words, *summary; /* the summary has a bit for each word that may not be zero */
};

/* False: no memory; to be freed all the same. */
K42_MUST_CHECK
bool bits_make(struct bits *bits, uint64_t count);
void bits_free(struct bits *bits);
/* Any context; whoever takes the summary's bit afterwards finds it. */
void bits_set(struct bits *bits, uint64_t at);
bool bits_has(const struct bits *bits, uint64_t at);
/* Only by who is the one to take any away. */
void bits_clear(struct bits *bits, uint64_t at);

static inline uint64_t bits_words(uint64_t count) {
    return (count + WORD - 1) / WORD;
}

struct area {
    struct swap_new its;
    char path[SWAP_PATH_MAX];
    uint64_t usable; /* pages without the header and bad ones */
    uint64_t used;   /* slots that are not free; written by relief's thread */
    uint32_t closed;
    bool begun;
    bool fails;       /* pages could not be written there; relief's thread alone */
    uint32_t *counts; /* of entries, by slot */
    struct bits free, left;
    uint64_t hand; /* the word of the summary in which a slot was found last */
};

extern uint64_t swap_pages_put, swap_pages_got; /* atomic */

/* NULL: none of that number. */
struct area *area_at(unsigned number);

static inline struct area *area_of(swap_slot slot) {
    return area_at(swap_area_of(slot));
}

static inline fcm_ref area_fcm(const struct area *area) {
    return (fcm_ref)area->its.fcm;
}

static inline bool area_is_open(const struct area *area) {
    return !__atomic_load_n(&area->closed, __ATOMIC_ACQUIRE);
}

/* The cache forgets the page of a slot that nobody has. False: it is on its way. Active. */
bool area_forget(const struct area *area, uint64_t page);
/* Has the pages of slots that were left forgotten; how many. Relief's thread, active. */
uint64_t area_collect(struct area *area);

#endif
