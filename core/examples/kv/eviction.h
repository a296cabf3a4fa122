/*
 * The interface `eviction`: which key should go when memory is short.
 *
 * A policy knows keys by their hash only, and keeps one record for each. It is told of every use
 * (touched) and every removal (forgotten), and names a victim when asked. It is an object of its
 * own beside the table, and no lock spans the two, so it may lag behind: a victim may be gone
 * already (the store tells it to forget that one and asks again), and a key may be missing until
 * its next use (the store then takes any entry). Both heal by themselves; neither loses a key that
 * was not to go.
 *
 * Methods do not wait; touched may allocate.
 */
#ifndef KV_EVICTION_H
#define KV_EVICTION_H

#include <k42/object.h>

#include "entry.h"

struct eviction;

struct eviction_ops {
    struct k42_object_ops object;
    /*
     * A key was read or written at `now_ns`, a clock that does not go back. Unknown keys are taken
     * up. Errors: -ENOMEM: an unknown key stays unknown.
     */
    K42_METHOD(touched)(struct eviction *self, uint64_t hash, uint64_t now_ns);
    /* A key is gone. Unknown ones are none of its business. */
    K42_METHOD(forgotten)(struct eviction *self, uint64_t hash);
    /* Names the key that should go next, and keeps its record. Errors: -ENOENT: none is known. */
    K42_METHOD(victim)(struct eviction *self, uint64_t now_ns, K42_OUT uint64_t *hash);
    /* How many keys it knows. */
    K42_METHOD(count)(struct eviction *self);
};

struct eviction {
    const struct eviction_ops *ops;
};
K42_DECLARE_REF(eviction);
extern const struct k42_interface eviction_interface;

/* What every policy knows of a key, whether it decides by it or not: the next policy may. */
struct eviction_record {
    uint64_t hash;
    uint64_t used_ns; /* last use */
    uint64_t uses;    /* how often, forgetting old times: see eviction_uses() */
};

/* Uses lose half their weight with every minute without one. */
uint64_t eviction_uses(const struct eviction_record *record, uint64_t now_ns);

/* Counts one more use. */
void eviction_count_use(struct eviction_record *record, uint64_t now_ns);

/* ---- format of a policy's state, for classes ----------------------------------------------------
 *
 * Canonical: all records, by value. KV_SHARDS parts, part p being the records of shard p. Measured:
 * records of the fullest shard.
 *   word[EVICTION_PARCEL]  the importer's struct eviction_parcel, put there by prepare
 */
extern const struct k42_format eviction_records_format;
enum { EVICTION_PARCEL };

/* Room for as many records of each shard, made before a transfer that may not allocate. */
struct eviction_parcel {
    size_t room; /* for each shard */
    size_t count[KV_SHARDS];
    uint8_t outgrown[KV_SHARDS];
    struct eviction_record records[];
};

struct eviction_parcel *eviction_parcel_make(size_t room_per_shard);
void eviction_parcel_add(struct eviction_parcel *parcel, unsigned shard,
                         const struct eviction_record *record);

#endif
