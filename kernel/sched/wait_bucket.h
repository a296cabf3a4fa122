/*
 * The inside of the table of those who wait, for wait_table.c and wait_move.c: the locks of buckets
 * and the lists in them.
 */
#ifndef KERNEL_WAIT_BUCKET_H
#define KERNEL_WAIT_BUCKET_H

#include "sched.h"

static inline void bucket_lock(struct wait_bucket *bucket) {
    while (__atomic_exchange_n(&bucket->lock, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&bucket->lock, __ATOMIC_RELAXED))
            cpu_wait_turn();
}

static inline void bucket_unlock(struct wait_bucket *bucket) {
    __atomic_store_n(&bucket->lock, 0, __ATOMIC_RELEASE);
}

static inline bool entry_stands_at(const struct wait_entry *entry, k42_id id, uintptr_t key) {
    return entry->point.id == id && entry->point.key == key;
}

/* Watchers come first, then those who wait once in the order they came. The bucket is locked. */
void bucket_put(struct wait_bucket *bucket, struct wait_entry *entry);
void bucket_take(struct wait_bucket *bucket, struct wait_entry *entry);

/* A call that waits once is told of events and leaves. The bucket is locked. */
void bucket_fire_once(struct wait_bucket *bucket, struct wait_entry *entry, uint32_t events);

#endif
