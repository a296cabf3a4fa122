/*
 * Eviction, least frequently used: the key with the fewest uses goes, old uses counting less
 * (eviction_uses); of equals the one unused for longer. By sampling: see eviction_pool.h.
 */
#include "eviction_pool.h"

#include <k42/class.h>

/* Uses first. The low half breaks ties: seconds of last use, which outlast any process. */
static uint64_t worth(const struct eviction_record *record, uint64_t now_ns) {
    uint64_t uses = eviction_uses(record, now_ns);
    uint64_t seconds = record->used_ns / 1000000000;
    return (uses > UINT32_MAX ? UINT32_MAX : uses) << 32 | (uint32_t)seconds;
}

static k42_result eviction_lfu_init(struct k42_root *root, const void *args) {
    (void)args;
    return eviction_pool_init(root, "least frequently used, sampled", worth);
}

EVICTION_POOL_CLASS(eviction_lfu, "eviction.lfu", 1, "keeps=frequent");
