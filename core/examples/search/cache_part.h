/*
 * One CPU's part of a partitioned cache: its own descriptors of the pages it has used.
 *
 * A descriptor counts this CPU's holds and uses of a page, so that using it writes nothing that
 * another CPU writes. Only the sum of the holds in all descriptors and in the page itself means
 * anything: a CPU may release what another held, so that one alone may be below zero.
 *
 * Locking: everything here is under the part's lock, which the caller has, unless it says
 * otherwise. Fails never; a part without memory for descriptors has none.
 */
#ifndef SEARCH_CACHE_PART_H
#define SEARCH_CACHE_PART_H

#include <k42/lock.h>

#include "cache_state.h"

struct cache_partitioned;

/* A CPU's descriptor of a page. Numbers instead of pointers: 0 is none, n is descriptors[n - 1]. */
struct descriptor {
    uint64_t number;
    struct page *page;
    int64_t holds;
    uint64_t uses;
    uint32_t accessed;
    uint32_t next; /* in the bucket, or spare */
};

/* The representative of one CPU. */
struct cache_part {
    struct cache rep;
    struct cache_partitioned *whole;
    struct k42_lock lock;
    unsigned cpu;
    unsigned shift;
    uint32_t spare;
    uint32_t *buckets;              /* NULL until this CPU has used a page */
    struct descriptor *descriptors; /* as many as the table has pages */
    uint64_t next_window;           /* the number of holds at which the policy is asked again */
    struct cache_counts counts;
    char apart[64]; /* so that no cache line belongs to two CPUs' parts */
};

static inline struct cache_part *part_of(struct cache *self) {
    return k42_container(self, struct cache_part, rep);
}

/* Counting after the acquisition is safe and free: the counter belongs to whoever has the lock. */
static inline void lock_part(struct cache_part *part) {
    part->counts.contended += (uint64_t)k42_lock(&part->lock);
}

/* This CPU's descriptor of the page of this number, or NULL. */
static inline struct descriptor *part_find(struct cache_part *part, uint64_t number) {
    if (!part->buckets)
        return NULL;
    uint32_t index = part->buckets[page_hash(number, part->shift)];
    while (index && part->descriptors[index - 1].number != number)
        index = part->descriptors[index - 1].next;
    return index ? &part->descriptors[index - 1] : NULL;
}

/* A new descriptor of a page that has none here; the part has room (part->buckets is not NULL). */
struct descriptor *part_add(struct cache_part *part, struct page *page);

/* Moves what this CPU knows of the page to the page itself. */
void descriptor_fold(struct descriptor *descriptor);

/* Takes a descriptor away, if there is one, and folds it. */
void part_withdraw(struct cache_part *part, const struct page *page);

/* Moves all that this CPU knows to its pages and to `sum`. No call is under way, no lock needed. */
void part_fold(struct cache_part *part, size_t capacity, struct cache_counts *sum);

/* Gives a part its descriptors. Called without any lock. */
void part_make_room(struct cache_part *part, size_t capacity);

/* Frees them. */
void part_close(struct cache_part *part);

#endif
