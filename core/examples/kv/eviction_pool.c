/*
 * Eviction by sampling. See eviction_pool.h.
 *
 * Records are found through chains from buckets and name each other by index plus one, so that 0
 * ends a chain. Removing a record moves the last one into its place.
 *
 * Locking: shard->lock, leaf; growing a shard happens under it and copies the shard.
 * Formats: EVICTION_RECORDS, and between pools "eviction.pool": the new pool uses the old one's
 *          shards, and they become its own to free when the old one has handed them over.
 * Fails:   -ENOMEM from touched for a key not yet known.
 */
#include "eviction_pool.h"

#include <k42/class.h>
#include <k42/lock.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    FIRST_CAPACITY = 64,
    SAMPLES = 8, /* records looked at in each shard */
};

struct pool_record {
    struct eviction_record record;
    uint32_t chain; /* next in its bucket, plus one */
};

struct eviction_pool_shard {
    struct k42_lock lock;
    uint32_t capacity; /* a power of two */
    uint32_t count;    /* written under the lock, read without */
    uint32_t next;     /* where the next sample begins, modulo count */
    struct pool_record *records;
    uint32_t *buckets; /* `capacity` of them */
} __attribute__((aligned(64)));

static struct eviction_pool *pool_of(struct eviction_body *body) {
    return k42_container(body, struct eviction_pool, body);
}

static struct eviction_pool_shard *shard_of(struct eviction *self, uint64_t hash) {
    return &pool_of(EVICTION_BODY(self))->shards[kv_shard(hash)];
}

static uint32_t *bucket_of(struct eviction_pool_shard *shard, uint64_t hash) {
    return &shard->buckets[hash & (shard->capacity - 1)];
}

/* What leads to the record of a hash: the link that holds its index plus one, or 0. */
static uint32_t *find_link(struct eviction_pool_shard *shard, uint64_t hash) {
    uint32_t *link = bucket_of(shard, hash);
    while (*link && shard->records[*link - 1].record.hash != hash)
        link = &shard->records[*link - 1].chain;
    return link;
}

static void set_count(struct eviction_pool_shard *shard, uint32_t count) {
    __atomic_store_n(&shard->count, count, __ATOMIC_RELAXED);
}

static void chain_record(struct eviction_pool_shard *shard, uint32_t at) {
    uint32_t *bucket = bucket_of(shard, shard->records[at].record.hash);
    shard->records[at].chain = *bucket;
    *bucket = at + 1;
}

static k42_result grow(struct eviction_pool_shard *shard) {
    uint32_t capacity = shard->capacity * 2;
    if (capacity == 0)
        return -ENOMEM;
    uint32_t *buckets = calloc(capacity, sizeof(*buckets));
    struct pool_record *records =
        buckets ? realloc(shard->records, capacity * sizeof(*records)) : NULL;
    if (!records) {
        free(buckets);
        return -ENOMEM;
    }
    free(shard->buckets);
    shard->buckets = buckets;
    shard->records = records;
    shard->capacity = capacity;
    for (uint32_t at = 0; at < shard->count; at++)
        chain_record(shard, at);
    return 0;
}

static void add_record(struct eviction_pool_shard *shard, const struct eviction_record *record) {
    shard->records[shard->count].record = *record;
    chain_record(shard, shard->count);
    set_count(shard, shard->count + 1);
}

/* ---- methods ---- */

static k42_result pool_touched(struct eviction *self, uint64_t hash, uint64_t now_ns) {
    struct eviction_pool_shard *shard = shard_of(self, hash);
    k42_result result = 0;
    k42_lock(&shard->lock);
    uint32_t link = *find_link(shard, hash);
    if (link) {
        eviction_count_use(&shard->records[link - 1].record, now_ns);
    } else {
        result = shard->count < shard->capacity ? 0 : grow(shard);
        if (result == 0)
            add_record(shard, &(struct eviction_record){hash, now_ns, 1});
    }
    k42_unlock(&shard->lock);
    return result;
}

