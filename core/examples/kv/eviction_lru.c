/*
 * Eviction, least recently used: exact.
 *
 * Each shard keeps its records in a list, oldest use first, and finds them through chains from
 * buckets. The victim is the oldest of the shards' oldest. Costs 44 bytes a key, and two list
 * updates on every use.
 *
 * Records lie in an array and name each other by index, so that growing an array moves nothing
 * else; index 0 is the list's head, and free records form a chain of their own.
 *
 * Locking: shard->lock, leaf; growing a shard happens under it and copies the shard.
 * Formats: EVICTION_RECORDS (eviction_body.c).
 * Fails:   -ENOMEM from touched for a key not yet known.
 */
#include "eviction_body.h"

#include <k42/class.h>
#include <k42/lock.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HEAD = 0, FIRST_CAPACITY = 64 };

struct lru_record {
    struct eviction_record record;
    uint32_t older, newer; /* in the list, which goes around through the head */
    uint32_t chain;        /* next in its bucket, or next free; 0 ends */
};

struct lru_shard {
    struct k42_lock lock;
    uint32_t capacity; /* records, the head included; a power of two */
    uint32_t count;    /* keys; written under the lock, read without */
    uint32_t free;     /* first free record; 0: none */
    struct lru_record *records;
    uint32_t *buckets; /* `capacity` of them */
} __attribute__((aligned(64)));

struct eviction_lru {
    struct eviction_body body;
    char *memory; /* what the shards, aligned to cache lines, lie in */
    struct lru_shard *shards;
};

static struct eviction_lru *lru_of(struct eviction_body *body) {
    return k42_container(body, struct eviction_lru, body);
}

static struct lru_shard *shard_of(struct eviction *self, uint64_t hash) {
    return &lru_of(EVICTION_BODY(self))->shards[kv_shard(hash)];
}

static uint32_t *bucket_of(struct lru_shard *shard, uint64_t hash) {
    return &shard->buckets[hash & (shard->capacity - 1)];
}

static uint32_t find(struct lru_shard *shard, uint64_t hash) {
    uint32_t at = *bucket_of(shard, hash);
    while (at && shard->records[at].record.hash != hash)
        at = shard->records[at].chain;
    return at;
}

static void set_count(struct lru_shard *shard, uint32_t count) {
    __atomic_store_n(&shard->count, count, __ATOMIC_RELAXED);
}

/* ---- the list ---- */

static void link_newest(struct lru_shard *shard, uint32_t at) {
    struct lru_record *records = shard->records;
    uint32_t newest = records[HEAD].older;
    records[at].older = newest;
    records[at].newer = HEAD;
    records[newest].newer = at;
    records[HEAD].older = at;
}

static void unlink_record(struct lru_shard *shard, uint32_t at) {
    struct lru_record *records = shard->records;
    records[records[at].older].newer = records[at].newer;
    records[records[at].newer].older = records[at].older;
}

/* ---- the shard's memory ---- */

static void add_free(struct lru_shard *shard, uint32_t from, uint32_t to) {
    for (uint32_t at = to; at-- > from;) {
        shard->records[at].chain = shard->free;
        shard->free = at;
    }
}

/* Gives a shard twice as many records and sorts the chains anew. */
static k42_result grow(struct lru_shard *shard) {
    uint32_t capacity = shard->capacity * 2;
    if (capacity == 0)
        return -ENOMEM;
    uint32_t *buckets = calloc(capacity, sizeof(*buckets));
    struct lru_record *records =
        buckets ? realloc(shard->records, capacity * sizeof(*records)) : NULL;
    if (!records) {
        free(buckets);
        return -ENOMEM;
    }
    uint32_t before = shard->capacity;
    free(shard->buckets);
    shard->buckets = buckets;
    shard->records = records;
    shard->capacity = capacity;
    for (uint32_t at = records[HEAD].newer; at != HEAD; at = records[at].newer) {
        uint32_t *bucket = bucket_of(shard, records[at].record.hash);
        records[at].chain = *bucket;
        *bucket = at;
    }
    add_free(shard, before, capacity);
    return 0;
}

