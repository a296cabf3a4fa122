/*
 * The store. See store.h for how it stays sound while its parts are swapped.
 */
#include "store.h"

#include <k42/class.h>

#include <errno.h>
#include <stdlib.h>
#include <time.h>

enum {
    WALKED = 128,          /* entries looked at in one step of a walk */
    SWEEP_SAMPLE = 20,     /* of which a sweep goes on when a quarter had expired */
    SWEEP_ROUNDS = 16,     /* at most */
    EVICTION_ATTEMPTS = 64 /* victims that turn out to be gone before any key will do */
};

struct kv_now kv_now(void) {
    struct timespec wall, steady;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_MONOTONIC, &steady);
    return (struct kv_now){
        .wall_ms = (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000,
        .ns = (uint64_t)steady.tv_sec * 1000000000 + (uint64_t)steady.tv_nsec,
    };
}

static k42_result create_by_name(const char *class_name, k42_ref *ref) {
    struct k42_class *class_ = k42_class_find(class_name);
    return class_ ? k42_create(class_, NULL, ref) : -ENOENT;
}

k42_result kv_store_init(struct kv_store *store, const char *table_class,
                         const char *eviction_class) {
    k42_ref table, eviction;
    k42_result result = create_by_name(table_class, &table);
    if (result < 0)
        return result;
    result = create_by_name(eviction_class, &eviction);
    if (result < 0) {
        k42_result undone = k42_destroy(table);
        return undone < 0 ? undone : result;
    }
    *store = (struct kv_store){.table = (table_ref)table, .eviction = (eviction_ref)eviction};
    return 0;
}

k42_result kv_store_fini(struct kv_store *store) {
    k42_result table = k42_destroy((k42_ref)store->table);
    k42_result eviction = k42_destroy((k42_ref)store->eviction);
    return table < 0 ? table : eviction;
}

static void count_one(uint64_t *counter) {
    __atomic_add_fetch(counter, 1, __ATOMIC_RELAXED);
}

static uint64_t cost_of(const struct kv_entry *entry) {
    return entry ? kv_entry_size(entry) + KV_KEY_OVERHEAD : 0;
}

/*
 * What whoever changed the table owes: the account, the policy, the entry that was taken out. The
 * policy's answer does not matter: a key it has no memory for is found by eviction all the same.
 */
static void settle(struct kv_store *store, struct kv_entry *gone, struct kv_entry *come,
                   struct kv_now now) {
    uint64_t difference = cost_of(come) - cost_of(gone);
    if (difference)
        __atomic_add_fetch(&store->used_bytes, difference, __ATOMIC_RELAXED);
    if (come)
        (void)k42_call(store->eviction, touched, come->hash, now.ns);
    else if (gone)
        (void)k42_call(store->eviction, forgotten, gone->hash);
    if (gone)
        kv_entry_release(gone);
}

k42_result kv_store_exchange(struct kv_store *store, const struct kv_key *key,
                             struct kv_entry *expected, struct kv_entry *wanted,
                             struct kv_now now) {
    if (!expected && !wanted)
        return 0;
    k42_result result = k42_call(store->table, exchange, key, expected, wanted);
    if (result == 0)
        settle(store, expected, wanted, now);
    return result;
}

k42_result kv_store_set(struct kv_store *store, struct kv_entry *entry, struct kv_now now) {
    struct kv_entry *replaced;
    k42_result result = k42_call(store->table, store, entry, &replaced);
    if (result == 0)
        settle(store, replaced, entry, now);
    return result;
}

/* Takes an entry out that the caller has found; somebody else may have done so meanwhile. */
static k42_result remove_found(struct kv_store *store, struct kv_entry *entry, struct kv_now now,
                               uint64_t *counter) {
    struct kv_key key = kv_entry_key(entry);
    k42_result result = kv_store_exchange(store, &key, entry, NULL, now);
    if (result == 0)
        count_one(counter);
    return result == -EAGAIN ? 0 : result;
}

k42_result kv_store_peek(struct kv_store *store, const struct kv_key *key, struct kv_now now,
                         struct kv_entry **entry) {
    k42_result result = k42_call(store->table, lookup, key, entry);
    if (result < 0 || !kv_expired(*entry, now))
        return result;
    result = remove_found(store, *entry, now, &store->expired_keys);
    *entry = NULL;
    return result < 0 ? result : -ENOENT;
}

k42_result kv_store_find(struct kv_store *store, const struct kv_key *key, struct kv_now now,
                         struct kv_entry **entry) {
    k42_result result = kv_store_peek(store, key, now, entry);
    count_one(result == 0 ? &store->hits : &store->misses);
    if (result == 0)
        (void)k42_call(store->eviction, touched, key->hash, now.ns);
    return result;
}

