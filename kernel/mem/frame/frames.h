/*
 * Inside the frame allocator.
 *
 *   zone        whole chunks of 2 MiB: a buddy system of chunks, orders 9 to 18     zone.c
 *   pool        pieces of the chunks of one consumer: a buddy system, orders 0 to 8  pool.c
 *   cache       per CPU: single frames of shared chunks, and some whole chunks      cache.c
 *   consumer    who is charged; has a pool                                          consumer.c
 *   section     the records of 1 GiB of physical addresses                          open.c
 *
 * Locks, outermost first: consumers list, pool, cache's chunks, zone; cache's frames by itself. All
 * with interrupts off.
 */
#ifndef K42_KERNEL_FRAMES_H
#define K42_KERNEL_FRAMES_H

#include "frame.h"
#include "spin.h"

#include <errno.h>

#define FRAMES_PER_CHUNK   (1u << FRAME_ORDER_CHUNK)
#define FRAMES_PER_SECTION (1u << FRAME_ORDER_MAX)
#define CHUNKS_PER_SECTION (FRAMES_PER_SECTION / FRAMES_PER_CHUNK)
#define CHUNK_ORDERS       (FRAME_ORDER_MAX - FRAME_ORDER_CHUNK + 1)

/* States, of frames and of chunks; `kind` is state and order in one, so that one look tells. */
enum frame_state {
    STATE_ABSENT, /* no memory there, or not ours */
    STATE_KEPT,
    STATE_FREE,   /* head of a free block in a pool or the zone */
    STATE_INSIDE, /* any other frame or chunk of a block */
    STATE_CACHED, /* by a CPU */
    STATE_USED,   /* head of a block in use */
    STATE_POOL,   /* chunks only: cut into frames by a pool */
};

static inline uint16_t kind_of(enum frame_state state, unsigned order) {
    return (uint16_t)((unsigned)state << 8 | order);
}

static inline uint16_t frame_kind(const struct frame *frame) {
    return __atomic_load_n(&frame->kind, __ATOMIC_RELAXED);
}

/*
 * Kinds are read by neighbours that look for something to merge with, under the pool's or zone's
 * lock. They may then change between cached and used without that lock, but they become and cease
 * to be free only under it, and free is all that the neighbour asks: hence relaxed.
 */
static inline void frame_set_kind(struct frame *frame, uint16_t kind) {
    __atomic_store_n(&frame->kind, kind, __ATOMIC_RELAXED);
}

struct chunk {
    struct chunk *next, *previous; /* in a zone's list, a pool's or a cache's */
    struct frame_consumer *owner;  /* of the pool it is in */
    uint32_t number;               /* physical address / 2 MiB */
    uint16_t kind;
    uint16_t has_records; /* its frames' records are valid, not only its head's */
};

static inline uint16_t chunk_kind(const struct chunk *chunk) {
    return __atomic_load_n(&chunk->kind, __ATOMIC_RELAXED);
}

static inline void chunk_set_kind(struct chunk *chunk, uint16_t kind) {
    __atomic_store_n(&chunk->kind, kind, __ATOMIC_RELAXED);
}

struct section {
    uintptr_t frames;    /* where the record of the section's frame 0 would be */
    uint32_t first, end; /* frames that have a record, multiples of a chunk */
    struct chunk chunks[CHUNKS_PER_SECTION];
};

extern struct section **frame_sections; /* by physical address / 1 GiB; NULL: nothing there */
extern uint32_t frame_section_count;

static inline struct section *frame_section(uint32_t number) {
    return frame_sections[number / FRAMES_PER_SECTION];
}

static inline struct frame *frame_numbered(uint32_t number) {
    return (struct frame *)(frame_section(number)->frames +
                            (uintptr_t)(number % FRAMES_PER_SECTION) * sizeof(struct frame));
}

static inline struct chunk *chunk_of(uint32_t frame_number) {
    return &frame_section(frame_number)
                ->chunks[frame_number / FRAMES_PER_CHUNK % CHUNKS_PER_SECTION];
}

static inline uint32_t chunk_first_frame(const struct chunk *chunk) {
    return chunk->number * FRAMES_PER_CHUNK;
}

/* ---- open.c ---- */

struct frames_known {
    uint64_t present, records, kept; /* frames; kept changes under the zone's lock */
};
extern struct frames_known frames_known;

/* ---- zone.c ---- */

/* A block of chunks, 2^order frames; leaves the reserve alone unless urgent. NULL: none. */
struct chunk *zone_take(unsigned order, bool urgent);
void zone_give(struct chunk *chunk, unsigned order);
void zone_set_reserve(uint64_t frames);
uint64_t zone_reserve(void);
uint64_t zone_free(void);
int zone_largest_order(void);

/* ---- pool.c ---- */

struct pool {
    struct spin lock;
    uint32_t orders; /* bit set: that list is not empty */
    uint64_t idle;   /* frames */
    uint64_t chunk_count;
    struct chunk *chunks;
    struct frame *lists[FRAME_ORDER_CHUNK];
};

/* A block of a pool below chunk size, taking a chunk when need be and may_grow. NULL: none. */
struct frame *pool_take(struct frame_consumer *owner, unsigned order, bool may_grow, bool urgent);
/* Up to `wanted` single frames, linked by `next`; sets how many. */
struct frame *pool_take_batch(struct frame_consumer *owner, unsigned wanted, bool urgent,
                              unsigned *got);
