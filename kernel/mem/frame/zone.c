/*
 * The zone: all memory that is free in whole chunks of 2 MiB, as a buddy system of orders 9 to 18.
 *
 * A block never crosses a section of 1 GiB, whose record of chunks tells a buddy's state with one
 * look; so nothing here searches. The last few chunks are kept for urgent consumers.
 *
 * Locking: zone.lock, innermost. Fails: with NULL.
 */
#include "frames.h"

static struct {
    struct spin lock;
    uint32_t orders; /* bit set: that list is not empty */
    uint64_t free;   /* frames; written under the lock */
    uint64_t reserve;
    struct chunk *lists[CHUNK_ORDERS];
} zone;

static void set_orders(uint32_t orders) {
    __atomic_store_n(&zone.orders, orders, __ATOMIC_RELAXED);
}

static void list_add(struct chunk *chunk, unsigned order) {
    unsigned i = order - FRAME_ORDER_CHUNK;
    chunk_set_kind(chunk, kind_of(STATE_FREE, order));
    chunk->previous = NULL;
    chunk->next = zone.lists[i];
    if (chunk->next)
        chunk->next->previous = chunk;
    zone.lists[i] = chunk;
    set_orders(zone.orders | 1u << i);
}

static void list_remove(struct chunk *chunk, unsigned order) {
    unsigned i = order - FRAME_ORDER_CHUNK;
    if (chunk->next)
        chunk->next->previous = chunk->previous;
    if (chunk->previous)
        chunk->previous->next = chunk->next;
    else if (!(zone.lists[i] = chunk->next))
        set_orders(zone.orders & ~(1u << i));
}

static void set_free(uint64_t frames) {
    __atomic_store_n(&zone.free, frames, __ATOMIC_RELAXED);
    pressure_note(frames);
}

/* Takes a block out of the smallest fitting list and puts back the halves that are too much. */
static struct chunk *take(unsigned order) {
    uint32_t fitting = zone.orders >> (order - FRAME_ORDER_CHUNK);
    if (!fitting)
        return NULL;
    unsigned from = order + (unsigned)__builtin_ctz(fitting);
    struct chunk *chunk = zone.lists[from - FRAME_ORDER_CHUNK];
    list_remove(chunk, from);
    while (from-- > order)
        list_add(chunk + (1u << (from - FRAME_ORDER_CHUNK)), from);
    chunk_set_kind(chunk, kind_of(STATE_INSIDE, order));
    set_free(zone.free - (1u << order));
    return chunk;
}

struct chunk *zone_take(unsigned order, bool urgent) {
    spin_enter(&zone.lock);
    uint64_t untouchable = urgent ? 0 : zone.reserve;
    struct chunk *chunk = zone.free >= untouchable + (1u << order) ? take(order) : NULL;
    spin_leave(&zone.lock);
    return chunk;
}

void zone_give(struct chunk *chunk, unsigned order) {
    spin_enter(&zone.lock);
    set_free(zone.free + (1u << order));
    struct chunk *first = chunk - chunk->number % CHUNKS_PER_SECTION;
    while (order < FRAME_ORDER_MAX) {
        uint32_t index = (uint32_t)(chunk - first);
        struct chunk *buddy = first + (index ^ 1u << (order - FRAME_ORDER_CHUNK));
        if (chunk_kind(buddy) != kind_of(STATE_FREE, order))
            break;
        list_remove(buddy, order);
        struct chunk *upper = buddy > chunk ? buddy : chunk;
        chunk_set_kind(upper, kind_of(STATE_INSIDE, 0));
        chunk = buddy > chunk ? chunk : buddy;
        order++;
    }
    list_add(chunk, order);
    spin_leave(&zone.lock);
}

void zone_set_reserve(uint64_t frames) {
    zone.reserve = frames;
}

uint64_t zone_reserve(void) {
    return zone.reserve;
}

uint64_t zone_free(void) {
    return __atomic_load_n(&zone.free, __ATOMIC_RELAXED);
}

int zone_largest_order(void) {
    uint32_t orders = __atomic_load_n(&zone.orders, __ATOMIC_RELAXED);
    return orders ? (int)FRAME_ORDER_CHUNK + 31 - __builtin_clz(orders) : -1;
}
