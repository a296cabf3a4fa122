/*
 * The table of locks. See locks.h.
 *
 * Locks of a node hang off one bucket, guarded by its lock; one owner's do not touch one another.
 * Owners are counted in a table of their own, by hash, so that who has no locks finds that out by
 * one look.
 */
#include "locks.h"

#include "../sched/wait.h"
#include "platform.h"

#include <errno.h>
#include <k42/lock.h>

enum { BUCKETS = 64, OWNERS = 256, KEY_LOCKS = 0x10c };

struct held {
    struct held *next;
    struct file_lock lock;
};

static struct bucket {
    struct k42_lock lock;
    struct held *first;
} table[BUCKETS];

static uint32_t owned[OWNERS];

static struct bucket *bucket_of(k42_id node) {
    return &table[node * 0x9e3779b1u >> 26];
}

static uint32_t *owned_by(k42_id owner) {
    return &owned[owner * 0x9e3779b1u >> 24];
}

static bool overlap(const struct file_lock *a, const struct file_lock *b) {
    return a->start <= b->end && b->start <= a->end;
}

static bool same_owner(const struct file_lock *a, const struct file_lock *b) {
    return a->node == b->node && a->kind == b->kind && a->owner == b->owner;
}

/* Of several, the one that begins first: it is what F_GETLK tells of. */
static struct held *find_conflict(const struct bucket *bucket, const struct file_lock *lock) {
    struct held *found = NULL;
    for (struct held *at = bucket->first; at; at = at->next)
        if (at->lock.node == lock->node && at->lock.kind == lock->kind &&
            at->lock.owner != lock->owner && overlap(&at->lock, lock) &&
            (at->lock.type == LOCK_WRITE || lock->type == LOCK_WRITE) &&
            (!found || at->lock.start < found->lock.start))
            found = at;
    return found;
}

static void put(struct bucket *bucket, struct held *held) {
    held->next = bucket->first;
    bucket->first = held;
    __atomic_add_fetch(owned_by(held->lock.owner), 1, __ATOMIC_SEQ_CST);
}

static void take(struct held **at, struct held **taken) {
    struct held *held = *at;
    *at = held->next;
    held->next = *taken;
    *taken = held;
    __atomic_sub_fetch(owned_by(held->lock.owner), 1, __ATOMIC_SEQ_CST);
}

static void free_all(struct held *held) {
    while (held) {
        struct held *next = held->next;
        k42_platform_free(held);
        held = next;
    }
}

/* Cuts a range out of an owner's locks; `spare` is for what is left behind the cut. */
static void cut(struct bucket *bucket, const struct file_lock *range, struct held **spare,
                struct held **taken) {
    for (struct held **at = &bucket->first; *at;) {
        struct held *held = *at;
        if (!same_owner(&held->lock, range) || !overlap(&held->lock, range)) {
            at = &held->next;
            continue;
        }
        uint64_t end = held->lock.end;
        bool before = held->lock.start<range->start, behind = end> range->end;
        if (before)
            held->lock.end = range->start - 1;
        if (behind && before) {
            (*spare)->lock = held->lock;
            (*spare)->lock.start = range->end + 1;
            (*spare)->lock.end = end;
            put(bucket, *spare);
            *spare = NULL;
        } else if (behind) {
            held->lock.start = range->end + 1;
        }
        if (!before && !behind)
            take(at, taken);
        else
            at = &held->next;
    }
}

/* Makes a new lock one with those of the same type that it touches. */
static void join(struct bucket *bucket, struct file_lock *lock, struct held **taken) {
    for (struct held **at = &bucket->first; *at;) {
        struct file_lock *other = &(*at)->lock;
        bool touches = same_owner(other, lock) && other->type == lock->type &&
                       (other->end + 1 == lock->start || lock->end + 1 == other->start);
        if (!touches) {
            at = &(*at)->next;
            continue;
        }
        lock->start = other->start < lock->start ? other->start : lock->start;
        lock->end = other->end > lock->end ? other->end : lock->end;
        take(at, taken);
    }
}

k42_result locks_set(const struct file_lock *lock) {
    struct bucket *bucket = bucket_of(lock->node);
    struct held *made = k42_platform_alloc(sizeof *made), *taken = NULL;
    struct held *spare = k42_platform_alloc(sizeof *spare);
    k42_result result = made && spare ? 0 : -ENOMEM;
    k42_lock(&bucket->lock);
    if (result == 0 && lock->type != LOCK_NONE && find_conflict(bucket, lock))
        result = wait_on(lock->node, KEY_LOCKS, WAIT_WRITE);
    if (result == 0) {
        cut(bucket, lock, &spare, &taken);
        if (lock->type != LOCK_NONE) {
            made->lock = *lock;
            join(bucket, &made->lock, &taken);
            put(bucket, made);
            made = NULL;
        }
    }
    k42_unlock(&bucket->lock);
    k42_platform_free(made);
    k42_platform_free(spare);
    free_all(taken);
    if (result == 0)
        (void)!wait_notify(lock->node, KEY_LOCKS, WAIT_WRITE, WAIT_ALL);
    return result;
}

