/*
 * A table of pages: found by number, ordered by use, with room for a fixed number of them.
 *
 * Everything is allocated when it is opened, so nothing fails or allocates later. It has no lock:
 * the object that owns it has. Oldest means least recently touched.
 */
#ifndef SEARCH_PAGE_TABLE_H
#define SEARCH_PAGE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct page {
    uint64_t number;
    void *bytes;
    struct page *chain;         /* next in the same bucket, or next spare one */
    struct page *newer, *older; /* ring of all pages, in order of use */
    /*
     * Holds not released, as far as this descriptor saw them. Where other descriptors of the page
     * exist, only the sum of all means anything: one may have seen the release of another's hold.
     */
    int64_t holds;
    uint64_t uses;
    uint32_t accessed; /* since somebody last looked for a page to evict */
};

struct page_table {
    struct page **buckets;
    unsigned shift; /* of the hash, so that buckets is a power of two */
    size_t count, capacity;
    struct page ring; /* ring.newer is the oldest page, ring.older the newest */
    struct page *spare;
    struct page *pages;
    char *frames;
};

/* A table for `capacity` pages; NULL without memory for it, or when capacity is 0. */
struct page_table *page_table_open(size_t capacity);
/* Frees it and its pages; NULL is allowed. */
void page_table_close(struct page_table *table);

/* The page of this number, or NULL. */
struct page *page_table_find(const struct page_table *table, uint64_t number);

/* A new page, the newest, not held, with a copy of `bytes`; NULL when there is no room. */
struct page *page_table_add(struct page_table *table, uint64_t number, const void *bytes);

/* Takes a page out; its memory serves the next one added. */
void page_table_remove(struct page_table *table, struct page *page);

/* Makes a page the newest. */
void page_table_touch(struct page_table *table, struct page *page);

/* The oldest page, the one newer than `page`; NULL after the last. */
struct page *page_table_oldest(const struct page_table *table);
struct page *page_table_newer(const struct page_table *table, const struct page *page);

/* Where a number falls among 2^(64 - shift) buckets. */
static inline size_t page_hash(uint64_t number, unsigned shift) {
    return (size_t)((number * 0x9e3779b97f4a7c15u) >> shift);
}

/* The shift that gives at least as many buckets as there can be pages. */
unsigned page_hash_shift(size_t capacity);

#endif
