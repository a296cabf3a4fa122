/*
 * Checks of the heap's users, in debug builds.
 *
 * Behind each block stand a word that says whether it is in use, bound to its address, and the size
 * asked for. Bytes between that size and the word are filled and looked at when the block is freed.
 * A free block is poisoned but for its link, and looked at when it is handed out.
 */
#include "heaps.h"

#include "../../../core/platform.h"
#include "../../../core/runtime.h"

#ifdef K42_DEBUG
#define IN_USE   0x1c0ffee1a11a11eul
#define NOT_USED 0xdeadb10cdeadb10cul
#define FILL     0xb5
#define POISON   0xdf

struct red_zone {
    uint64_t word;
    uint64_t size;
};
_Static_assert(sizeof(struct red_zone) == HEAP_RED_ZONE, "cache_shape() leaves that much");

static struct red_zone *red_zone(const struct heap_cache *cache, const void *block) {
    return (struct red_zone *)((uintptr_t)block + cache->size);
}

static uint64_t bound(uint64_t word, const void *block) {
    return word ^ (uintptr_t)block;
}

static _Noreturn void refuse(const char *what, const void *block, const char *cache) {
    char line[160];
    k42_format_text(line, sizeof(line), "heap block 0x%lx of %s: %s",
                    (unsigned long)(uintptr_t)block, cache, what);
    k42_platform_panic(line);
}

static bool all(const unsigned char *bytes, size_t count, unsigned char value) {
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != value)
            return false;
    return true;
}

void block_poison(const struct heap_cache *cache, void *block) {
    __builtin_memset((char *)block + sizeof(struct block), POISON,
                     cache->size - sizeof(struct block));
    red_zone(cache, block)->word = bound(NOT_USED, block);
}

void block_begin_use(const struct heap_cache *cache, void *block, size_t size) {
    struct red_zone *zone = red_zone(cache, block);
    if (zone->word != bound(NOT_USED, block) || !all((unsigned char *)block + sizeof(struct block),
                                                     cache->size - sizeof(struct block), POISON))
        refuse("it was written after it was freed", block, cache->name);
    __builtin_memset((char *)block + size, FILL, cache->size - size);
    zone->word = bound(IN_USE, block);
    zone->size = size;
}

/* The record of a frame that is not the heap's has nothing in user[0], or something else's. */
void block_check_free(const struct slab *slab, const void *block) {
    if (!slab)
        refuse("freeing what the heap did not allocate", block, "no cache");
    const struct heap_cache *cache = slab->cache;
    uintptr_t offset = (uintptr_t)block - (uintptr_t)slab;
    if (offset < cache->first || (offset - cache->first) % cache->stride)
        refuse("freeing a place inside a block", block, cache->name);
    const struct red_zone *zone = red_zone(cache, block);
    if (zone->word == bound(NOT_USED, block))
        refuse("it is free already", block, cache->name);
    if (zone->word != bound(IN_USE, block) || zone->size > cache->size ||
        !all((const unsigned char *)block + zone->size, cache->size - zone->size, FILL))
        refuse("it was written beyond its end", block, cache->name);
}

void block_end_use(const struct heap_cache *cache, void *block) {
    block_poison(cache, block);
}

void block_check_large(const struct frame *frame, const void *block) {
    if (frame_memory(frame) != block)
        refuse("freeing a place inside a block", block, "heap-large");
}
#else
_Static_assert(HEAP_RED_ZONE == 0, "nothing is checked");
#endif
