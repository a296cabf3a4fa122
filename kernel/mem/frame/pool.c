/*
 * Pools: the frames of one consumer's chunks, as a buddy system of orders 0 to 8.
 *
 * A chunk belongs to one pool from the time it is taken from the zone until all of it is free
 * again. Its owner changes only when a consumer ends and its chunks become the kernel's, under both
 * pools' locks. Whoever frees reads the owner without a lock, takes that pool's lock and looks
 * again: if the owner has changed meanwhile, it starts over. The record of a consumer is never
 * given back to other uses, so that lock can always be taken.
 *
 * A chunk with holes is a chunk some of whose frames are never free; it just never becomes whole.
 *
 * Locking: the pool's, within it the cache's of chunks and the zone's. Fails: with NULL.
 */
#include "frames.h"

static void set_idle(struct pool *pool, uint64_t idle) {
    __atomic_store_n(&pool->idle, idle, __ATOMIC_RELAXED);
}

static void list_add(struct pool *pool, struct frame *frame, unsigned order) {
    frame_set_kind(frame, kind_of(STATE_FREE, order));
    frame->previous = NULL;
    frame->next = pool->lists[order];
    if (frame->next)
        frame->next->previous = frame;
    pool->lists[order] = frame;
    pool->orders |= 1u << order;
}

static void list_remove(struct pool *pool, struct frame *frame, unsigned order) {
    if (frame->next)
        frame->next->previous = frame->previous;
    if (frame->previous)
        frame->previous->next = frame->next;
    else if (!(pool->lists[order] = frame->next))
        pool->orders &= ~(1u << order);
}

static void chunk_add(struct frame_consumer *owner, struct chunk *chunk) {
    struct pool *pool = &owner->pool;
    chunk_set_kind(chunk, kind_of(STATE_POOL, 0));
    /* Release pairs with the acquire in pool_give(): whoever sees the owner sees its pool. */
    __atomic_store_n(&chunk->owner, owner, __ATOMIC_RELEASE);
    chunk->previous = NULL;
    chunk->next = pool->chunks;
    if (chunk->next)
        chunk->next->previous = chunk;
    pool->chunks = chunk;
    pool->chunk_count++;
}

static void chunk_remove(struct pool *pool, struct chunk *chunk) {
    if (chunk->next)
        chunk->next->previous = chunk->previous;
    if (chunk->previous)
        chunk->previous->next = chunk->next;
    else
        pool->chunks = chunk->next;
    pool->chunk_count--;
}

static void frames_make_records(struct chunk *chunk, enum frame_state state) {
    uint32_t first = chunk_first_frame(chunk);
    struct frame *frame = frame_numbered(first);
    for (uint32_t i = 0; i < FRAMES_PER_CHUNK; i++)
        frame[i] = (struct frame){.number = first + i, .kind = kind_of(state, 0)};
    chunk->has_records = 1;
}

void pool_adopt(struct frame_consumer *owner, struct chunk *chunk, enum frame_state state) {
    frames_make_records(chunk, state);
    spin_enter(&owner->pool.lock);
    chunk_add(owner, chunk);
    spin_leave(&owner->pool.lock);
}

/* Takes a block out of the smallest fitting list and puts back the halves that are too much. */
static struct frame *take(struct pool *pool, unsigned order) {
    uint32_t fitting = pool->orders >> order;
    if (!fitting)
        return NULL;
    unsigned from = order + (unsigned)__builtin_ctz(fitting);
    struct frame *frame = pool->lists[from];
    list_remove(pool, frame, from);
    while (from-- > order)
        list_add(pool, frame + (1u << from), from);
    set_idle(pool, pool->idle - (1u << order));
    return frame;
}

/* Adds a chunk to the pool, in two free halves. */
static bool grow(struct frame_consumer *owner, bool urgent) {
    struct chunk *chunk = cache_take_chunk(urgent);
    if (!chunk)
        return false;
    if (!chunk->has_records)
        frames_make_records(chunk, STATE_INSIDE);
    chunk_add(owner, chunk);
    struct frame *first = frame_numbered(chunk_first_frame(chunk));
    unsigned half = FRAME_ORDER_CHUNK - 1;
    list_add(&owner->pool, first + (1u << half), half);
    list_add(&owner->pool, first, half);
    set_idle(&owner->pool, owner->pool.idle + FRAMES_PER_CHUNK);
    return true;
}