/* Takes a free record, which the caller has seen to exist, for a key, as its newest. */
static uint32_t add_record(struct lru_shard *shard, const struct eviction_record *record) {
    uint32_t at = shard->free, *bucket = bucket_of(shard, record->hash);
    shard->free = shard->records[at].chain;
    shard->records[at].record = *record;
    shard->records[at].chain = *bucket;
    *bucket = at;
    link_newest(shard, at);
    set_count(shard, shard->count + 1);
    return at;
}

/* ---- methods ---- */

static k42_result lru_touched(struct eviction *self, uint64_t hash, uint64_t now_ns) {
    struct lru_shard *shard = shard_of(self, hash);
    k42_result result = 0;
    k42_lock(&shard->lock);
    uint32_t at = find(shard, hash);
    if (at) {
        eviction_count_use(&shard->records[at].record, now_ns);
        unlink_record(shard, at);
        link_newest(shard, at);
    } else {
        result = shard->free ? 0 : grow(shard);
        if (result == 0)
            (void)add_record(shard, &(struct eviction_record){hash, now_ns, 1});
    }
    k42_unlock(&shard->lock);
    return result;
}

static k42_result lru_forgotten(struct eviction *self, uint64_t hash) {
    struct lru_shard *shard = shard_of(self, hash);
    k42_lock(&shard->lock);
    uint32_t at = find(shard, hash);
    if (at) {
        uint32_t *place = bucket_of(shard, hash);
        while (*place != at)
            place = &shard->records[*place].chain;
        *place = shard->records[at].chain;
        unlink_record(shard, at);
        add_free(shard, at, at + 1);
        set_count(shard, shard->count - 1);
    }
    k42_unlock(&shard->lock);
    return 0;
}

static k42_result lru_victim(struct eviction *self, uint64_t now_ns, uint64_t *hash) {
    struct eviction_lru *lru = lru_of(EVICTION_BODY(self));
    uint64_t oldest_ns = UINT64_MAX;
    int found = 0;
    (void)now_ns;
    for (unsigned n = 0; n < KV_SHARDS; n++) {
        struct lru_shard *shard = &lru->shards[n];
        k42_lock(&shard->lock);
        uint32_t oldest = shard->records[HEAD].newer;
        struct eviction_record record = shard->records[oldest].record;
        k42_unlock(&shard->lock);
        if (oldest != HEAD && (!found || record.used_ns < oldest_ns)) {
            found = 1;
            oldest_ns = record.used_ns;
            *hash = record.hash;
        }
    }
    return found ? 0 : -ENOENT;
}

static k42_result lru_count(struct eviction *self) {
    size_t count = 0;
    for (unsigned n = 0; n < KV_SHARDS; n++)
        count += __atomic_load_n(&lru_of(EVICTION_BODY(self))->shards[n].count, __ATOMIC_RELAXED);
    return (k42_result)count;
}

static k42_result lru_describe(struct k42_object *self, char *text, size_t size) {
    struct eviction *eviction = (struct eviction *)(void *)self;
    return snprintf(text, size, "least recently used, exact: %ld keys in lists",
                    lru_count(eviction));
}

/* ---- layout, for transfers ---- */

static size_t lru_measure(struct eviction_body *body, unsigned number) {
    return __atomic_load_n(&lru_of(body)->shards[number].count, __ATOMIC_RELAXED);
}

static void lru_discard(struct eviction_body *body) {
    struct eviction_lru *lru = lru_of(body);
    for (unsigned n = 0; lru->shards && n < KV_SHARDS; n++) {
        free(lru->shards[n].records);
        free(lru->shards[n].buckets);
    }
    free(lru->memory);
    lru->memory = NULL;
    lru->shards = NULL;
}

static k42_result reserve_shard(struct lru_shard *shard, uint32_t capacity) {
    shard->capacity = capacity;
    shard->records = calloc(capacity, sizeof(*shard->records));
    shard->buckets = calloc(capacity, sizeof(*shard->buckets));
    if (!shard->records || !shard->buckets)
        return -ENOMEM;
    add_free(shard, HEAD + 1, capacity);
    return 0;
}

