/*
 * Caches: blocks of one size, of which each CPU keeps some at hand.
 *
 * The fast paths take from, and put to, this CPU's list. When it runs out, first the blocks that
 * came home are taken, then a batch from the CPU's slabs; when it is too long, half goes back.
 *
 * A block freed away from home is chained with others for the same home and pushed to its inbox by
 * one compare-and-swap when there are enough or another home's turn comes. The push releases what
 * the chain's links say, the home's exchange acquires it. The home takes the whole inbox at once,
 * so a chain's head never comes back while somebody still holds it as expected value: nothing is
 * ever popped alone.
 *
 * Locking: caches.lock for the list of caches; the parts as heaps.h says.
 */
#include "heaps.h"

#include "../../../core/platform.h"
#include "../../../core/runtime.h"

#define AWAY_LIMIT 16u

static struct {
    struct spin lock;
    struct heap_cache *first;
} caches;

/* ---- shape ---- */

static uint32_t round_up(uint32_t value, uint32_t to) {
    return (value + to - 1) & ~(to - 1);
}

/* The least order at which at least 7/8 of a slab are blocks, or the largest. */
static uint32_t choose_order(uint32_t first, uint32_t stride) {
    uint32_t order = 0;
    for (; order < HEAP_SLAB_ORDER_MAX; order++) {
        uint32_t bytes = (uint32_t)FRAME_BYTES << order;
        if ((bytes - first) / stride * stride >= bytes / 8 * 7)
            break;
    }
    return order;
}

static uint32_t between(uint32_t low, uint32_t value, uint32_t high) {
    return value < low ? low : value > high ? high : value;
}

void cache_shape(struct heap_cache *cache, const char *name, size_t size, size_t align) {
    uint32_t blocks = round_up((uint32_t)size, 16);
    cache->name = name;
    cache->size = blocks;
    cache->stride = round_up(blocks + HEAP_RED_ZONE, (uint32_t)align);
    cache->first = round_up(sizeof(struct slab), (uint32_t)align);
    cache->order = choose_order(cache->first, cache->stride);
    cache->per_slab = (((uint32_t)FRAME_BYTES << cache->order) - cache->first) / cache->stride;
    cache->limit = between(8, 16384 / cache->stride, 128);
    cache->batch = cache->limit / 2;
}

/* ---- one CPU's part ---- */

