/*
 * What each CPU keeps at hand: single frames of shared chunks, and a few whole chunks.
 *
 * The fast path of single frames: an exchange on a word that only this CPU writes, a list of which
 * only this CPU takes, no other CPU's lines. The pool is asked for, and given, a batch at a time.
 * The locks are there for whoever collects the caches when memory has run out.
 *
 * Frames that were full of zeros when they were freed are kept apart, up to a limit, for those who
 * want zeros.
 *
 * Cached frames are in use as far as their pool knows, so their chunk stays the kernel's.
 *
 * Collecting happens when memory has run out, and to count it. What is being collected is in
 * nobody's list for a moment; an allocation that found nothing then would fail while there is
 * memory. So one collects at a time, and whoever waited for that finds it all where it belongs.
 *
 * Locking: collecting outside frames_lock, that outside the kernel's pool lock, chunks_lock inside
 * it and outside the zone's.
 */
#include "frames.h"

#define CACHE_BATCH  32u
#define CACHE_CHUNKS 4u

struct frame_cache *frame_caches;
static struct spin collecting;

size_t caches_bytes(void) {
    return sizeof(struct frame_cache) * machine_cpu_count();
}

void caches_set(void *memory) {
    frame_caches = memory;
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        frame_caches[cpu] = (struct frame_cache){0};
}

struct frame *cache_refill(bool urgent) {
    unsigned got;
    struct frame *batch = pool_take_batch(&frame_kernel, CACHE_BATCH, urgent, &got);
    if (!batch)
        return NULL;
    struct frame_cache *cache = &frame_caches[machine_cpu()];
    spin_enter(&cache->frames_lock);
    struct frame *last = batch;
    while (last->next)
        last = last->next;
    last->next = cache->frames;
    cache->frames = batch->next;
    cache_set_count(&cache->count, cache->count + got - 1);
    frame_set_kind(batch, kind_of(STATE_USED, 0));
    spin_leave(&cache->frames_lock);
    return batch;
}

/* Cuts off what was freed longest ago, all but the limit less a batch. NULL: others were faster. */
static struct frame *cut(struct frame_cache *cache) {
    if (cache->count <= FRAME_CACHE_LIMIT)
        return NULL;
    uint32_t keep = FRAME_CACHE_LIMIT - CACHE_BATCH;
    struct frame *last = cache->frames;
    for (uint32_t i = 1; i < keep; i++)
        last = last->next;
    struct frame *rest = last->next;
    last->next = NULL;
    cache_set_count(&cache->count, keep);
    return rest;
}

void cache_shrink(struct frame_cache *cache) {
    spin_enter(&cache->frames_lock);
    struct frame *rest = cut(cache);
    spin_leave(&cache->frames_lock);
    if (rest)
        pool_give_batch(&frame_kernel, rest);
}

struct chunk *cache_take_chunk(bool urgent) {
    struct frame_cache *cache = &frame_caches[machine_cpu()];
    spin_enter(&cache->chunks_lock);
    struct chunk *chunk = cache->chunks;
    if (chunk) {
        cache->chunks = chunk->next;
        cache_set_count(&cache->chunk_count, cache->chunk_count - 1);
    }
    spin_leave(&cache->chunks_lock);
    return chunk ? chunk : zone_take(FRAME_ORDER_CHUNK, urgent);
}

void cache_give_chunk(struct chunk *chunk) {
    struct frame_cache *cache = &frame_caches[machine_cpu()];
    spin_enter(&cache->chunks_lock);
    bool fits = cache->chunk_count < CACHE_CHUNKS;
    if (fits) {
        chunk_set_kind(chunk, kind_of(STATE_CACHED, FRAME_ORDER_CHUNK));
        chunk->next = cache->chunks;
        cache->chunks = chunk;
        cache_set_count(&cache->chunk_count, cache->chunk_count + 1);
    }
    spin_leave(&cache->chunks_lock);
    if (!fits)
        zone_give(chunk, FRAME_ORDER_CHUNK);
}

uint64_t caches_count(void) {
    uint64_t frames = 0;
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++) {
        frames += __atomic_load_n(&frame_caches[cpu].count, __ATOMIC_RELAXED);
        frames += __atomic_load_n(&frame_caches[cpu].zeroed_count, __ATOMIC_RELAXED);
        frames += (uint64_t)__atomic_load_n(&frame_caches[cpu].chunk_count, __ATOMIC_RELAXED) *
                  FRAMES_PER_CHUNK;
    }
    return frames;
}

/* Frames first: the chunks they make whole land in this CPU's cache of chunks. */
static void collect_frames(struct frame_cache *cache) {
    spin_enter(&cache->frames_lock);
    struct frame *frames = cache->frames, *zeroed = cache->zeroed;
    cache->frames = cache->zeroed = NULL;
    cache_set_count(&cache->count, 0);
    cache_set_count(&cache->zeroed_count, 0);
    spin_leave(&cache->frames_lock);
    if (frames)
        pool_give_batch(&frame_kernel, frames);
    if (zeroed)
        pool_give_batch(&frame_kernel, zeroed);
}

static void collect_chunks(struct frame_cache *cache) {
    spin_enter(&cache->chunks_lock);
    struct chunk *chunks = cache->chunks;
    cache->chunks = NULL;
    cache_set_count(&cache->chunk_count, 0);
    spin_leave(&cache->chunks_lock);
    for (struct chunk *next; chunks; chunks = next) {
        next = chunks->next;
        zone_give(chunks, FRAME_ORDER_CHUNK);
    }
}

void frames_collect(void) {
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&collecting);
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        collect_frames(&frame_caches[cpu]);
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        collect_chunks(&frame_caches[cpu]);
    spin_leave(&collecting);
    machine_interrupts_restore(interrupts);
}