static k42_result pool_forgotten(struct eviction *self, uint64_t hash) {
    struct eviction_pool_shard *shard = shard_of(self, hash);
    k42_lock(&shard->lock);
    uint32_t *link = find_link(shard, hash);
    if (*link) {
        uint32_t at = *link - 1, last = shard->count - 1;
        *link = shard->records[at].chain;
        if (at != last) {
            uint32_t *last_link = find_link(shard, shard->records[last].record.hash);
            *last_link = at + 1;
            shard->records[at] = shard->records[last];
        }
        set_count(shard, last);
    }
    k42_unlock(&shard->lock);
    return 0;
}

struct candidate {
    int found;
    uint64_t worth, hash;
};

/* Compares some of a shard's records with the candidate so far; the next time, others. */
static void sample_shard(struct eviction_pool *pool, struct eviction_pool_shard *shard,
                         uint64_t now_ns, struct candidate *least) {
    k42_lock(&shard->lock);
    for (uint32_t n = 0; n < SAMPLES && n < shard->count; n++) {
        struct eviction_record *record = &shard->records[(shard->next + n) % shard->count].record;
        uint64_t worth = pool->worth(record, now_ns);
        if (!least->found || worth < least->worth)
            *least = (struct candidate){1, worth, record->hash};
    }
    shard->next += SAMPLES;
    k42_unlock(&shard->lock);
}

static k42_result pool_victim(struct eviction *self, uint64_t now_ns, uint64_t *hash) {
    struct eviction_pool *pool = pool_of(EVICTION_BODY(self));
    struct candidate least = {0};
    for (unsigned n = 0; n < KV_SHARDS; n++)
        sample_shard(pool, &pool->shards[n], now_ns, &least);
    if (!least.found)
        return -ENOENT;
    *hash = least.hash;
    return 0;
}

static k42_result pool_count(struct eviction *self) {
    size_t count = 0;
    for (unsigned n = 0; n < KV_SHARDS; n++)
        count += __atomic_load_n(&pool_of(EVICTION_BODY(self))->shards[n].count, __ATOMIC_RELAXED);
    return (k42_result)count;
}

static k42_result pool_describe(struct k42_object *self, char *text, size_t size) {
    struct eviction *eviction = (struct eviction *)(void *)self;
    return snprintf(text, size, "%s: %ld keys, %d sampled of each of %d shards",
                    pool_of(EVICTION_BODY(eviction))->title, pool_count(eviction), SAMPLES,
                    KV_SHARDS);
}

const struct eviction_ops eviction_pool_ops = {
    .object.describe = pool_describe,
    .touched = pool_touched,
    .forgotten = pool_forgotten,
    .victim = pool_victim,
    .count = pool_count,
};

/* ---- layout, for transfers ---- */

static size_t pool_measure(struct eviction_body *body, unsigned number) {
    return __atomic_load_n(&pool_of(body)->shards[number].count, __ATOMIC_RELAXED);
}

static void pool_discard(struct eviction_body *body) {
    struct eviction_pool *pool = pool_of(body);
    for (unsigned n = 0; pool->memory && n < KV_SHARDS; n++) {
        free(pool->shards[n].records);
        free(pool->shards[n].buckets);
    }
    free(pool->memory);
    pool->memory = NULL;
    pool->shards = NULL;
}

