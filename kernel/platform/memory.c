/*
 * Frames and heap in their plainest form: frames from the ranges the loader left free, heap blocks
 * in powers of two, cut from runs of frames and kept in lists by size when they are freed.
 *
 * A block begins with 16 bytes that say its size, so memory is aligned to 16. Nothing goes back
 * from heap to frames. Locking: memory.lock, leaf, with interrupts off. Fails with 0 and NULL.
 */
#include "memory.h"

#include "runtime.h"

#define SMALLEST 5u  /* 32 bytes */
#define LARGEST  26u /* 64 MiB */

struct block {
    union {
        uint64_t order;
        struct block *next; /* while free */
    };
    uint64_t unused;
};
_Static_assert(sizeof(struct block) == 16, "what follows it is aligned");

static struct {
    struct spin_lock lock;
    unsigned range; /* being used up */
    uint64_t spare; /* frames given back, linked by their first word */
    struct block *free[LARGEST + 1];
} memory;

static uintptr_t memory_lock(void) {
    uintptr_t saved = interrupts_save();
    spin_take(&memory.lock);
    return saved;
}

static void memory_unlock(uintptr_t saved) {
    spin_release(&memory.lock);
    interrupts_restore(saved);
}

/* Neighbouring frames from the first range that has so many. Called with the lock held. */
static uint64_t run_take(uint64_t bytes) {
    for (unsigned i = 0; i < memory_range_count; i++) {
        struct memory_range *range = &memory_ranges[i];
        if (range->size < bytes)
            continue;
        uint64_t base = range->base;
        range->base += bytes;
        range->size -= bytes;
        return base;
    }
    return 0;
}

uint64_t platform_frame_take(void) {
    uintptr_t saved = memory_lock();
    uint64_t frame = memory.spare;
    if (frame)
        memory.spare = *(uint64_t *)phys_to_virt(frame);
    else
        frame = run_take(FRAME_SIZE);
    memory_unlock(saved);
    return frame;
}

void platform_frame_give(uint64_t frame) {
    uintptr_t saved = memory_lock();
    *(uint64_t *)phys_to_virt(frame) = memory.spare;
    memory.spare = frame;
    memory_unlock(saved);
}

/* Called with the lock held. */
static struct block *block_make(unsigned order) {
    uint64_t bytes = 1ul << order < FRAME_SIZE ? FRAME_SIZE : 1ul << order;
    uint64_t base = run_take(bytes);
    if (!base)
        return NULL;
    char *start = phys_to_virt(base);
    for (uint64_t at = 1ul << order; at < bytes; at += 1ul << order) {
        struct block *block = (struct block *)(start + at);
        block->next = memory.free[order];
        memory.free[order] = block;
    }
    return (struct block *)start;
}

void *k42_platform_alloc(size_t bytes) {
    unsigned order = SMALLEST;
    while (order <= LARGEST && 1ul << order < bytes + sizeof(struct block))
        order++;
    if (order > LARGEST)
        return NULL;
    uintptr_t saved = memory_lock();
    struct block *block = memory.free[order];
    if (block)
        memory.free[order] = block->next;
    else
        block = block_make(order);
    memory_unlock(saved);
    if (!block)
        return NULL;
    block->order = order;
    return __builtin_memset(block + 1, 0, bytes);
}

void k42_platform_free(void *allocated) {
    if (!allocated)
        return;
    struct block *block = (struct block *)allocated - 1;
    uintptr_t saved = memory_lock();
    unsigned order = (unsigned)block->order;
    block->next = memory.free[order];
    memory.free[order] = block;
    memory_unlock(saved);
}

void platform_memory_open(void) {
    frame_allocate = platform_frame_take;
}