static void count(uint64_t *counter) {
    __atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

static void take_inbox(struct heap_part *part) {
    if (!__atomic_load_n(&part->inbox, __ATOMIC_RELAXED))
        return;
    struct block *block = __atomic_exchange_n(&part->inbox, NULL, __ATOMIC_ACQUIRE);
    while (block) {
        struct block *next = block->next;
        block->next = part->free;
        part->free = block;
        part->count++;
        block = next;
    }
}

static void refill(struct heap_cache *cache, struct heap_part *part) {
    take_inbox(part);
    if (!part->free)
        slabs_take(cache, part, cache->batch);
}

/* Gives blocks back to their slabs until `keep` are left. */
static void spill(struct heap_part *part, uint32_t keep, bool keep_slab) {
    while (part->count > keep) {
        struct block *block = part->free;
        part->free = block->next;
        part->count--;
        slab_give(part, block, keep_slab);
    }
}

static void send_away(struct heap_cache *cache, struct heap_part *part) {
    if (!part->away_count)
        return;
    struct block **inbox = &cache->parts[slab_of(part->away)->home].inbox;
    struct block *before = __atomic_load_n(inbox, __ATOMIC_RELAXED);
    do
        part->away_last->next = before;
    while (!__atomic_compare_exchange_n(inbox, &before, part->away, 1, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
    part->away = NULL;
    part->away_count = 0;
}

static void free_away(struct slab *slab, struct heap_part *part, struct block *block) {
    if (part->away_count && slab_of(part->away)->home != slab->home)
        send_away(slab->cache, part);
    if (!part->away_count)
        part->away_last = block;
    block->next = part->away;
    part->away = block;
    if (++part->away_count == AWAY_LIMIT)
        send_away(slab->cache, part);
}

void *part_allocate(struct heap_cache *cache) {
    machine_preemption_off();
    struct heap_part *part = &cache->parts[machine_cpu()];
    if (__builtin_expect(!part->free, 0))
        refill(cache, part);
    struct block *block = part->free;
    if (__builtin_expect(block != NULL, 1)) {
        part->free = block->next;
        part->count--;
        count(&part->allocated);
    }
    machine_preemption_on();
    return block;
}

void part_free(struct slab *slab, struct block *block) {
    machine_preemption_off();
    struct heap_cache *cache = slab->cache;
    uint32_t cpu = machine_cpu();
    struct heap_part *part = &cache->parts[cpu];
    count(&part->freed);
    if (__builtin_expect(slab->home != cpu, 0)) {
        free_away(slab, part, block);
    } else {
        block->next = part->free;
        part->free = block;
        if (__builtin_expect(++part->count > cache->limit, 0))
            spill(part, cache->limit - cache->batch, true);
    }
    machine_preemption_on();
}

static void part_flush(struct heap_cache *cache, struct heap_part *part) {
    send_away(cache, part);
    take_inbox(part);
    spill(part, 0, false);
    slabs_trim(part);
}

/* ---- all caches ---- */

static uintptr_t lock(void) {
    uintptr_t interrupts = machine_interrupts_off();
    spin_enter(&caches.lock);
    return interrupts;
}

static void unlock(uintptr_t interrupts) {
    spin_leave(&caches.lock);
    machine_interrupts_restore(interrupts);
}

void caches_add(struct heap_cache *cache) {
    uintptr_t interrupts = lock();
    cache->next = caches.first;
    caches.first = cache;
    unlock(interrupts);
}

static void caches_remove(struct heap_cache *cache) {
    uintptr_t interrupts = lock();
    struct heap_cache **link = &caches.first;
    while (*link != cache)
        link = &(*link)->next;
    *link = cache->next;
    unlock(interrupts);
}

static struct heap_usage usage_of(const struct heap_cache *cache) {
    struct heap_usage usage = {.name = cache->name, .size = cache->size};
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++) {
        const struct heap_part *part = &cache->parts[cpu];
        usage.used += __atomic_load_n(&part->allocated, __ATOMIC_RELAXED);
        usage.used -= __atomic_load_n(&part->freed, __ATOMIC_RELAXED);
        usage.frames += __atomic_load_n(&part->frames, __ATOMIC_RELAXED);
    }
    return usage;
}

void heap_caches_each(void (*visit)(void *argument, const struct heap_usage *usage),
                      void *argument) {
    uintptr_t interrupts = lock();
    for (struct heap_cache *cache = caches.first; cache; cache = cache->next) {
        struct heap_usage usage = usage_of(cache);
        visit(argument, &usage);
    }
    unlock(interrupts);
}

void heap_flush(void) {
    uintptr_t interrupts = lock();
    uint32_t cpu = machine_cpu();
    for (struct heap_cache *cache = caches.first; cache; cache = cache->next)
        part_flush(cache, &cache->parts[cpu]);
    unlock(interrupts);
}

/* ---- caches by name ---- */

static struct heap_part *make_parts(void) {
    return heap_allocate_zeroed(sizeof(struct heap_part) * machine_cpu_count());
}

struct heap_cache *heap_cache_create(const char *name, size_t size, size_t align) {
    if (size == 0 || size > HEAP_LARGEST_IN_SLAB || align > 1024 || (align & (align - 1)))
        return NULL;
    struct heap_cache *cache = heap_allocate_zeroed(sizeof(*cache));
    if (!cache)
        return NULL;
    cache_shape(cache, name, size, align < 16 ? 16 : align);
    cache->parts = make_parts();
    if (!cache->parts) {
        heap_free(cache);
        return NULL;
    }
    caches_add(cache);
    return cache;
}

/* Nobody uses the cache, so this thread may act for every CPU. */
static void gather(struct heap_cache *cache) {
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        send_away(cache, &cache->parts[cpu]);
    for (uint32_t cpu = 0; cpu < machine_cpu_count(); cpu++)
        part_flush(cache, &cache->parts[cpu]);
}

uint64_t heap_cache_destroy(struct heap_cache *cache) {
    gather(cache);
    struct heap_usage usage = usage_of(cache);
    if (usage.used) {
        char line[160];
        k42_format_text(line, sizeof(line),
                        "ending heap cache %s: %lu blocks of %lu bytes were not freed", cache->name,
                        (unsigned long)usage.used, (unsigned long)usage.size);
        k42_platform_log(line);
        return usage.used;
    }
    caches_remove(cache);
    heap_free(cache->parts);
    heap_free(cache);
    return 0;
}
