/*
 * Inside the heap.
 *
 *   class or cache   blocks of one size; a part per CPU, used by that CPU only      cache.c
 *   slab             2^order frames cut into blocks, at home on one CPU             slab.c
 *   large block      frames of its own                                              heap.c
 *
 * Everything of one CPU's part is touched by that CPU alone with preemption off, so there is no
 * lock. Only the inbox is shared: others push chains of blocks, the home takes all at once.
 */
#ifndef K42_KERNEL_HEAPS_H
#define K42_KERNEL_HEAPS_H

#include "../frame/frame.h"
#include "../frame/spin.h"
#include "heap.h"

#define HEAP_LARGEST_IN_SLAB 3072u
#define HEAP_SLAB_ORDER_MAX  3u
#define HEAP_LINE            64u

struct block {
    struct block *next;
};

/* At the start of its frames; each frame's record has its address in user[0]. */
struct slab {
    struct heap_cache *cache;
    struct slab *next, *previous; /* of the home's slabs with free blocks */
    struct block *free;
    uint32_t home;  /* CPU */
    uint32_t out;   /* blocks not in `free` and not untouched */
    uint32_t fresh; /* blocks touched so far */
} __attribute__((aligned(HEAP_LINE)));
_Static_assert(sizeof(struct slab) == HEAP_LINE, "blocks begin on a line");

struct heap_part {
    struct block *free;
    uint32_t count;
    uint32_t away_count;
    struct block *away, *away_last; /* blocks of another home, all of the same */
    struct slab *slabs;             /* with free blocks */
    uint64_t allocated, freed;      /* blocks, by this CPU; others read them */
    uint64_t frames;
    struct block *inbox __attribute__((aligned(HEAP_LINE)));
} __attribute__((aligned(HEAP_LINE)));

struct heap_cache {
    const char *name;
    struct heap_part *parts; /* by CPU */
    uint32_t size;           /* of a block, as its user sees it */
    uint32_t stride;         /* from block to block */
    uint32_t first;          /* offset of the first block */
    uint32_t per_slab, order;
    uint32_t limit, batch; /* blocks a CPU keeps at hand, and moves at a time */
    struct heap_cache *next;
};

/* user[0] of a large block's first frame. */
#define HEAP_LARGE ((uintptr_t)1)

static inline struct slab *slab_of(const void *block) {
    return (struct slab *)frame_at(machine_physical(block))->user[0];
}

/* ---- cache.c ---- */

void cache_shape(struct heap_cache *cache, const char *name, size_t size, size_t align);
void *part_allocate(struct heap_cache *cache);
void part_free(struct slab *slab, struct block *block);
void caches_add(struct heap_cache *cache);

/* ---- slab.c ---- */

/* Moves up to `wanted` blocks from this CPU's slabs, or a new one, in front of part->free. */
void slabs_take(struct heap_cache *cache, struct heap_part *part, uint32_t wanted);
/* Puts a block back into its slab; a slab that is empty then may go. */
void slab_give(struct heap_part *part, struct block *block, bool keep_one);
/* Frees slabs that are empty. */
void slabs_trim(struct heap_part *part);

/* ---- check.c ---- */

#ifdef K42_DEBUG
#define HEAP_RED_ZONE 16u
void block_check_free(const struct slab *slab, const void *block);
void block_poison(const struct heap_cache *cache, void *block);
void block_begin_use(const struct heap_cache *cache, void *block, size_t size);
void block_end_use(const struct heap_cache *cache, void *block);
void block_check_large(const struct frame *frame, const void *block);
#else
#define HEAP_RED_ZONE 0u
static inline void block_check_free(const struct slab *slab, const void *block) {
    (void)slab, (void)block;
}
static inline void block_poison(const struct heap_cache *cache, void *block) {
    (void)cache, (void)block;
}
static inline void block_begin_use(const struct heap_cache *cache, void *block, size_t size) {
    (void)cache, (void)block, (void)size;
}
static inline void block_end_use(const struct heap_cache *cache, void *block) {
    (void)cache, (void)block;
}
static inline void block_check_large(const struct frame *frame, const void *block) {
    (void)frame, (void)block;
}
#endif

#endif
