/*
 * The table of those who wait: who stands where, and what a notification does.
 *
 * Buckets hold the entries of all points that hash there: first the watchers, which notifications
 * tell and leave, then those who wait once, in the order they came. So a notification of one call
 * looks at the watchers and as far as the first call that matches.
 *
 * No notification is lost. An entry counts itself in its bucket by an operation that is a full
 * barrier, and only then does its thread look at the state; whoever notifies has changed the state
 * before it looks at the count. One of the two sees the other (wait.h says what that asks of
 * objects; tests/models/wait.pml has it with calls, limits, interrupts and deadlines).
 *
 * An entry is its owner's memory. Whoever notifies touches it under the bucket's lock, and after
 * that only if it has `calling` set there; the owner takes the lock before it lets the memory go,
 * and waits for `calling` to be over. A thread is woken under the lock for the same reason.
 *
 * A table that belongs to an object is freed a grace period after its entries have been moved to
 * another (wait_move.c). Who is active and finds his entry in may lock its bucket: if that is moved
 * away from, it is so after he looked. But an entry that a notification took out is not moved, and
 * its owner may sleep on for longer than the bucket lives. Such an entry has `left`, the last that
 * the notification writes, and its owner needs no lock. While it is not written, the notification
 * goes on, which is a call of the table's object, so what is said of entries that are in holds.
 *
 * A watcher's fn is called by one at a time. Who comes meanwhile leaves the events to the caller,
 * and one of those succeeds it: waits for the call to end and makes the next. So nobody calls for
 * others for ever, however often they notify. Whoever is inside of an fn himself does not wait for
 * another's; hence those who wait do so for some who do not, and there is no circle.
 *
 * Locking: a bucket's lock, with interrupts off (wait_move.c takes two). Under it CPUs' locks are
 * taken, to wake; fn is called under none. Cannot fail.
 */
#include "wait_bucket.h"

#include "../print.h"

#define BUCKETS_PER_CPU 256u
#define BUCKETS_LEAST   1024u
/* Whatever is watched is of a kilobyte or more itself, so lists stay short when there is very much
 * of it. Takes 0.2 % of memory. */
#define BUCKET_SHARE (32ul << 10)

static struct wait_bucket first_buckets[2];
struct wait_bucket *wait_buckets = first_buckets;
unsigned wait_shift = 63;

void wait_open(uint64_t bytes) {
    unsigned bits = 0;
    while (1u << bits < BUCKETS_LEAST || 1u << bits < BUCKETS_PER_CPU * cpu_count() ||
           BUCKET_SHARE << bits < bytes)
        bits++;
    char *memory = k42_platform_alloc(sizeof(struct wait_bucket) * ((1ul << bits) + 1));
    if (!memory)
        panic("boot: no memory for the table of waiting calls; give the machine more memory");
    memory += -(uintptr_t)memory % sizeof(struct wait_bucket);
    wait_buckets = (struct wait_bucket *)(void *)memory;
    wait_shift = 64 - bits;
}

/* ---- buckets ---- */

/* An entry is moved to another bucket with both locked, so it stays where it is found. */
static struct wait_bucket *lock_bucket_of(struct wait_entry *entry) {
    for (;;) {
        struct wait_bucket *bucket = __atomic_load_n(&entry->bucket, __ATOMIC_ACQUIRE);
        bucket_lock(bucket);
        if (bucket == __atomic_load_n(&entry->bucket, __ATOMIC_RELAXED))
            return bucket;
        bucket_unlock(bucket);
    }
}

void bucket_put(struct wait_bucket *bucket, struct wait_entry *entry) {
    struct wait_entry *before = entry->once ? bucket->last : NULL;
    struct wait_entry *next = entry->once ? NULL : bucket->first;
    entry->before = before;
    entry->next = next;
    if (before)
        before->next = entry;
    else
        bucket->first = entry;
    if (next)
        next->before = entry;
    else
        bucket->last = entry;
    entry->in = true;
    __atomic_store_n(&entry->bucket, bucket, __ATOMIC_RELEASE);
    __atomic_fetch_add(&bucket->waiters, 1, __ATOMIC_SEQ_CST);
}

void bucket_take(struct wait_bucket *bucket, struct wait_entry *entry) {
    if (entry->before)
        entry->before->next = entry->next;
    else
        bucket->first = entry->next;
    if (entry->next)
        entry->next->before = entry->before;
    else
        bucket->last = entry->before;
    entry->in = false;
    __atomic_fetch_sub(&bucket->waiters, 1, __ATOMIC_RELAXED);
}

