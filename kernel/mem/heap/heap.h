/*
 * The kernel's heap: blocks of any size, from per-CPU lists of equal ones.
 *
 * Locality. A block lives on the CPU that allocated it first: its slab has that CPU as home, no
 * cache line of the slab is ever handed out by another, and a block freed elsewhere travels home
 * with others in one exchange. heap_allocate_padded() also keeps other blocks of the same CPU off
 * the block's lines: for what other CPUs write.
 *
 * Not from interrupt handlers; otherwise in any context, without waiting. All memory is visible to
 * every CPU and never moves. NULL: no memory. Freeing NULL does nothing. In debug builds blocks are
 * followed by a red zone and poisoned when free, and misuse is a panic that names block and cache.
 */
#ifndef K42_KERNEL_HEAP_H
#define K42_KERNEL_HEAP_H

#include "../machine.h"

#include <stdbool.h>

/* After frames_open(), once, on one CPU. 0 or -ENOMEM. */
int heap_open(void);

/* `size` bytes aligned to 16, or to 64 when size is a multiple of 64, or to pages from 4096 on. */
void *heap_allocate(size_t size);
void *heap_allocate_zeroed(size_t size);
/* With cache lines of its own. */
void *heap_allocate_padded(size_t size);
void heap_free(void *block);
/* The bytes of a block, at least what was asked for (in release builds perhaps more). */
size_t heap_size(const void *block);

/*
 * For tests: asked before each heap_allocate(), also from several CPUs at once, whether to find no
 * memory. NULL: not asked; who is being asked then may be for a moment longer.
 */
void heap_set_refuser(bool (*refuses)(void));

/* ---- caches of one type each ---- */

struct heap_cache;

/*
 * A cache of blocks of one size, for reports by name (of static life). align: a power of two up to
 * 1024; size up to 3072. NULL: no memory, or an argument beyond these.
 */
struct heap_cache *heap_cache_create(const char *name, size_t size, size_t align);
/* Frees the cache, which nobody uses any more. Returns, and logs, how many blocks were not freed;
 * when there are any, cache and blocks stay. */
uint64_t heap_cache_destroy(struct heap_cache *cache);

void *heap_cache_allocate(struct heap_cache *cache);
void *heap_cache_allocate_zeroed(struct heap_cache *cache);
/* Blocks of caches are freed with heap_free(). */

/* ---- accounts ---- */

struct heap_usage {
    const char *name;
    size_t size;
    uint64_t used;   /* blocks; exact when nothing moves */
    uint64_t frames; /* of its slabs */
};

/* Calls visit for every cache and size class; visit may not make or end caches. */
void heap_caches_each(void (*visit)(void *argument, const struct heap_usage *usage),
                      void *argument);
/* Blocks larger than a slab's, and the frames they take. */
void heap_large_usage(struct heap_usage *usage);

/* Gives what this CPU keeps at hand back to its slabs and other homes, and empty slabs to the frame
 * allocator. */
void heap_flush(void);

#endif