k42_result kv_store_change(struct kv_store *store, const struct kv_key *key, struct kv_now now,
                           struct kv_change *change) {
    for (;;) {
        struct kv_entry *present, *wanted = NULL;
        k42_result result = kv_store_peek(store, key, now, &present);
        if (result < 0 && result != -ENOENT)
            return result;
        present = result == 0 ? present : NULL;
        result = change->make(change, key, present, &wanted);
        if (result == 0)
            result = kv_store_exchange(store, key, present, wanted, now);
        if (result == 0)
            return 0;
        if (wanted)
            kv_entry_free(wanted);
        if (result != -EAGAIN)
            return result;
    }
}

/* ---- eviction ---- */

/* Some entry, for when the policy knows none that is in the table. */
static k42_result any_entry(struct kv_store *store, uint64_t position, struct kv_entry **entry) {
    struct kv_entry *entries[WALKED];
    uint64_t cursor = position;
    int wrapped = 0;
    while (!wrapped || cursor < position) {
        k42_result shown = k42_call(store->table, walk, &cursor, entries, WALKED);
        if (shown < 0)
            return shown;
        if (shown > 0) {
            *entry = entries[0];
            return 0;
        }
        if (cursor == 0 && wrapped)
            break;
        wrapped |= cursor == 0;
    }
    return -ENOENT;
}

/* The entry that should go next. */
static k42_result choose_victim(struct kv_store *store, struct kv_now now,
                                struct kv_entry **entry) {
    uint64_t hash;
    for (unsigned n = 0; n < EVICTION_ATTEMPTS; n++) {
        k42_result result = k42_call(store->eviction, victim, now.ns, &hash);
        if (result == -ENOENT)
            break;
        if (result < 0)
            return result;
        result = k42_call(store->table, lookup_hash, hash, entry);
        if (result != -ENOENT)
            return result;
        (void)k42_call(store->eviction, forgotten, hash);
    }
    return any_entry(store, now.ns * 0x9e3779b97f4a7c15, entry);
}

k42_result kv_store_make_room(struct kv_store *store, struct kv_now now) {
    for (;;) {
        uint64_t limit = __atomic_load_n(&store->maxmemory, __ATOMIC_RELAXED);
        struct kv_entry *entry;
        if (!limit || __atomic_load_n(&store->used_bytes, __ATOMIC_RELAXED) <= limit)
            return 0;
        if (!__atomic_load_n(&store->evicts, __ATOMIC_RELAXED))
            return -ENOSPC;
        k42_result result = choose_victim(store, now, &entry);
        if (result == -ENOENT)
            return -ENOSPC;
        if (result == 0)
            result = remove_found(store, entry, now, &store->evicted_keys);
        if (result < 0)
            return result;
    }
}

/* ---- all keys ---- */

/* Takes a key out, whatever it has: exchanging what was found is tried until nobody comes between.
 */
static k42_result remove_key(struct kv_store *store, const struct kv_key *key,
                             struct kv_entry *found, struct kv_now now) {
    for (;;) {
        k42_result result = kv_store_exchange(store, key, found, NULL, now);
        if (result != -EAGAIN)
            return result;
        result = k42_call(store->table, lookup, key, &found);
        if (result < 0)
            return result == -ENOENT ? 0 : result;
    }
}

k42_result kv_store_clear(struct kv_store *store, struct kv_now now) {
    struct kv_entry *entries[WALKED];
    uint64_t cursor = 0;
    do {
        k42_result shown = k42_call(store->table, walk, &cursor, entries, WALKED);
        for (k42_result n = 0; n < shown; n++) {
            struct kv_key key = kv_entry_key(entries[n]);
            k42_result result = remove_key(store, &key, entries[n], now);
            if (result < 0)
                return result;
        }
        if (shown < 0)
            return shown;
        k42_safe_point(); /* no entry is in use here, and a walk can be long */
    } while (cursor != 0);
    return 0;
}

/*
 * Removes what has expired among the next entries from a place on, which go around through the
 * first: each entry must have a chance. Returns how many of them had expired.
 */
static k42_result sweep_once(struct kv_store *store, uint64_t cursor, struct kv_now now) {
    struct kv_entry *entries[WALKED];
    k42_result found = 0, looked = 0;
    unsigned ends = 0;
    while (looked < SWEEP_SAMPLE && ends < 2) {
        k42_result shown = k42_call(store->table, walk, &cursor, entries, WALKED);
        for (k42_result n = 0; n < shown && looked < SWEEP_SAMPLE; n++, looked++) {
            if (!kv_expired(entries[n], now))
                continue;
            k42_result result = remove_found(store, entries[n], now, &store->expired_keys);
            if (result < 0)
                return result;
            found++;
        }
        if (shown < 0)
            return shown;
        ends += cursor == 0;
    }
    return found;
}

k42_result kv_store_sweep(struct kv_store *store, struct kv_now now) {
    uint64_t position = now.ns;
    for (unsigned round = 0; round < SWEEP_ROUNDS; round++) {
        position = (position ^ position >> 29) * 0xd6e8feb86659fd93 + round;
        k42_result found = sweep_once(store, position, now);
        if (found < SWEEP_SAMPLE / 4)
            return found < 0 ? found : 0;
    }
    return 0;
}