/* ---- deadlocks ----
 *
 * Who waits stands in a list by owner. The lists have one lock: a circle is made by whoever enters
 * last, and he sees all others then, so of two that close it together one is refused. An entry
 * may be out of date, when its lock has become free and its owner has not run since: what it
 * waits for is therefore looked up anew at each step, with the bucket's lock inside. Only who
 * is about to sleep comes here.
 */

enum { STEPS_MOST = 10 }; /* of a circle, as on Linux: longer ones are not seen */

static struct k42_lock waiters_lock;
static struct lock_waiter *waiters[OWNERS];

static struct lock_waiter **waiters_of(k42_id owner) {
    return &waiters[owner * 0x9e3779b1u >> 24];
}

/* Who is in the way of a lock; 0: nobody, or an open file. */
static k42_id owner_in_the_way(const struct file_lock *lock) {
    struct file_lock found;
    locks_find(lock, &found);
    return found.type == LOCK_NONE || found.process < 0 ? 0 : found.owner;
}

/* What an owner waits for. A process's threads may wait for several; the first is followed. */
static const struct file_lock *awaited_by(k42_id owner) {
    const struct lock_waiter *at = *waiters_of(owner);
    while (at && at->lock.owner != owner)
        at = at->next;
    return at ? &at->lock : NULL;
}

static bool is_circle(const struct file_lock *lock) {
    const struct file_lock *at = lock;
    for (unsigned step = 0; at && step < STEPS_MOST; step++) {
        k42_id owner = owner_in_the_way(at);
        if (owner == lock->owner)
            return true;
        at = owner ? awaited_by(owner) : NULL;
    }
    return false;
}

static void unlist(struct lock_waiter *waiter) {
    struct lock_waiter **at = waiters_of(waiter->lock.owner);
    while (*at != waiter)
        at = &(*at)->next;
    *at = waiter->next;
    waiter->listed = false;
}

k42_result locks_await(const struct file_lock *lock, struct lock_waiter *waiter) {
    k42_result result = locks_set(lock);
    if (result != -K42_WAIT || lock->kind != LOCK_RECORD || lock->process < 0)
        return result;
    k42_lock(&waiters_lock);
    if (!waiter->listed) {
        struct lock_waiter **first = waiters_of(lock->owner);
        waiter->lock = *lock;
        waiter->next = *first;
        waiter->listed = true;
        *first = waiter;
    }
    bool circle = is_circle(lock);
    k42_unlock(&waiters_lock);
    return circle ? -EDEADLK : result;
}

void locks_waited(struct lock_waiter *waiter) {
    if (!waiter->listed)
        return;
    k42_lock(&waiters_lock);
    unlist(waiter);
    k42_unlock(&waiters_lock);
}

void locks_find(const struct file_lock *lock, struct file_lock *found) {
    struct bucket *bucket = bucket_of(lock->node);
    found->type = LOCK_NONE;
    k42_lock(&bucket->lock);
    struct held *held = find_conflict(bucket, lock);
    if (held)
        *found = held->lock;
    k42_unlock(&bucket->lock);
}

static void drop_in(struct bucket *bucket, k42_id node, k42_id owner) {
    struct held *taken = NULL;
    k42_lock(&bucket->lock);
    for (struct held **at = &bucket->first; *at;) {
        const struct file_lock *lock = &(*at)->lock;
        bool goes = lock->owner == owner && (!node || lock->node == node);
        if (goes)
            take(at, &taken);
        else
            at = &(*at)->next;
    }
    k42_unlock(&bucket->lock);
    for (struct held *at = taken; at; at = at->next)
        (void)!wait_notify(at->lock.node, KEY_LOCKS, WAIT_WRITE, WAIT_ALL);
    free_all(taken);
}

void locks_drop(k42_id node, k42_id owner) {
    if (!__atomic_load_n(owned_by(owner), __ATOMIC_SEQ_CST))
        return;
    if (node)
        drop_in(bucket_of(node), node, owner);
    for (unsigned n = 0; !node && n < BUCKETS; n++)
        drop_in(&table[n], 0, owner);
}
