/*
 * The store: a table and an eviction policy brought together to keys that expire and a memory
 * limit.
 *
 * The store is called by active threads, many at once. It holds no lock and no entries; each of its
 * functions is some calls of the two objects, either of which may be swapped between any two calls.
 * What keeps that sound:
 *  - a key has the value that the table says; the policy only ever names candidates;
 *  - whatever reads a value and writes another ends in table.exchange, and begins anew when that
 *    answers -EAGAIN;
 *  - whoever takes an entry out of the table, and nobody else, accounts for it, tells the policy
 *    and releases it.
 */
#ifndef KV_STORE_H
#define KV_STORE_H

#include "eviction.h"
#include "table.h"

struct kv_store {
    table_ref table;
    eviction_ref eviction;
    uint64_t used_bytes; /* entries and what is kept about them */
    uint64_t maxmemory;  /* 0: no limit */
    uint32_t evicts;     /* 0: a full store refuses writes (noeviction) */
    uint64_t expired_keys, evicted_keys, hits, misses;
};

/* The moment at which a batch of requests is carried out. */
struct kv_now {
    uint64_t wall_ms;
    uint64_t ns; /* of a clock that does not go back */
};
struct kv_now kv_now(void);

/* Makes table and policy of the classes named. Errors: -ENOENT, those of k42_create. */
k42_result kv_store_init(struct kv_store *store, const char *table_class,
                         const char *eviction_class);
/* Destroys both. Errors: those of k42_destroy. */
k42_result kv_store_fini(struct kv_store *store);

/* Finds a key that has not expired, as a use of it. Errors: -ENOENT. */
k42_result kv_store_find(struct kv_store *store, const struct kv_key *key, struct kv_now now,
                         struct kv_entry **entry);

/* The same without counting it as a use. */
k42_result kv_store_peek(struct kv_store *store, const struct kv_key *key, struct kv_now now,
                         struct kv_entry **entry);

/* Stores an entry whatever was there. Errors: -ENOMEM; the entry is then still the caller's. */
k42_result kv_store_set(struct kv_store *store, struct kv_entry *entry, struct kv_now now);

/* As table.exchange, for the whole store. Errors: -EAGAIN, -ENOMEM; `wanted` is still the caller's.
 */
k42_result kv_store_exchange(struct kv_store *store, const struct kv_key *key,
                             struct kv_entry *expected, struct kv_entry *wanted, struct kv_now now);

/*
 * Changes a key by a function of what it has (NULL: nothing, or expired), again and again until
 * nobody has come between. `make` makes the new entry, or none to take the key out; a result other
 * than 0 ends it, changes nothing and is returned. Errors: those of `make` and kv_store_exchange.
 */
struct kv_change {
    k42_result (*make)(struct kv_change *change, const struct kv_key *key,
                       const struct kv_entry *present, struct kv_entry **wanted);
};
k42_result kv_store_change(struct kv_store *store, const struct kv_key *key, struct kv_now now,
                           struct kv_change *change);

/* Evicts until the limit is kept. Errors: -ENOSPC: it is not, and may not or cannot be. */
k42_result kv_store_make_room(struct kv_store *store, struct kv_now now);

/* Removes every key. Errors: as calls'. */
k42_result kv_store_clear(struct kv_store *store, struct kv_now now);

/* Looks at some keys at random and removes those expired; goes on while many are. */
k42_result kv_store_sweep(struct kv_store *store, struct kv_now now);

static inline int kv_expired(const struct kv_entry *entry, struct kv_now now) {
    return entry->deadline_ms && entry->deadline_ms <= now.wall_ms;
}

#endif