static k42_result pool_reserve(struct eviction_body *body, size_t records_per_shard) {
    struct eviction_pool *pool = pool_of(body);
    size_t capacity = FIRST_CAPACITY;
    while (capacity < records_per_shard)
        capacity *= 2;
    pool_discard(body);
    if (capacity > UINT32_MAX / 2)
        return -ENOMEM;
    pool->memory = calloc(KV_SHARDS + 1, sizeof(struct eviction_pool_shard));
    if (!pool->memory)
        return -ENOMEM;
    pool->shards = (struct eviction_pool_shard *)(((uintptr_t)pool->memory + 63) & ~(uintptr_t)63);
    for (unsigned n = 0; n < KV_SHARDS; n++) {
        struct eviction_pool_shard *shard = &pool->shards[n];
        shard->capacity = (uint32_t)capacity;
        shard->records = calloc(capacity, sizeof(*shard->records));
        shard->buckets = calloc(capacity, sizeof(*shard->buckets));
        if (!shard->records || !shard->buckets) {
            pool_discard(body);
            return -ENOMEM;
        }
    }
    return 0;
}

static k42_result pool_import(struct eviction_body *body, unsigned number,
                              const struct eviction_record *records, size_t count) {
    struct eviction_pool_shard *shard = &pool_of(body)->shards[number];
    if (count > shard->capacity - shard->count)
        return -ENOSPC;
    for (size_t n = 0; n < count; n++)
        add_record(shard, &records[n]);
    return 0;
}

static void pool_each(struct eviction_body *body, unsigned number, eviction_take_fn take,
                      void *context) {
    struct eviction_pool_shard *shard = &pool_of(body)->shards[number];
    for (uint32_t at = 0; at < shard->count; at++)
        take(context, &shard->records[at].record);
}

static const struct eviction_layout pool_layout = {
    .measure = pool_measure,
    .reserve = pool_reserve,
    .import = pool_import,
    .each = pool_each,
    .discard = pool_discard,
};

k42_result eviction_pool_init(struct k42_root *root, const char *title, eviction_worth_fn worth) {
    struct eviction_body *body = k42_container(root, struct eviction_body, root);
    body->layout = &pool_layout;
    pool_of(body)->title = title;
    pool_of(body)->worth = worth;
    return pool_reserve(body, 0);
}

void eviction_pool_fini(struct k42_root *root) {
    eviction_body_fini(k42_container(root, struct eviction_body, root));
}

/* ---- from pool to pool, by pointer ----
 *
 *   word[POOL_SHARDS]  the exporter's shards, put there by export_state
 *   word[POOL_MEMORY]  the address of the importer's `memory`, put there by prepare
 */
enum { POOL_SHARDS, POOL_MEMORY };

static const struct k42_format eviction_pool_format = {
    .name = "eviction.pool",
    .version = 1,
    .cost = 1,
};

static struct eviction_pool *pool_of_root(struct k42_root *root) {
    return pool_of(k42_container(root, struct eviction_body, root));
}

static size_t measure_pool(struct k42_root *from) {
    (void)from;
    return 0;
}

static k42_result prepare_pool(struct k42_root *to, struct k42_state *state) {
    pool_discard(&pool_of_root(to)->body);
    state->word[POOL_MEMORY] = (uintptr_t)&pool_of_root(to)->memory;
    return 0;
}

static k42_result export_pool(struct k42_root *from, struct k42_state *state, unsigned part) {
    (void)part;
    state->word[POOL_SHARDS] = (uintptr_t)pool_of_root(from)->shards;
    return 0;
}

static k42_result import_pool(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    pool_of_root(to)->shards = (struct eviction_pool_shard *)state->word[POOL_SHARDS];
    return 0;
}

static void pool_handed_over(struct k42_root *from, struct k42_state *state) {
    *(char **)state->word[POOL_MEMORY] = pool_of_root(from)->memory;
    pool_of_root(from)->memory = NULL;
    pool_of_root(from)->shards = NULL;
}

const struct k42_transfer eviction_pool_transfers[] = {
    {
        .format = &eviction_pool_format,
        .measure = measure_pool,
        .prepare = prepare_pool,
        .export_state = export_pool,
        .import_state = import_pool,
        .handed_over = pool_handed_over,
    },
    EVICTION_RECORDS_TRANSFER,
    {0},
};