static void add_to(struct wait_bucket *bucket, struct wait_entry *entry) {
    uintptr_t saved = interrupts_save();
    bucket_lock(bucket);
    bucket_put(bucket, entry);
    bucket_unlock(bucket);
    interrupts_restore(saved);
}

static void add(struct wait_entry *entry) {
    add_to(wait_bucket_of(entry->point.id, entry->point.key), entry);
}

void wait_set_add(struct wait_set *set, struct wait_entry *entry, struct wait_point point) {
    *entry = (struct wait_entry){.set = set, .point = point};
    add(entry);
}

void wait_set_add_once(struct wait_set *set, struct wait_entry *entry, struct wait_point point) {
    *entry = (struct wait_entry){.set = set, .point = point, .once = true};
    add(entry);
}

void wait_table_add_once(const struct wait_table *table, struct wait_set *set,
                         struct wait_entry *entry, struct wait_point point) {
    *entry = (struct wait_entry){.set = set, .point = point, .once = true};
    add_to(wait_table_bucket(table, point.id, point.key), entry);
}

void wait_watch(struct wait_entry *entry, struct wait_point point,
                void (*fn)(struct wait_entry *entry, uint32_t events)) {
    *entry = (struct wait_entry){.fn = fn, .point = point};
    add(entry);
}

void wait_watch_instead(struct wait_entry *entry, struct wait_point point,
                        void (*fn)(struct wait_entry *entry, uint32_t events),
                        const uint32_t *takers) {
    *entry = (struct wait_entry){.fn = fn, .point = point, .takers = takers};
    add(entry);
}

void wait_table_watch(const struct wait_table *table, struct wait_entry *entry,
                      struct wait_point point,
                      void (*fn)(struct wait_entry *entry, uint32_t events)) {
    *entry = (struct wait_entry){.fn = fn, .point = point};
    add_to(wait_table_bucket(table, point.id, point.key), entry);
}

/* Whoever calls fn has interrupts off, and so is soon done. */
uint32_t wait_remove(struct wait_entry *entry) {
    if (__atomic_load_n(&entry->left, __ATOMIC_ACQUIRE))
        return entry->fired;
    uintptr_t saved = interrupts_save();
    struct wait_bucket *bucket = lock_bucket_of(entry);
    if (entry->in)
        bucket_take(bucket, entry);
    while (entry->calling) {
        bucket_unlock(bucket);
        cpu_wait_turn();
        bucket_lock(bucket);
    }
    uint32_t fired = entry->fired;
    bucket_unlock(bucket);
    interrupts_restore(saved);
    return fired;
}

/* ---- notifying ---- */

/* What a notification has to call: entries it found at rest, and one whose caller it succeeds. */
struct callers {
    struct wait_entry *first, *next_turn;
};

static void call_or_leave(struct wait_entry *entry, struct callers *callers) {
    if (!entry->calling) {
        entry->calling = true;
        entry->next_called = callers->first;
        callers->first = entry;
    } else if (!callers->next_turn && !entry->succeeded && !thread_self()->wait.telling) {
        __atomic_store_n(&entry->succeeded, true, __ATOMIC_RELEASE);
        callers->next_turn = entry;
    }
}

/* The bucket is locked. */
static void fire(struct wait_bucket *bucket, struct wait_entry *entry, uint32_t events,
                 struct callers *callers) {
    uint32_t came = events == (uint32_t)WAIT_ANY ? WAIT_HANGUP : events & entry->point.events;
    entry->fired |= came;
    if (entry->once)
        bucket_take(bucket, entry);
    if (entry->set) {
        __atomic_store_n(&entry->set->fired, 1, __ATOMIC_RELEASE);
        thread_wake(entry->set->thread);
        __atomic_store_n(&entry->left, entry->once, __ATOMIC_RELEASE);
        return;
    }
    entry->due |= came;
    call_or_leave(entry, callers);
}

void bucket_fire_once(struct wait_bucket *bucket, struct wait_entry *entry, uint32_t events) {
    fire(bucket, entry, events, NULL); /* it has a set, and nothing to call */
}

