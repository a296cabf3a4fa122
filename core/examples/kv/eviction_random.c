/*
 * Eviction at random: any key goes, used or not. See eviction_pool.h.
 */
#include "eviction_pool.h"

#include <k42/class.h>

/* A number that nothing about the key's use predicts: its hash, mixed with the moment. */
static uint64_t worth(const struct eviction_record *record, uint64_t now_ns) {
    uint64_t mixed = (record->hash ^ now_ns * 0x9e3779b97f4a7c15) * 0xd6e8feb86659fd93;
    return mixed ^ mixed >> 32;
}

static k42_result eviction_random_init(struct k42_root *root, const void *args) {
    (void)args;
    return eviction_pool_init(root, "at random", worth);
}

EVICTION_POOL_CLASS(eviction_random, "eviction.random", 1, "keeps=any");