static k42_result lru_reserve(struct eviction_body *body, size_t records_per_shard) {
    struct eviction_lru *lru = lru_of(body);
    size_t capacity = FIRST_CAPACITY;
    while (capacity <= records_per_shard)
        capacity *= 2;
    lru_discard(body);
    lru->memory = calloc(KV_SHARDS + 1, sizeof(struct lru_shard));
    if (!lru->memory || capacity > UINT32_MAX / 2)
        return -ENOMEM;
    lru->shards = (struct lru_shard *)(((uintptr_t)lru->memory + 63) & ~(uintptr_t)63);
    for (unsigned n = 0; n < KV_SHARDS; n++)
        if (reserve_shard(&lru->shards[n], (uint32_t)capacity) < 0) {
            lru_discard(body);
            return -ENOMEM;
        }
    return 0;
}

/* Merges two lists, linked by `newer` and ended by HEAD, by last use; of equals, `a` comes first.
 */
static uint32_t merge(struct lru_record *records, uint32_t a, uint32_t b) {
    uint32_t first = HEAD, *tail = &first;
    while (a != HEAD && b != HEAD) {
        uint32_t *taken = records[b].record.used_ns < records[a].record.used_ns ? &b : &a;
        *tail = *taken;
        tail = &records[*taken].newer;
        *taken = *tail;
    }
    *tail = a != HEAD ? a : b;
    return first;
}

/* Puts the list in order of last use: what was imported comes in any order. */
static void sort_list(struct lru_shard *shard) {
    struct lru_record *records = shard->records;
    uint32_t sorted[32] = {0}; /* sorted[n]: a sorted list of 2^n records, or none */
    uint32_t at = records[HEAD].newer, next;
    for (; at != HEAD; at = next) {
        unsigned n = 0;
        next = records[at].newer;
        records[at].newer = HEAD;
        for (; sorted[n] != HEAD; n++) {
            at = merge(records, sorted[n], at);
            sorted[n] = HEAD;
        }
        sorted[n] = at;
    }
    for (unsigned n = 0; n < 32; n++)
        at = merge(records, sorted[n], at);
    records[HEAD].older = records[HEAD].newer = HEAD;
    for (; at != HEAD; at = next) {
        next = records[at].newer;
        link_newest(shard, at);
    }
}

static k42_result lru_import(struct eviction_body *body, unsigned number,
                             const struct eviction_record *records, size_t count) {
    struct lru_shard *shard = &lru_of(body)->shards[number];
    for (size_t n = 0; n < count; n++) {
        if (!shard->free)
            return -ENOSPC;
        (void)add_record(shard, &records[n]);
    }
    sort_list(shard);
    return 0;
}

static void lru_each(struct eviction_body *body, unsigned number, eviction_take_fn take,
                     void *context) {
    struct lru_record *records = lru_of(body)->shards[number].records;
    for (uint32_t at = records[HEAD].newer; at != HEAD; at = records[at].newer)
        take(context, &records[at].record);
}

static const struct eviction_layout lru_layout = {
    .measure = lru_measure,
    .reserve = lru_reserve,
    .import = lru_import,
    .each = lru_each,
    .discard = lru_discard,
};

static k42_result lru_init(struct k42_root *root, const void *args) {
    struct eviction_body *body = k42_container(root, struct eviction_body, root);
    (void)args;
    body->layout = &lru_layout;
    return lru_reserve(body, 0);
}

static void lru_fini(struct k42_root *root) {
    eviction_body_fini(k42_container(root, struct eviction_body, root));
}

static const struct eviction_ops lru_ops = {
    .object.describe = lru_describe,
    .touched = lru_touched,
    .forgotten = lru_forgotten,
    .victim = lru_victim,
    .count = lru_count,
};

static const struct k42_transfer lru_transfers[] = {EVICTION_RECORDS_TRANSFER, {0}};

K42_CLASS(eviction_lru) = {
    .name = "eviction.lru",
    .interface = &eviction_interface,
    .version = 1,
    .traits = "keeps=recent",
    .kind = &k42_single,
    .root_size = sizeof(struct eviction_lru),
    .rep_offset = offsetof(struct eviction_lru, body.rep),
    .ops = &lru_ops,
    .init = lru_init,
    .fini = lru_fini,
    .transfers = lru_transfers,
};
