/*
 * Eviction by sampling: the records of each shard lie densely in an array, in no order; a victim is
 * the worst of a few taken from each shard, where a class says what is worst.
 *
 * Costs 32 bytes a key, and one record written on every use. With few keys all of them are looked
 * at, and the victim is exactly the worst.
 */
#ifndef KV_EVICTION_POOL_H
#define KV_EVICTION_POOL_H

#include "eviction_body.h"

/* How much a key deserves to stay; the lowest goes. */
typedef uint64_t (*eviction_worth_fn)(const struct eviction_record *record, uint64_t now_ns);

struct eviction_pool_shard;

struct eviction_pool {
    struct eviction_body body;
    const char *title; /* for describe */
    eviction_worth_fn worth;
    struct eviction_pool_shard *shards;
    char *memory; /* what the shards lie in; NULL: they are another pool's */
};

extern const struct eviction_ops eviction_pool_ops;
/* The canonical format, and shards by pointer to other pools. */
extern const struct k42_transfer eviction_pool_transfers[];

/* For a class's init and fini. */
k42_result eviction_pool_init(struct k42_root *root, const char *title, eviction_worth_fn worth);
void eviction_pool_fini(struct k42_root *root);

/* Declares a class that differs from other pools in what it says is worth keeping. */
#define EVICTION_POOL_CLASS(symbol, name_, version_, traits_)                                      \
    K42_CLASS(symbol) = {                                                                          \
        .name = name_,                                                                             \
        .interface = &eviction_interface,                                                          \
        .version = version_,                                                                       \
        .traits = traits_,                                                                         \
        .kind = &k42_single,                                                                       \
        .root_size = sizeof(struct eviction_pool),                                                 \
        .rep_offset = offsetof(struct eviction_pool, body.rep),                                    \
        .ops = &eviction_pool_ops,                                                                 \
        .init = symbol##_init,                                                                     \
        .fini = eviction_pool_fini,                                                                \
        .transfers = eviction_pool_transfers,                                                      \
    }

#endif
