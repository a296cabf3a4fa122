/*
 * Cache, partitioned: one representative per CPU over a common table, for files that many CPUs
 * read at once.
 *
 * The common table owns the pages. Each CPU has descriptors of its own for the pages it has used,
 * with its own holds, uses and accessed bits, behind its own lock: once a CPU has met a page, holds
 * and releases touch no memory that another CPU writes. The price is paid elsewhere: 48 bytes per
 * CPU and page, a second look-up at a CPU's first use of a page, and a visit to every CPU for
 * whatever is about a page as a whole (eviction, invalidation, statistics). Replacement is a clock
 * over the accessed bits, because an order of use would be shared again. *
 * Locking: `lock` of the whole, then `lock` of one part. A descriptor points at a page only as long
 * as the page is in the table: it is made under both locks, and withdrawn under both before the
 * page goes.
 * Formats: exports and imports cache_pages (canonical) and cache_table (by pointer).
 * Fails:   -ENOMEM from creation. A CPU without memory for descriptors uses the common table.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cache_part.h"

struct cache_partitioned {
    struct k42_clustered_root root;
    struct k42_lock lock;
    struct page_table *table;     /* NULL once it has been handed over */
    struct cache_summary summary; /* what no part has counted */
    struct cache_cursor cursor;
};

static void lock_whole(struct cache_partitioned *whole) {
    whole->summary.counts.contended += (uint64_t)k42_lock(&whole->lock);
}

/* ---- a page as a whole, under the lock of the whole ---- */

static void withdraw_from_part(void *rep, unsigned first_cpu, void *context) {
    (void)first_cpu;
    struct cache_part *part = rep;
    lock_part(part);
    part_withdraw(part, context);
    k42_unlock(&part->lock);
}

/*
 * Takes a page away from all CPUs. Nobody gets it back before the lock of the whole is free, since
 * a CPU that misses asks there; so page->holds is all there is, until then.
 */
static void withdraw(struct cache_partitioned *whole, struct page *page) {
    k42_each_rep(&whole->root, withdraw_from_part, page);
}

/*
 * Makes a page leave that nobody holds, preferably one not accessed since this hand of the clock
 * last passed it. Two turns: the first may do no more than clear all accessed bits.
 */
static int evict_one(struct cache_partitioned *whole) {
    for (size_t i = 0; i < 2 * whole->table->capacity; i++) {
        struct page *page = page_table_oldest(whole->table);
        withdraw(whole, page);
        if (!page->holds && !page->accessed) {
            page_table_remove(whole->table, page);
            whole->summary.counts.evictions++;
            return 1;
        }
        page->accessed = 0;
        page_table_touch(whole->table, page);
    }
    return 0;
}

/* ---- methods ---- */

static k42_result partitioned_fill(struct cache *self, uint64_t number, const void *bytes,
                                   size_t size) {
    struct cache_partitioned *whole = part_of(self)->whole;
    if (size != CACHE_PAGE_SIZE)
        return -EINVAL;
    k42_result result = 0;
    lock_whole(whole);
    if (page_table_find(whole->table, number)) {
        result = -EEXIST;
    } else if (whole->table->count == whole->table->capacity && !evict_one(whole)) {
        result = -ENOSPC;
    } else {
        page_table_add(whole->table, number, bytes);
        whole->summary.counts.fills++;
    }
    k42_unlock(&whole->lock);
    return result;
}

/* A window of this CPU's is over: asks the policy, which is the whole's, and acts on its advice. */
static void end_window(struct cache_part *part) {
    struct cache_partitioned *whole = part->whole;
    if (!whole->summary.options.adaptive)
        return;
    lock_whole(whole);
    enum policy_advice advice = policy_partitioned_window(&whole->summary.policy, part->cpu);
    k42_unlock(&whole->lock);
    policy_act(advice, &whole->root.root, &whole->summary.options);
}

/* A CPU's first use of a page, or use without descriptors: the way through the common table. */
static k42_result hold_from_whole(struct cache_part *part, uint64_t number, const void **bytes) {
    struct cache_partitioned *whole = part->whole;
    if (!__atomic_load_n(&part->buckets, __ATOMIC_RELAXED))
        part_make_room(part, whole->table->capacity);
    lock_whole(whole);
    struct page *page = page_table_find(whole->table, number);
    if (!page) {
        whole->summary.counts.misses++;
        k42_unlock(&whole->lock);
        return -ENOENT;
    }
    lock_part(part);
    struct descriptor *descriptor = part_find(part, number);
    if (!descriptor && part->buckets)
        descriptor = part_add(part, page);
    if (descriptor) {
        descriptor->holds++;
        descriptor->uses++;
        descriptor->accessed = 1;
    } else {
        page->holds++;
        page->uses++;
        page->accessed = 1;
    }
    part->counts.holds++;
    k42_unlock(&part->lock);
    *bytes = page->bytes;
    k42_unlock(&whole->lock);
    return 0;
}

