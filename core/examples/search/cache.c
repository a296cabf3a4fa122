/*
 * The interface's record and the parts of state transfer that both classes share. No state.
 */
#include "cache.h"

#include <errno.h>

#include "cache_state.h"

static const char *const cache_method_names[] = {
    "describe", "fill", "hold", "release", "read", "invalidate", "stats",
};
_Static_assert(sizeof(cache_method_names) / sizeof(*cache_method_names) ==
                   K42_METHOD_COUNT(struct cache_ops),
               "each method of the cache has its name");

const struct k42_interface cache_interface = {
    .name = "cache",
    .version = cache_INTERFACE_VERSION,
    .methods = K42_METHOD_COUNT(struct cache_ops),
    .method_names = cache_method_names,
};

const struct k42_format cache_pages = {.name = "cache_pages", .version = 1, .cost = 100};
const struct k42_format cache_table = {.name = "cache_table", .version = 1, .cost = 1};

void cache_counts_move(struct cache_counts *sum, struct cache_counts *more) {
    sum->holds += more->holds;
    sum->releases += more->releases;
    sum->misses += more->misses;
    sum->fills += more->fills;
    sum->evictions += more->evictions;
    sum->invalidations += more->invalidations;
    sum->contended += more->contended;
    *more = (struct cache_counts){0};
}

void cache_stats_from(struct cache_stats *stats, const struct cache_summary *summary,
                      const struct page_table *table) {
    const struct cache_counts *counts = &summary->counts;
    *stats = (struct cache_stats){
        .cached = table->count,
        .held = counts->holds - counts->releases,
        .holds = counts->holds,
        .misses = counts->misses,
        .fills = counts->fills,
        .evictions = counts->evictions,
        .invalidations = counts->invalidations,
        .contended = counts->contended,
        .swaps = summary->swaps,
    };
}

static int next_page(struct cache_cursor *cursor, struct cache_page *page) {
    const struct page *from = cursor->next;
    if (!from)
        return 0;
    *page = (struct cache_page){
        .number = from->number,
        .bytes = from->bytes,
        .holds = from->holds,
        .uses = from->uses,
        .accessed = from->accessed,
    };
    cursor->next = page_table_newer(cursor->table, from);
    return 1;
}

void cache_export_pages(struct k42_state *state, const struct page_table *table,
                        struct cache_cursor *cursor, struct cache_summary *summary) {
    cursor->table = table;
    cursor->next = page_table_oldest(table);
    cache_next_page *next = next_page;
    state->word[CACHE_STATE_NEXT] = (uintptr_t)next;
    state->word[CACHE_STATE_CURSOR] = (uintptr_t)cursor;
    state->word[CACHE_STATE_SUMMARY] = (uintptr_t)summary;
}

void cache_export_table(struct k42_state *state, struct page_table *table,
                        struct cache_summary *summary) {
    state->word[CACHE_STATE_TABLE] = (uintptr_t)table;
    state->word[CACHE_STATE_SUMMARY] = (uintptr_t)summary;
}

static void import_summary(struct k42_state *state, struct cache_summary *summary) {
    *summary = *(const struct cache_summary *)state->word[CACHE_STATE_SUMMARY];
    summary->swaps++;
    policy_arrived(&summary->policy);
}

k42_result cache_import_pages(struct k42_state *state, struct page_table *table,
                              struct cache_summary *summary) {
    cache_next_page *next = (cache_next_page *)state->word[CACHE_STATE_NEXT];
    struct cache_cursor *cursor = (struct cache_cursor *)state->word[CACHE_STATE_CURSOR];
    struct cache_page from;
    while (next(cursor, &from)) {
        struct page *page = page_table_add(table, from.number, from.bytes);
        if (!page)
            return -ENOSPC;
        page->holds = from.holds;
        page->uses = from.uses;
        page->accessed = from.accessed;
    }
    import_summary(state, summary);
    return 0;
}

struct page_table *cache_import_table(struct k42_state *state, struct cache_summary *summary) {
    import_summary(state, summary);
    return (struct page_table *)state->word[CACHE_STATE_TABLE];
}