/* What to tell fn; 0: the entry is its owner's, or the next caller's, since the lock was let go. */
static uint32_t next_events(struct wait_entry *entry, bool told) {
    struct wait_bucket *bucket = entry->bucket; /* a watcher is not moved */
    bucket_lock(bucket);
    uint32_t events = entry->due;
    if (entry->succeeded && (told || !events)) {
        __atomic_store_n(&entry->handed_over, true, __ATOMIC_RELEASE);
        events = 0;
    } else {
        entry->due = 0;
        entry->calling = events;
    }
    bucket_unlock(bucket);
    return events;
}

static void call_back(struct wait_entry *entry) {
    uint32_t events;
    for (bool told = false; (events = next_events(entry, told)); told = true)
        entry->fn(entry, events);
}

/* Nobody else can be next before we have come. */
static void await_turn(struct wait_entry *entry) {
    struct wait_bucket *bucket = entry->bucket;
    while (!__atomic_load_n(&entry->handed_over, __ATOMIC_ACQUIRE))
        cpu_wait_turn();
    bucket_lock(bucket);
    entry->succeeded = entry->handed_over = false;
    bucket_unlock(bucket);
}

static void call_all(const struct callers *callers) {
    struct wait_entry *next, *entry = callers->first;
    if (!entry && !callers->next_turn)
        return;
    struct wait_record *record = &thread_self()->wait;
    bool inside = record->telling;
    record->telling = true;
    for (; entry; entry = next) {
        next = entry->next_called;
        call_back(entry);
    }
    if (callers->next_turn) {
        await_turn(callers->next_turn);
        call_back(callers->next_turn);
    }
    record->telling = inside;
}

/* Whether a watcher is to be told although another that would do has takers. */
static bool is_needed(const struct wait_entry *entry, uint32_t events, bool *taken) {
    if (!entry->takers || (events & (WAIT_ERROR | WAIT_HANGUP)))
        return true;
    if (*taken)
        return false;
    *taken = __atomic_load_n(entry->takers, __ATOMIC_SEQ_CST);
    return true;
}

uint32_t wait_notify_bucket(struct wait_bucket *bucket, const struct wait_point *point,
                            uint32_t count) {
    struct callers callers = {NULL, NULL};
    struct wait_entry *next;
    uint32_t woken = 0;
    bool taken = false;
    uintptr_t saved = interrupts_save();
    bucket_lock(bucket);
    for (struct wait_entry *entry = bucket->first; entry; entry = next) {
        if (entry->once && woken == count)
            break;
        next = entry->next;
        if (!entry_stands_at(entry, point->id, point->key) ||
            !(entry->point.events & point->events) || !is_needed(entry, point->events, &taken))
            continue;
        woken += entry->once;
        fire(bucket, entry, point->events, &callers);
    }
    bucket_unlock(bucket);
    call_all(&callers);
    interrupts_restore(saved);
    return woken;
}

uint32_t wait_notify_slow(k42_id id, uintptr_t key, uint32_t events, uint32_t count) {
    struct wait_point point = {.id = id, .key = key, .events = events};
    return wait_notify_bucket(wait_bucket_of(id, key), &point, count);
}

/* Everybody in a bucket that waits for the object, whatever the key. */
static void hang_up(struct wait_bucket *bucket, k42_id id) {
    struct callers callers = {NULL, NULL};
    struct wait_entry *next;
    uintptr_t saved = interrupts_save();
    bucket_lock(bucket);
    for (struct wait_entry *entry = bucket->first; entry; entry = next) {
        next = entry->next;
        if (entry->point.id == id)
            fire(bucket, entry, (uint32_t)WAIT_ANY, &callers);
    }
    bucket_unlock(bucket);
    call_all(&callers);
    interrupts_restore(saved);
}

void wait_table_hangup(const struct wait_table *table, k42_id id) {
    for (uint64_t i = 0; i < 1ul << (64 - table->shift); i++)
        if (__atomic_load_n(&table->buckets[i].waiters, __ATOMIC_RELAXED))
            hang_up(&table->buckets[i], id);
}

bool wait_anybody(k42_id id, uintptr_t key) {
    struct wait_bucket *bucket = wait_bucket_of(id, key);
    if (!__atomic_load_n(&bucket->waiters, __ATOMIC_RELAXED))
        return false;
    uintptr_t saved = interrupts_save();
    bucket_lock(bucket);
    struct wait_entry *entry = bucket->first;
    while (entry && !entry_stands_at(entry, id, key))
        entry = entry->next;
    bucket_unlock(bucket);
    interrupts_restore(saved);
    return entry;
}