static k42_result partitioned_hold(struct cache *self, uint64_t number, const void **bytes) {
    struct cache_part *part = part_of(self);
    lock_part(part);
    struct descriptor *descriptor = part_find(part, number);
    if (__builtin_expect(!descriptor, 0)) {
        k42_unlock(&part->lock);
        return hold_from_whole(part, number, bytes);
    }
    descriptor->holds++;
    descriptor->uses++;
    descriptor->accessed = 1;
    *bytes = descriptor->page->bytes;
    int window_over = ++part->counts.holds >= part->next_window;
    if (__builtin_expect(window_over, 0))
        part->next_window = part->counts.holds + POLICY_WINDOW;
    k42_unlock(&part->lock);
    if (__builtin_expect(window_over, 0))
        end_window(part);
    return 0;
}

static k42_result release_at_whole(struct cache_partitioned *whole, uint64_t number) {
    lock_whole(whole);
    struct page *page = page_table_find(whole->table, number);
    if (page) {
        page->holds--;
        whole->summary.counts.releases++;
    }
    k42_unlock(&whole->lock);
    return page ? 0 : -ENOENT;
}

static k42_result partitioned_release(struct cache *self, uint64_t number) {
    struct cache_part *part = part_of(self);
    lock_part(part);
    struct descriptor *descriptor = part_find(part, number);
    if (descriptor) {
        descriptor->holds--;
        part->counts.releases++;
    }
    k42_unlock(&part->lock);
    return descriptor ? 0 : release_at_whole(part->whole, number);
}

static k42_result partitioned_read(struct cache *self, uint64_t number, size_t offset, void *bytes,
                                   size_t size) {
    struct cache_partitioned *whole = part_of(self)->whole;
    if (offset > CACHE_PAGE_SIZE)
        return -EINVAL;
    if (size > CACHE_PAGE_SIZE - offset)
        size = CACHE_PAGE_SIZE - offset;
    lock_whole(whole);
    struct page *page = page_table_find(whole->table, number);
    if (page)
        memcpy(bytes, (const char *)page->bytes + offset, size);
    else
        whole->summary.counts.misses++;
    k42_unlock(&whole->lock);
    return page ? (k42_result)size : -ENOENT;
}

static k42_result partitioned_invalidate(struct cache *self, uint64_t number) {
    struct cache_partitioned *whole = part_of(self)->whole;
    k42_result result = 0;
    lock_whole(whole);
    struct page *page = page_table_find(whole->table, number);
    if (!page) {
        result = -ENOENT;
    } else {
        withdraw(whole, page);
        if (page->holds) {
            result = -EBUSY;
        } else {
            page_table_remove(whole->table, page);
            whole->summary.counts.invalidations++;
        }
    }
    k42_unlock(&whole->lock);
    return result;
}

static void gather_counts(void *rep, unsigned first_cpu, void *context) {
    (void)first_cpu;
    struct cache_part *part = rep;
    lock_part(part);
    struct cache_counts counts = part->counts;
    k42_unlock(&part->lock);
    cache_counts_move(context, &counts);
}

static k42_result partitioned_stats(struct cache *self, struct cache_stats *stats) {
    struct cache_partitioned *whole = part_of(self)->whole;
    lock_whole(whole);
    struct cache_summary summary = whole->summary;
    k42_each_rep(&whole->root, gather_counts, &summary.counts);
    cache_stats_from(stats, &summary, whole->table);
    k42_unlock(&whole->lock);
    return 0;
}

static void count_part(void *rep, unsigned first_cpu, void *context) {
    (void)rep, (void)first_cpu;
    ++*(unsigned *)context;
}

static k42_result partitioned_describe(struct k42_object *self, char *text, size_t size) {
    struct cache_stats stats;
    unsigned parts = 0;
    k42_result result = partitioned_stats((struct cache *)self, &stats);
    if (result < 0)
        return result;
    k42_each_rep(&part_of((struct cache *)self)->whole->root, count_part, &parts);
    return snprintf(text, size, "%" PRIu64 " pages seen by %u CPUs, %" PRIu64 " holds",
                    stats.cached, parts, stats.holds);
}

static const struct cache_ops cache_partitioned_ops = {
    .object.describe = partitioned_describe,
    .fill = partitioned_fill,
    .hold = partitioned_hold,
    .release = partitioned_release,
    .read = partitioned_read,
    .invalidate = partitioned_invalidate,
    .stats = partitioned_stats,
};