struct frame *pool_take(struct frame_consumer *owner, unsigned order, bool may_grow, bool urgent) {
    struct pool *pool = &owner->pool;
    spin_enter(&pool->lock);
    struct frame *frame = take(pool, order);
    if (!frame && may_grow && grow(owner, urgent))
        frame = take(pool, order);
    if (frame)
        frame_set_kind(frame, kind_of(STATE_USED, order));
    spin_leave(&pool->lock);
    return frame;
}

struct frame *pool_take_batch(struct frame_consumer *owner, unsigned wanted, bool urgent,
                              unsigned *got) {
    struct pool *pool = &owner->pool;
    struct frame *first = NULL;
    struct frame **end = &first;
    spin_enter(&pool->lock);
    for (*got = 0; *got < wanted; ++*got) {
        struct frame *frame = take(pool, 0);
        if (!frame && *got == 0 && grow(owner, urgent))
            frame = take(pool, 0);
        if (!frame)
            break;
        frame_set_kind(frame, kind_of(STATE_CACHED, 0));
        *end = frame;
        end = &frame->next;
    }
    *end = NULL;
    spin_leave(&pool->lock);
    return first;
}

/* Under the lock. Returns the chunk, no longer in the pool, when all of it is free now. */
static struct chunk *give(struct pool *pool, struct frame *frame, unsigned order) {
    set_idle(pool, pool->idle + (1u << order));
    while (order < FRAME_ORDER_CHUNK) {
        struct frame *buddy =
            (frame->number & 1u << order) ? frame - (1u << order) : frame + (1u << order);
        if (frame_kind(buddy) != kind_of(STATE_FREE, order)) {
            list_add(pool, frame, order);
            return NULL;
        }
        list_remove(pool, buddy, order);
        frame_set_kind(buddy > frame ? buddy : frame, kind_of(STATE_INSIDE, 0));
        frame = buddy > frame ? frame : buddy;
        order++;
    }
    frame_set_kind(frame, kind_of(STATE_INSIDE, 0));
    struct chunk *chunk = chunk_of(frame->number);
    chunk_remove(pool, chunk);
    set_idle(pool, pool->idle - FRAMES_PER_CHUNK);
    return chunk;
}

static struct frame_consumer *lock_owner(struct chunk *chunk) {
    for (;;) {
        struct frame_consumer *owner = __atomic_load_n(&chunk->owner, __ATOMIC_ACQUIRE);
        spin_enter(&owner->pool.lock);
        if (__atomic_load_n(&chunk->owner, __ATOMIC_RELAXED) == owner)
            return owner;
        spin_leave(&owner->pool.lock);
    }
}

void pool_give(struct frame *frame, unsigned order) {
    struct frame_consumer *owner = lock_owner(chunk_of(frame->number));
    struct chunk *whole = give(&owner->pool, frame, order);
    spin_leave(&owner->pool.lock);
    if (whole)
        cache_give_chunk(whole);
}

void pool_give_batch(struct frame_consumer *owner, struct frame *first) {
    struct pool *pool = &owner->pool;
    spin_enter(&pool->lock);
    for (struct frame *next; first; first = next) {
        next = first->next;
        struct chunk *whole = give(pool, first, 0);
        if (whole)
            cache_give_chunk(whole);
    }
    spin_leave(&pool->lock);
}

/*
 * A chunk changes hands in one store, since others read its owner meanwhile.
 *
 * The kernel's pool is always the inner one of the two, so moves do not block each other.
 */
void pool_move(struct frame_consumer *from, struct frame_consumer *to) {
    spin_enter(&from->pool.lock);
    spin_enter(&to->pool.lock);
    while (from->pool.chunks) {
        struct chunk *chunk = from->pool.chunks;
        chunk_remove(&from->pool, chunk);
        chunk_add(to, chunk);
    }
    for (unsigned order = 0; order < FRAME_ORDER_CHUNK; order++)
        while (from->pool.lists[order]) {
            struct frame *frame = from->pool.lists[order];
            list_remove(&from->pool, frame, order);
            list_add(&to->pool, frame, order);
        }
    set_idle(&to->pool, to->pool.idle + from->pool.idle);
    set_idle(&from->pool, 0);
    spin_leave(&to->pool.lock);
    spin_leave(&from->pool.lock);
}
