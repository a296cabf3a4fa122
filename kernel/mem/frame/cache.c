/*
 * What each CPU keeps at hand: single frames of shared chunks, and a few whole chunks.
 *
 * The fast path of single frames: an exchange on a word that only this CPU writes, a list of which
 * only this CPU takes, no other CPU's lines. The pool is asked for, and given, a batch at a time.
 * The locks are there for whoever collects the caches when memory has run out.
 *
 * Cached frames are in use as far as their pool knows, so their chunk stays the kernel's.
 *
 * Locking: frames_lock outside the kernel's pool lock, chunks_lock inside it and outside the
 * zone's.
 */
#include "frames.h"

#define CACHE_BATCH  32u
#define CACHE_LIMIT  128u
#define CACHE_CHUNKS 4u

struct frame_cache {
    struct spin frames_lock;
    uint32_t count;
    struct frame *frames;
    struct spin chunks_lock __attribute__((aligned(64)));
    uint32_t chunk_count;
    struct chunk *chunks;
} __attribute__((aligned(64)));

static struct frame_cache *caches; /* by CPU */

size_t caches_bytes(void) {
    return sizeof(struct frame_cache) * machine_cpu_count();
}

void caches_set(void *memory) {
    caches = memory;
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        caches[cpu] = (struct frame_cache){0};
}

static void set_count(uint32_t *count, uint32_t value) {
    __atomic_store_n(count, value, __ATOMIC_RELAXED);
}

struct frame *cache_take(bool urgent) {
    struct frame_cache *cache = &caches[machine_cpu()];
    spin_take(&cache->frames_lock);
    if (!cache->frames) {
        unsigned got;
        cache->frames = pool_take_batch(&frame_kernel, CACHE_BATCH, urgent, &got);
        set_count(&cache->count, got);
    }
    struct frame *frame = cache->frames;
    if (frame) {
        cache->frames = frame->next;
        set_count(&cache->count, cache->count - 1);
        frame_set_kind(frame, kind_of(STATE_USED, 0));
    }
    spin_leave(&cache->frames_lock);
    return frame;
}

/* Cuts off what was freed longest ago, all but the limit less a batch. */
static struct frame *overflow(struct frame_cache *cache) {
    uint32_t keep = CACHE_LIMIT - CACHE_BATCH;
    struct frame *last = cache->frames;
    for (uint32_t i = 1; i < keep; i++)
        last = last->next;
    struct frame *rest = last->next;
    last->next = NULL;
    set_count(&cache->count, keep);
    return rest;
}

void cache_give(struct frame *frame) {
    struct frame_cache *cache = &caches[machine_cpu()];
    struct frame *rest = NULL;
    spin_take(&cache->frames_lock);
    frame_set_kind(frame, kind_of(STATE_CACHED, 0));
    frame->next = cache->frames;
    cache->frames = frame;
    set_count(&cache->count, cache->count + 1);
    if (cache->count > CACHE_LIMIT)
        rest = overflow(cache);
    spin_leave(&cache->frames_lock);
    if (rest)
        pool_give_batch(&frame_kernel, rest);
}

struct chunk *cache_take_chunk(bool urgent) {
    struct frame_cache *cache = &caches[machine_cpu()];
    spin_take(&cache->chunks_lock);
    struct chunk *chunk = cache->chunks;
    if (chunk) {
        cache->chunks = chunk->next;
        set_count(&cache->chunk_count, cache->chunk_count - 1);
    }
    spin_leave(&cache->chunks_lock);
    return chunk ? chunk : zone_take(FRAME_ORDER_CHUNK, urgent);
}

void cache_give_chunk(struct chunk *chunk) {
    struct frame_cache *cache = &caches[machine_cpu()];
    spin_take(&cache->chunks_lock);
    bool fits = cache->chunk_count < CACHE_CHUNKS;
    if (fits) {
        chunk_set_kind(chunk, kind_of(STATE_CACHED, FRAME_ORDER_CHUNK));
        chunk->next = cache->chunks;
        cache->chunks = chunk;
        set_count(&cache->chunk_count, cache->chunk_count + 1);
    }
    spin_leave(&cache->chunks_lock);
    if (!fits)
        zone_give(chunk, FRAME_ORDER_CHUNK);
}

uint64_t caches_count(void) {
    uint64_t frames = 0;
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++) {
        frames += __atomic_load_n(&caches[cpu].count, __ATOMIC_RELAXED);
        frames += (uint64_t)__atomic_load_n(&caches[cpu].chunk_count, __ATOMIC_RELAXED) *
                  FRAMES_PER_CHUNK;
    }
    return frames;
}

/* Frames first: the chunks they make whole land in this CPU's cache of chunks. */
static void collect_frames(struct frame_cache *cache) {
    spin_take(&cache->frames_lock);
    struct frame *frames = cache->frames;
    cache->frames = NULL;
    set_count(&cache->count, 0);
    spin_leave(&cache->frames_lock);
    if (frames)
        pool_give_batch(&frame_kernel, frames);
}

static void collect_chunks(struct frame_cache *cache) {
    spin_take(&cache->chunks_lock);
    struct chunk *chunks = cache->chunks;
    cache->chunks = NULL;
    set_count(&cache->chunk_count, 0);
    spin_leave(&cache->chunks_lock);
    for (struct chunk *next; chunks; chunks = next) {
        next = chunks->next;
        zone_give(chunks, FRAME_ORDER_CHUNK);
    }
}

void frames_collect(void) {
    uintptr_t interrupts = machine_interrupts_off();
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        collect_frames(&caches[cpu]);
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        collect_chunks(&caches[cpu]);
    machine_interrupts_restore(interrupts);
}
