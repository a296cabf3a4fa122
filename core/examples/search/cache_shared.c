/*
 * Cache, shared: one table of pages and one lock, for files that few threads read at a time.
 *
 * Least memory, exact least-recently-used replacement, and the quickest while nobody else calls.
 * With several callers at once the lock's cache line, the ring's ends and the counters travel
 * between processors at every hold and release.
 *
 * Locking: `lock`, a leaf: nothing is called with it held.
 * Formats: exports and imports cache_pages (canonical) and cache_table (by pointer).
 * Fails:   -ENOMEM from creation; nothing is allocated later.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <k42/lock.h>

#include "cache_state.h"

struct cache_shared {
    struct k42_root root;
    struct cache rep;
    struct k42_lock lock;
    struct page_table *table;   /* NULL once it has been handed over */
    uint64_t windows_contended; /* counts.contended when the policy was last asked */
    uint64_t next_window;       /* the number of holds at which it is asked again */
    struct cache_summary summary;
    struct cache_cursor cursor;
};

static struct cache_shared *whole_of(struct cache *self) {
    return k42_container(self, struct cache_shared, rep);
}

static void lock_cache(struct cache_shared *cache) {
    /* Counting after the acquisition is safe and free: the counter belongs to whoever has it. */
    cache->summary.counts.contended += (uint64_t)k42_lock(&cache->lock);
}

/* Makes the oldest page that nobody holds leave; 0 when all are held. */
static int evict_oldest(struct cache_shared *cache) {
    struct page *page = page_table_oldest(cache->table);
    while (page && page->holds)
        page = page_table_newer(cache->table, page);
    if (!page)
        return 0;
    page_table_remove(cache->table, page);
    cache->summary.counts.evictions++;
    return 1;
}

static k42_result shared_fill(struct cache *self, uint64_t number, const void *bytes, size_t size) {
    struct cache_shared *cache = whole_of(self);
    if (size != CACHE_PAGE_SIZE)
        return -EINVAL;
    k42_result result = 0;
    lock_cache(cache);
    if (page_table_find(cache->table, number)) {
        result = -EEXIST;
    } else if (cache->table->count == cache->table->capacity && !evict_oldest(cache)) {
        result = -ENOSPC;
    } else {
        page_table_add(cache->table, number, bytes);
        cache->summary.counts.fills++;
    }
    k42_unlock(&cache->lock);
    return result;
}

/*
 * Under the lock: what the policy says when a window is over. A hold's window covers its release
 * too, so the lock was acquired twice per hold.
 */
static enum policy_advice end_window(struct cache_shared *cache) {
    struct cache_counts *counts = &cache->summary.counts;
    uint64_t contended = counts->contended - cache->windows_contended;
    cache->windows_contended = counts->contended;
    cache->next_window = counts->holds + POLICY_WINDOW;
    if (!cache->summary.options.adaptive)
        return POLICY_STAY;
    return policy_shared_window(&cache->summary.policy, 2 * POLICY_WINDOW, contended);
}

static k42_result shared_hold(struct cache *self, uint64_t number, const void **bytes) {
    struct cache_shared *cache = whole_of(self);
    enum policy_advice advice = POLICY_STAY;
    lock_cache(cache);
    struct page *page = page_table_find(cache->table, number);
    if (__builtin_expect(!page, 0)) {
        cache->summary.counts.misses++;
        k42_unlock(&cache->lock);
        return -ENOENT;
    }
    page->holds++;
    page->uses++;
    page->accessed = 1;
    page_table_touch(cache->table, page);
    *bytes = page->bytes;
    if (__builtin_expect(++cache->summary.counts.holds >= cache->next_window, 0))
        advice = end_window(cache);
    k42_unlock(&cache->lock);
    if (__builtin_expect(advice != POLICY_STAY, 0))
        policy_act(advice, &cache->root, &cache->summary.options);
    return 0;
}

static k42_result shared_release(struct cache *self, uint64_t number) {
    struct cache_shared *cache = whole_of(self);
    lock_cache(cache);
    struct page *page = page_table_find(cache->table, number);
    if (page) {
        page->holds--;
        cache->summary.counts.releases++;
    }
    k42_unlock(&cache->lock);
    return page ? 0 : -ENOENT;
}

static k42_result shared_read(struct cache *self, uint64_t number, size_t offset, void *bytes,
                              size_t size) {
    struct cache_shared *cache = whole_of(self);
    if (offset > CACHE_PAGE_SIZE)
        return -EINVAL;
    if (size > CACHE_PAGE_SIZE - offset)
        size = CACHE_PAGE_SIZE - offset;
    lock_cache(cache);
    struct page *page = page_table_find(cache->table, number);
    if (page)
        memcpy(bytes, (const char *)page->bytes + offset, size);
    else
        cache->summary.counts.misses++;
    k42_unlock(&cache->lock);
    return page ? (k42_result)size : -ENOENT;
}

