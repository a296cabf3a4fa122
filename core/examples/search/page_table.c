/*
 * The table of pages: chained hash over a fixed pool of descriptors and frames, and a ring of all
 * pages in order of use. The owner's lock protects it.
 */
#include "page_table.h"

#include <stdlib.h>
#include <string.h>

#include "cache.h"

unsigned page_hash_shift(size_t capacity) {
    unsigned shift = 63;
    while (((size_t)1 << (64 - shift)) < capacity)
        shift--;
    return shift;
}

struct page_table *page_table_open(size_t capacity) {
    if (!capacity || capacity > SIZE_MAX / CACHE_PAGE_SIZE)
        return NULL;
    struct page_table *table = calloc(1, sizeof(*table));
    if (!table)
        return NULL;
    table->capacity = capacity;
    table->shift = page_hash_shift(capacity);
    table->buckets = calloc((size_t)1 << (64 - table->shift), sizeof(*table->buckets));
    table->pages = calloc(capacity, sizeof(*table->pages));
    table->frames = aligned_alloc(CACHE_PAGE_SIZE, capacity * CACHE_PAGE_SIZE);
    if (!table->buckets || !table->pages || !table->frames) {
        page_table_close(table);
        return NULL;
    }
    table->ring.newer = table->ring.older = &table->ring;
    for (size_t i = 0; i < capacity; i++) {
        table->pages[i].bytes = table->frames + i * CACHE_PAGE_SIZE;
        table->pages[i].chain = i + 1 < capacity ? &table->pages[i + 1] : NULL;
    }
    table->spare = table->pages;
    return table;
}

void page_table_close(struct page_table *table) {
    if (!table)
        return;
    free(table->frames);
    free(table->pages);
    free(table->buckets);
    free(table);
}

struct page *page_table_find(const struct page_table *table, uint64_t number) {
    struct page *page = table->buckets[page_hash(number, table->shift)];
    while (page && page->number != number)
        page = page->chain;
    return page;
}

static void ring_insert_newest(struct page_table *table, struct page *page) {
    struct page *newest = table->ring.older;
    page->newer = &table->ring;
    page->older = newest;
    newest->newer = page;
    table->ring.older = page;
}

static void ring_remove(struct page *page) {
    page->newer->older = page->older;
    page->older->newer = page->newer;
}

struct page *page_table_add(struct page_table *table, uint64_t number, const void *bytes) {
    struct page *page = table->spare;
    if (!page)
        return NULL;
    table->spare = page->chain;
    memcpy(page->bytes, bytes, CACHE_PAGE_SIZE);
    page->number = number;
    page->holds = 0;
    page->uses = 0;
    page->accessed = 0;
    struct page **bucket = &table->buckets[page_hash(number, table->shift)];
    page->chain = *bucket;
    *bucket = page;
    ring_insert_newest(table, page);
    table->count++;
    return page;
}

void page_table_remove(struct page_table *table, struct page *page) {
    struct page **link = &table->buckets[page_hash(page->number, table->shift)];
    while (*link != page)
        link = &(*link)->chain;
    *link = page->chain;
    ring_remove(page);
    page->chain = table->spare;
    table->spare = page;
    table->count--;
}

void page_table_touch(struct page_table *table, struct page *page) {
    ring_remove(page);
    ring_insert_newest(table, page);
}

struct page *page_table_oldest(const struct page_table *table) {
    return page_table_newer(table, &table->ring);
}

struct page *page_table_newer(const struct page_table *table, const struct page *page) {
    return page->newer == &table->ring ? NULL : page->newer;
}
