/*
 * Records of pages: found by their name, and in lists. See order.h.
 */
#include "order.h"

#include "../heap/heap.h"

enum { FIRST_CHAINS = 64 };

/* ---- the table ---- */

static uint64_t mix(k42_id fcm, uint64_t index) {
    uint64_t mixed = (index ^ (uint64_t)fcm << 40) * 0x9e3779b97f4a7c15ul;
    return mixed ^ mixed >> 32;
}

/* The segment of a chain: 0 for the first FIRST_CHAINS, then one for each doubling. */
static unsigned segment_of(uint64_t chain) {
    return chain < FIRST_CHAINS ? 0 : (unsigned)(64 - __builtin_clzl(chain / FIRST_CHAINS));
}

static uint64_t segment_start(unsigned segment) {
    return segment ? (uint64_t)FIRST_CHAINS << (segment - 1) : 0;
}

static uint64_t segment_size(unsigned segment) {
    return segment ? segment_start(segment) : FIRST_CHAINS;
}

static struct order_page **chain_at(const struct order *order, uint64_t chain) {
    unsigned segment = segment_of(chain);
    return &order->segments[segment][chain - segment_start(segment)];
}

/* Chains below the last doubling that have been parted already are found by one bit more. */
static uint64_t chain_of(const struct order *order, uint64_t hash) {
    uint64_t doubling = 1ul << (63 - __builtin_clzl(order->chains));
    uint64_t chain = hash & (2 * doubling - 1);
    return chain < order->chains ? chain : chain & (doubling - 1);
}

/* One chain more: what belongs to it stands in the one that is half as far. */
static void part_chain(struct order *order) {
    uint64_t new = order->chains, doubling = 1ul << (63 - __builtin_clzl(new));
    struct order_page **from = chain_at(order, new - doubling), **to = chain_at(order, new);
    order->chains++;
    while (*from) {
        struct order_page *page = *from;
        if (chain_of(order, mix(page->fcm, page->index)) == new) {
            *from = page->chain;
            page->chain = *to;
            *to = page;
        } else {
            from = &page->chain;
        }
    }
}

static bool have_segment(struct order *order, uint64_t chain) {
    unsigned segment = segment_of(chain);
    if (segment < ORDER_SEGMENTS && !order->segments[segment])
        order->segments[segment] =
            heap_allocate_zeroed(segment_size(segment) * sizeof(struct order_page *));
    return segment < ORDER_SEGMENTS && order->segments[segment];
}

static bool grow(struct order *order) {
    if (!order->chains) {
        if (have_segment(order, 0))
            order->chains = FIRST_CHAINS;
        return order->chains != 0;
    }
    if (order->records >= order->chains && have_segment(order, order->chains))
        part_chain(order);
    return true;
}

struct order_page *order_find(const struct order *order, k42_id fcm, uint64_t index) {
    if (!order->chains)
        return NULL;
    struct order_page *page = *chain_at(order, chain_of(order, mix(fcm, index)));
    while (page && (page->fcm != fcm || page->index != index))
        page = page->chain;
    return page;
}

struct order_page *order_add(struct order *order, k42_id fcm, uint64_t index) {
    struct order_page *page = grow(order) ? heap_allocate(sizeof *page) : NULL;
    if (!page)
        return NULL;
    struct order_page **chain = chain_at(order, chain_of(order, mix(fcm, index)));
    *page = (struct order_page){.chain = *chain, .index = index, .fcm = fcm, .list = ORDER_NONE};
    *chain = page;
    __atomic_store_n(&order->records, order->records + 1, __ATOMIC_RELAXED);
    return page;
}

void order_forget(struct order *order, struct order_page *page) {
    struct order_page **at = chain_at(order, chain_of(order, mix(page->fcm, page->index)));
    order_take(order, page);
    while (*at != page)
        at = &(*at)->chain;
    *at = page->chain;
    __atomic_store_n(&order->records, order->records - 1, __ATOMIC_RELAXED);
    heap_free(page);
}

void order_end(struct order *order) {
    for (uint64_t chain = 0; chain < order->chains; chain++)
        while (*chain_at(order, chain))
            order_forget(order, *chain_at(order, chain));
    for (unsigned segment = 0; segment < ORDER_SEGMENTS; segment++)
        heap_free(order->segments[segment]);
    *order = (struct order){.records = 0};
}

/* ---- lists ---- */

void order_take(struct order *order, struct order_page *page) {
    if (page->list == ORDER_NONE)
        return;
    struct order_ends *ends = &order->lists[page->list];
    *(page->previous ? &page->previous->next : &ends->oldest) = page->next;
    *(page->next ? &page->next->previous : &ends->newest) = page->previous;
    ends->count--;
    page->list = ORDER_NONE;
}

void order_put(struct order *order, struct order_page *page, enum order_list list) {
    struct order_ends *ends = &order->lists[list];
    page->next = NULL;
    page->previous = ends->newest;
    *(ends->newest ? &ends->newest->next : &ends->oldest) = page;
    ends->newest = page;
    ends->count++;
    page->list = (uint8_t)list;
}

void order_move(struct order *order, struct order_page *page, enum order_list list) {
    order_take(order, page);
    order_put(order, page, list);
}

void order_trim(struct order *order, enum order_list list, uint64_t most) {
    for (unsigned i = 0; i < 2 && order->lists[list].count > most; i++)
        order_forget(order, order->lists[list].oldest);
}
