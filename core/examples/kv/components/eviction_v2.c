/*
 * A component: version 2 of eviction.lru, least recently used by sampling.
 *
 * Version 1 keeps exact order in lists and pays for it on every use; this one only notes the time
 * of use and looks at a few keys of each shard when one must go. Loaded into a running server
 * ("K42 LOAD") and made current ("K42 UPGRADE eviction.lru"), it takes over version 1's records;
 * upgrading back to version 1 hands them back, sorted.
 */
#include "../eviction_pool.h"

#include <k42/component.h>

K42_COMPONENT("eviction_v2");

static uint64_t worth(const struct eviction_record *record, uint64_t now_ns) {
    (void)now_ns;
    return record->used_ns;
}

static k42_result eviction_lru_v2_init(struct k42_root *root, const void *args) {
    (void)args;
    return eviction_pool_init(root, "least recently used, sampled", worth);
}

EVICTION_POOL_CLASS(eviction_lru_v2, "eviction.lru", 2, "keeps=recent");
