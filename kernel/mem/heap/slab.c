/*
 * Slabs: frames cut into blocks of one size, for one CPU.
 *
 * A slab is in its home's list while it has free blocks. Blocks are cut as they are first needed.
 *
 * Owner: the home CPU. Fails: slabs_take() may take nothing when there are no frames.
 */
#include "heaps.h"

static bool is_full(const struct slab *slab) {
    return !slab->free && slab->fresh == slab->cache->per_slab;
}

static void list_add(struct heap_part *part, struct slab *slab) {
    slab->previous = NULL;
    slab->next = part->slabs;
    if (slab->next)
        slab->next->previous = slab;
    part->slabs = slab;
}

static void list_remove(struct heap_part *part, struct slab *slab) {
    if (slab->next)
        slab->next->previous = slab->previous;
    if (slab->previous)
        slab->previous->next = slab->next;
    else
        part->slabs = slab->next;
}

static void set_frames(struct heap_part *part, uint64_t frames) {
    __atomic_store_n(&part->frames, frames, __ATOMIC_RELAXED);
}

static bool add_slab(struct heap_cache *cache, struct heap_part *part) {
    struct frame *frame;
    if (frame_allocate(cache->order, NULL, &frame))
        return false;
    struct slab *slab = frame_memory(frame);
    *slab = (struct slab){.cache = cache, .home = machine_cpu()};
    for (uint32_t i = 0; i < 1u << cache->order; i++)
        frame[i].user[0] = (uintptr_t)slab;
    list_add(part, slab);
    set_frames(part, part->frames + (1u << cache->order));
    return true;
}

static void remove_slab(struct heap_part *part, struct slab *slab) {
    unsigned order = slab->cache->order;
    list_remove(part, slab);
    set_frames(part, part->frames - (1u << order));
    frame_free(frame_at(machine_physical(slab)), order);
}

static struct block *take_block(struct heap_cache *cache, struct slab *slab) {
    struct block *block = slab->free;
    if (block) {
        slab->free = block->next;
    } else {
        block = (struct block *)((char *)slab + cache->first + slab->fresh * cache->stride);
        slab->fresh++;
        block_poison(cache, block);
    }
    slab->out++;
    return block;
}

void slabs_take(struct heap_cache *cache, struct heap_part *part, uint32_t wanted) {
    while (wanted && (part->slabs || add_slab(cache, part))) {
        struct slab *slab = part->slabs;
        while (wanted && !is_full(slab)) {
            struct block *block = take_block(cache, slab);
            block->next = part->free;
            part->free = block;
            part->count++;
            wanted--;
        }
        if (is_full(slab))
            list_remove(part, slab);
        if (part->count)
            break; /* rather fewer than another slab's */
    }
}

void slab_give(struct heap_part *part, struct block *block, bool keep_one) {
    struct slab *slab = slab_of(block);
    if (is_full(slab))
        list_add(part, slab);
    block->next = slab->free;
    slab->free = block;
    slab->out--;
    if (slab->out == 0 && !(keep_one && part->slabs == slab && !slab->next))
        remove_slab(part, slab);
}

void slabs_trim(struct heap_part *part) {
    for (struct slab *slab = part->slabs, *next; slab; slab = next) {
        next = slab->next;
        if (slab->out == 0)
            remove_slab(part, slab);
    }
}