/* ---- life and state ---- */

static struct cache_partitioned *cache_of(struct k42_root *root) {
    return (struct cache_partitioned *)root;
}

static k42_result partitioned_init(struct k42_root *root, const void *args) {
    struct cache_partitioned *whole = cache_of(root);
    if (!args)
        return 0; /* the import brings everything */
    whole->summary.options = *(const struct cache_options *)args;
    whole->table = page_table_open(whole->summary.options.capacity);
    return whole->table ? 0 : -ENOMEM;
}

static k42_result partitioned_init_rep(struct k42_root *root, void *rep, unsigned cpu) {
    struct cache_part *part = rep;
    part->whole = cache_of(root);
    part->cpu = cpu;
    part->next_window = POLICY_WINDOW;
    return 0;
}

static void partitioned_fini_rep(struct k42_root *root, void *rep, unsigned cpu) {
    (void)root, (void)cpu;
    part_close(rep);
}

static void partitioned_fini(struct k42_root *root) {
    page_table_close(cache_of(root)->table);
}

static size_t partitioned_measure(struct k42_root *from) {
    return cache_of(from)->table->capacity;
}

static k42_result partitioned_prepare_pages(struct k42_root *to, struct k42_state *state) {
    page_table_close(cache_of(to)->table);
    cache_of(to)->table = page_table_open(state->measured);
    return cache_of(to)->table ? 0 : -ENOMEM;
}

static void fold_part(void *rep, unsigned first_cpu, void *context) {
    (void)first_cpu;
    struct cache_partitioned *whole = context;
    part_fold(rep, whole->table->capacity, &whole->summary.counts);
}

/* Makes the accessed bits an order of use, which other classes go by. */
static void order_by_access(struct page_table *table) {
    struct page *page = page_table_oldest(table);
    for (size_t left = table->count; left; left--) {
        struct page *next = page_table_newer(table, page);
        if (page->accessed)
            page_table_touch(table, page);
        page = next;
    }
}

/*
 * Moves everything that the parts know to the whole. No call is in the object, so no lock is
 * needed; and no sum changes, so the object can go on as it is if the swap fails.
 */
static void fold(struct cache_partitioned *whole) {
    k42_each_rep(&whole->root, fold_part, whole);
    order_by_access(whole->table);
}

static k42_result partitioned_export_pages(struct k42_root *from, struct k42_state *state,
                                           unsigned part) {
    (void)part;
    struct cache_partitioned *whole = cache_of(from);
    fold(whole);
    cache_export_pages(state, whole->table, &whole->cursor, &whole->summary);
    return 0;
}

static k42_result partitioned_import_pages(struct k42_root *to, struct k42_state *state,
                                           unsigned part) {
    (void)part;
    return cache_import_pages(state, cache_of(to)->table, &cache_of(to)->summary);
}

static k42_result partitioned_export_table(struct k42_root *from, struct k42_state *state,
                                           unsigned part) {
    (void)part;
    struct cache_partitioned *whole = cache_of(from);
    fold(whole);
    cache_export_table(state, whole->table, &whole->summary);
    return 0;
}

static k42_result partitioned_import_table(struct k42_root *to, struct k42_state *state,
                                           unsigned part) {
    (void)part;
    cache_of(to)->table = cache_import_table(state, &cache_of(to)->summary);
    return 0;
}

static void partitioned_table_handed_over(struct k42_root *from, struct k42_state *state) {
    (void)state;
    cache_of(from)->table = NULL;
}

static const struct k42_transfer cache_partitioned_transfers[] = {
    {
        .format = &cache_pages,
        .measure = partitioned_measure,
        .prepare = partitioned_prepare_pages,
        .export_state = partitioned_export_pages,
        .import_state = partitioned_import_pages,
    },
    {
        .format = &cache_table,
        .measure = partitioned_measure,
        .export_state = partitioned_export_table,
        .import_state = partitioned_import_table,
        .handed_over = partitioned_table_handed_over,
    },
    {0},
};

K42_CLASS(cache_partitioned) = {
    .name = "cache.partitioned",
    .interface = &cache_interface,
    .version = 1,
    .traits = "sharing=high",
    .kind = &k42_clustered,
    .root_size = sizeof(struct cache_partitioned),
    .rep_size = sizeof(struct cache_part),
    .ops = &cache_partitioned_ops,
    .init = partitioned_init,
    .init_rep = partitioned_init_rep,
    .fini_rep = partitioned_fini_rep,
    .fini = partitioned_fini,
    .transfers = cache_partitioned_transfers,
};