/* Gives a block to the pool its chunk is in. */
void pool_give(struct frame *frame, unsigned order);
/* Gives a chain of single frames, linked by `next`, of chunks of this owner, who is not ending. */
void pool_give_batch(struct frame_consumer *owner, struct frame *first);
/* Hands all chunks of one pool to another. */
void pool_move(struct frame_consumer *from, struct frame_consumer *to);
/* Makes a chunk part of a pool with no free frame in it, its frames in the given state. */
void pool_adopt(struct frame_consumer *owner, struct chunk *chunk, enum frame_state state);

/* ---- cache.c ---- */

struct frame_cache {
    struct spin frames_lock;
    uint32_t count, zeroed_count;
    struct frame *frames, *zeroed;
    struct spin chunks_lock __attribute__((aligned(64)));
    uint32_t chunk_count;
    struct chunk *chunks;
} __attribute__((aligned(64)));

extern struct frame_cache *frame_caches; /* by CPU */

#define FRAME_CACHE_LIMIT  128u
#define FRAME_ZEROED_LIMIT 64u

static inline void cache_set_count(uint32_t *count, uint32_t value) {
    __atomic_store_n(count, value, __ATOMIC_RELAXED);
}

/* The fast paths. Takes a frame that is at hand; NULL: none is. Interrupts are off. */
static inline struct frame *cache_pop(void) {
    struct frame_cache *cache = &frame_caches[machine_cpu()];
    spin_enter(&cache->frames_lock);
    struct frame *frame = cache->frames;
    if (__builtin_expect(frame != NULL, 1)) {
        cache->frames = frame->next;
        cache_set_count(&cache->count, cache->count - 1);
        frame_set_kind(frame, kind_of(STATE_USED, 0));
    }
    spin_leave(&cache->frames_lock);
    return frame;
}

void cache_shrink(struct frame_cache *cache);

/* Keeps a frame of a shared chunk at hand. Interrupts are off. */
static inline void cache_push(struct frame *frame) {
    struct frame_cache *cache = &frame_caches[machine_cpu()];
    spin_enter(&cache->frames_lock);
    frame_set_kind(frame, kind_of(STATE_CACHED, 0));
    frame->next = cache->frames;
    cache->frames = frame;
    uint32_t count = cache->count + 1;
    cache_set_count(&cache->count, count);
    spin_leave(&cache->frames_lock);
    if (__builtin_expect(count > FRAME_CACHE_LIMIT, 0))
        cache_shrink(cache);
}

/* The same with frames that are zero; false: enough of them are kept. */
static inline struct frame *cache_pop_zeroed(void) {
    struct frame_cache *cache = &frame_caches[machine_cpu()];
    spin_enter(&cache->frames_lock);
    struct frame *frame = cache->zeroed;
    if (frame) {
        cache->zeroed = frame->next;
        cache_set_count(&cache->zeroed_count, cache->zeroed_count - 1);
        frame_set_kind(frame, kind_of(STATE_USED, 0));
    }
    spin_leave(&cache->frames_lock);
    return frame;
}

static inline bool cache_push_zeroed(struct frame *frame) {
    struct frame_cache *cache = &frame_caches[machine_cpu()];
    spin_enter(&cache->frames_lock);
    bool fits = cache->zeroed_count < FRAME_ZEROED_LIMIT;
    if (fits) {
        frame_set_kind(frame, kind_of(STATE_CACHED, 0));
        frame->next = cache->zeroed;
        cache->zeroed = frame;
        cache_set_count(&cache->zeroed_count, cache->zeroed_count + 1);
    }
    spin_leave(&cache->frames_lock);
    return fits;
}

void caches_set(void *memory);
size_t caches_bytes(void);
/* Gets a batch from the kernel's pool and takes one of it. */
struct frame *cache_refill(bool urgent);
struct chunk *cache_take_chunk(bool urgent);
void cache_give_chunk(struct chunk *chunk);
uint64_t caches_count(void);

/* ---- consumer.c ---- */

/* Up to this many frames a consumer lives in shared chunks. */
#define FRAME_SMALL_CONSUMER 64

struct frame_consumer {
    const char *name;
    uint64_t used;
    uint32_t number, flags;
    struct frame_consumer *next, *previous;
    struct pool pool;
};

extern struct frame_consumer frame_kernel; /* number 0; its chunks are the shared ones */

/* Takes frames off a consumer's bill; the last ones of one that has ended end its record. */
void consumer_uncharge(uint32_t number, uint64_t frames);
/* A block from any pool that has one, when nothing else is left. */
struct frame *consumers_take(unsigned order, bool urgent);

/* ---- pressure.c ---- */

void pressure_set_total(uint64_t frames);
/* Called after the zone changed, with the zone's lock held: remembers that somebody must wake. */
void pressure_note(uint64_t free);
void pressure_note_failure(void);
/* Wakes whoever watches, when something was noted. No lock is held. */
void pressure_tell(void);

/* ---- check.c ---- */

_Noreturn void frame_refuse_free(const struct frame *frame, unsigned order);
#ifdef K42_DEBUG
void frame_poison(struct frame *frame, unsigned order);
void frame_check_poison(struct frame *frame, unsigned order);
void frame_check_zeroed(const struct frame *frame);
#else
static inline void frame_poison(struct frame *frame, unsigned order) {
    (void)frame, (void)order;
}
static inline void frame_check_poison(struct frame *frame, unsigned order) {
    (void)frame, (void)order;
}
static inline void frame_check_zeroed(const struct frame *frame) {
    (void)frame;
}
#endif

#endif
