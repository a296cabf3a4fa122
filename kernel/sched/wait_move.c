/*
 * Entries that move in the table of those who wait, or from one table to another: calls that are to
 * wait elsewhere (futexes' requeue), and all that wait for an object whose table changes.
 *
 * An entry is moved with both buckets locked, so whoever looks for it finds it in one of them
 * (lock_bucket_of in wait_table.c). Locking: two buckets in the order of their addresses. Cannot
 * fail but with -EAGAIN, when the caller's check says no.
 */
#include "wait_bucket.h"

#include <errno.h>

static void lock_both(struct wait_bucket *one, struct wait_bucket *other) {
    bucket_lock(one < other ? one : other);
    if (one != other)
        bucket_lock(one < other ? other : one);
}

static void unlock_both(struct wait_bucket *one, struct wait_bucket *other) {
    bucket_unlock(one);
    if (one != other)
        bucket_unlock(other);
}

/* The first `wake` calls are woken, the next `move` go to the end of the other bucket. */
static k42_result requeue(struct wait_bucket *bucket, struct wait_bucket *other,
                          const struct wait_requeue *how) {
    k42_result moved = 0;
    struct wait_entry *next, *last = bucket->last;
    for (struct wait_entry *entry = bucket->first; entry; entry = next) {
        next = entry == last ? NULL : entry->next; /* those that are moved here are not met again */
        if (!entry->once || !entry_stands_at(entry, how->from.id, how->from.key) ||
            !(entry->point.events & how->from.events))
            continue;
        if (moved >= (k42_result)how->wake + how->move)
            break;
        if (moved < how->wake) {
            bucket_fire_once(bucket, entry, how->from.events);
        } else {
            bucket_take(bucket, entry);
            entry->point.id = how->to.id;
            entry->point.key = how->to.key;
            bucket_put(other, entry);
        }
        moved++;
    }
    return moved;
}

k42_result wait_table_requeue(const struct wait_requeue *how, const struct wait_table *from,
                              const struct wait_table *to) {
    struct wait_bucket *bucket = wait_table_bucket(from, how->from.id, how->from.key);
    struct wait_bucket *other = wait_table_bucket(to, how->to.id, how->to.key);
    uintptr_t saved = interrupts_save();
    lock_both(bucket, other);
    k42_result result = -EAGAIN;
    if (!how->check || how->check(how->argument))
        result = requeue(bucket, other, how);
    unlock_both(bucket, other);
    interrupts_restore(saved);
    return result;
}

/* Of the first entry that waits for the object; false: none does. */
static bool first_key(struct wait_bucket *bucket, k42_id id, uintptr_t *key) {
    bucket_lock(bucket);
    struct wait_entry *entry = bucket->first;
    while (entry && entry->point.id != id)
        entry = entry->next;
    if (entry)
        *key = entry->point.key;
    bucket_unlock(bucket);
    return entry;
}

/* All that stand at one point. A watcher goes before those that wait, and one of several before the
 * others, which are told in any order. */
static void move_point(struct wait_bucket *bucket, struct wait_bucket *other, k42_id id,
                       uintptr_t key) {
    lock_both(bucket, other);
    for (struct wait_entry *entry = bucket->first, *next; entry; entry = next) {
        next = entry->next;
        if (!entry_stands_at(entry, id, key))
            continue;
        bucket_take(bucket, entry);
        bucket_put(other, entry);
    }
    unlock_both(bucket, other);
}

/* Two locks are taken in the order of their addresses, so each point is found with one and moved
 * with both; entries only leave, so that ends. */
void wait_table_move(const struct wait_table *from, const struct wait_table *to, k42_id id) {
    uintptr_t key = 0;
    if (from->buckets == to->buckets)
        return;
    for (uint64_t i = 0; i < 1ul << (64 - from->shift); i++) {
        struct wait_bucket *bucket = &from->buckets[i];
        uintptr_t saved = interrupts_save();
        while (__atomic_load_n(&bucket->waiters, __ATOMIC_RELAXED) && first_key(bucket, id, &key))
            move_point(bucket, wait_table_bucket(to, id, key), id, key);
        interrupts_restore(saved);
    }
}