static k42_result shared_invalidate(struct cache *self, uint64_t number) {
    struct cache_shared *cache = whole_of(self);
    k42_result result = 0;
    lock_cache(cache);
    struct page *page = page_table_find(cache->table, number);
    if (!page) {
        result = -ENOENT;
    } else if (page->holds) {
        result = -EBUSY;
    } else {
        page_table_remove(cache->table, page);
        cache->summary.counts.invalidations++;
    }
    k42_unlock(&cache->lock);
    return result;
}

static k42_result shared_stats(struct cache *self, struct cache_stats *stats) {
    struct cache_shared *cache = whole_of(self);
    lock_cache(cache);
    cache_stats_from(stats, &cache->summary, cache->table);
    k42_unlock(&cache->lock);
    return 0;
}

static k42_result shared_describe(struct k42_object *self, char *text, size_t size) {
    struct cache_stats stats;
    k42_result result = shared_stats((struct cache *)self, &stats);
    if (result < 0)
        return result;
    return snprintf(text, size, "%" PRIu64 " pages in one table, %" PRIu64 " holds", stats.cached,
                    stats.holds);
}

static const struct cache_ops cache_shared_ops = {
    .object.describe = shared_describe,
    .fill = shared_fill,
    .hold = shared_hold,
    .release = shared_release,
    .read = shared_read,
    .invalidate = shared_invalidate,
    .stats = shared_stats,
};

/* ---- life and state ---- */

static struct cache_shared *cache_of(struct k42_root *root) {
    return (struct cache_shared *)root;
}

static k42_result shared_init(struct k42_root *root, const void *args) {
    struct cache_shared *cache = cache_of(root);
    if (!args)
        return 0; /* the import brings everything */
    cache->summary.options = *(const struct cache_options *)args;
    cache->next_window = POLICY_WINDOW;
    cache->table = page_table_open(cache->summary.options.capacity);
    return cache->table ? 0 : -ENOMEM;
}

static void shared_fini(struct k42_root *root) {
    page_table_close(cache_of(root)->table);
}

static size_t shared_measure(struct k42_root *from) {
    return cache_of(from)->table->capacity;
}

static k42_result shared_prepare_pages(struct k42_root *to, struct k42_state *state) {
    page_table_close(cache_of(to)->table);
    cache_of(to)->table = page_table_open(state->measured);
    return cache_of(to)->table ? 0 : -ENOMEM;
}

static k42_result shared_export_pages(struct k42_root *from, struct k42_state *state,
                                      unsigned part) {
    (void)part;
    struct cache_shared *cache = cache_of(from);
    cache_export_pages(state, cache->table, &cache->cursor, &cache->summary);
    return 0;
}

/* The policy's windows begin anew with what has been counted so far. */
static void begin_windows(struct cache_shared *cache) {
    cache->windows_contended = cache->summary.counts.contended;
    cache->next_window = cache->summary.counts.holds + POLICY_WINDOW;
}

static k42_result shared_import_pages(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    struct cache_shared *cache = cache_of(to);
    k42_result result = cache_import_pages(state, cache->table, &cache->summary);
    begin_windows(cache);
    return result;
}

static k42_result shared_export_table(struct k42_root *from, struct k42_state *state,
                                      unsigned part) {
    (void)part;
    cache_export_table(state, cache_of(from)->table, &cache_of(from)->summary);
    return 0;
}

static k42_result shared_import_table(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)part;
    struct cache_shared *cache = cache_of(to);
    cache->table = cache_import_table(state, &cache->summary);
    begin_windows(cache);
    return 0;
}

static void shared_table_handed_over(struct k42_root *from, struct k42_state *state) {
    (void)state;
    cache_of(from)->table = NULL;
}

static const struct k42_transfer cache_shared_transfers[] = {
    {
        .format = &cache_pages,
        .measure = shared_measure,
        .prepare = shared_prepare_pages,
        .export_state = shared_export_pages,
        .import_state = shared_import_pages,
    },
    {
        .format = &cache_table,
        .measure = shared_measure,
        .export_state = shared_export_table,
        .import_state = shared_import_table,
        .handed_over = shared_table_handed_over,
    },
    {0},
};

K42_CLASS(cache_shared) = {
    .name = "cache.shared",
    .interface = &cache_interface,
    .version = 1,
    .traits = "sharing=low",
    .kind = &k42_single,
    .root_size = sizeof(struct cache_shared),
    .rep_offset = offsetof(struct cache_shared, rep),
    .ops = &cache_shared_ops,
    .init = shared_init,
    .fini = shared_fini,
    .transfers = cache_shared_transfers,
};
