/*
 * How the state of a cache passes from one object to the next: two formats, one by value and one
 * by pointer. Belongs to the classes of the interface; clients have no use for it.
 *
 * cache_pages   canonical, by value: word CACHE_STATE_NEXT is a function that describes one page
 *               after the other, from the least recently used to the most; the importer copies.
 * cache_table   by pointer: word CACHE_STATE_TABLE is the struct page_table itself, which changes
 *               hands when the swap is certain. Costs the same for one page and for a million.
 *
 * Both carry the rest, a struct cache_summary, by pointer for copying. `measured` is the capacity
 * in pages, which never changes.
 */
#ifndef SEARCH_CACHE_STATE_H
#define SEARCH_CACHE_STATE_H

#include "cache.h"
#include "page_table.h"
#include "policy.h"

extern const struct k42_format cache_pages, cache_table;

enum cache_state_word {
    CACHE_STATE_NEXT,    /* cache_pages: cache_next_page */
    CACHE_STATE_CURSOR,  /* cache_pages: its first argument, in the exporter's root */
    CACHE_STATE_TABLE,   /* cache_table: struct page_table * */
    CACHE_STATE_SUMMARY, /* struct cache_summary *, in the exporter's root */
};

/* What is counted where calls happen; cache_stats is made of sums of these. */
struct cache_counts {
    uint64_t holds, releases, misses, fills, evictions, invalidations, contended;
};

/* All of a cache's state but its pages. */
struct cache_summary {
    struct cache_options options;
    struct policy policy;
    struct cache_counts counts;
    uint64_t swaps;
};

/* One page, as cache_pages describes it. */
struct cache_page {
    uint64_t number;
    const void *bytes;
    int64_t holds;
    uint64_t uses;
    uint32_t accessed;
};

/* Where a description has got to. */
struct cache_cursor {
    const struct page_table *table;
    const struct page *next;
};

/* Describes the next page: 1, or 0 when there is none. */
typedef int cache_next_page(struct cache_cursor *cursor, struct cache_page *page);

/* Adds `more` to `sum`, and makes `more` zero, so that the two together stay what they were. */
void cache_counts_move(struct cache_counts *sum, struct cache_counts *more);

/* Fills in what the counts and the summary know of `stats`. */
void cache_stats_from(struct cache_stats *stats, const struct cache_summary *summary,
                      const struct page_table *table);

/* For exporters whose pages are all in `table`: cache_pages, cache_table. */
void cache_export_pages(struct k42_state *state, const struct page_table *table,
                        struct cache_cursor *cursor, struct cache_summary *summary);
void cache_export_table(struct k42_state *state, struct page_table *table,
                        struct cache_summary *summary);

/*
 * For importers. The first copies pages into `table`, made by prepare; -ENOSPC when there are more
 * than it has room for. The second returns the exporter's table, to be used in place.
 */
k42_result cache_import_pages(struct k42_state *state, struct page_table *table,
                              struct cache_summary *summary);
struct page_table *cache_import_table(struct k42_state *state, struct cache_summary *summary);

#endif
