/*
 * The pages of one file, kept in memory for many threads at once.
 *
 * A client holds a page, reads it in place, and releases it. Which pages stay when the cache is
 * full, and how the work is spread over CPUs, is the class's own affair:
 *
 *     cache.shared        one table, one lock                           (cache_shared.c)
 *     cache.partitioned   one representative per CPU over a common table (cache_partitioned.c)
 *
 * A page's bytes never change while it is cached. All methods may be called by any number of
 * threads; none waits for anything but an object's own short lock.
 *
 * State that passes in a swap: every page with its bytes, its holds, and how it was used; all
 * counters; the options; what the policy has learnt.
 */
#ifndef SEARCH_CACHE_H
#define SEARCH_CACHE_H

#include <k42/class.h>

#define cache_INTERFACE_VERSION 1

/*
 * Small, so that finding a page costs about as much as searching it: the share of the two decides
 * how soon a lock around the first one hurts.
 */
#define CACHE_PAGE_SIZE 512

struct cache;

/* Counters, since the object was created, whatever classes it has been of since. */
struct cache_stats {
    uint64_t cached;        /* pages in the cache now */
    uint64_t held;          /* holds not released yet */
    uint64_t holds;         /* holds granted */
    uint64_t misses;        /* holds and reads of pages that were not there */
    uint64_t fills;         /* pages put in */
    uint64_t evictions;     /* pages that made room for others */
    uint64_t invalidations; /* pages taken out by request */
    uint64_t contended;     /* lock acquisitions that found the lock taken */
    uint64_t swaps;         /* times that the state has passed to another object */
};

struct cache_ops {
    struct k42_object_ops object;

    /*
     * Puts page `number` into the cache; `size` is CACHE_PAGE_SIZE. A page that nobody holds may
     * have to go. Errors: -EINVAL (size), -EEXIST (cached already), -ENOSPC (full, all held).
     */
    K42_METHOD(fill)
    (struct cache *self, uint64_t number, K42_IN K42_BUF(size, CACHE_PAGE_SIZE) const void *bytes,
     size_t size);

    /*
     * Keeps page `number` in the cache until release, and gives its bytes, which may be read until
     * then or until the caller leaves its generation (k42_exit, k42_safe_point), whichever is
     * first. Holds add up. Errors: -ENOENT (not cached: fill it).
     */
    K42_METHOD(hold)(struct cache *self, uint64_t number, K42_LOCAL const void **bytes);

    /*
     * Ends one hold of page `number`; any thread may, whoever began it. Errors: -ENOENT (not
     * cached, so it was not held).
     */
    K42_METHOD(release)(struct cache *self, uint64_t number);

    /*
     * Copies at most `size` bytes from `offset` of page `number`; returns how many. Does not count
     * as use. Errors: -ENOENT (not cached), -EINVAL (offset beyond the page).
     */
    K42_METHOD(read)
    (struct cache *self, uint64_t number, size_t offset,
     K42_OUT K42_BUF(size, CACHE_PAGE_SIZE) void *bytes, size_t size);

    /* Takes page `number` out. Errors: -ENOENT (not cached), -EBUSY (held). */
    K42_METHOD(invalidate)(struct cache *self, uint64_t number);

    /* Adds everything up, exactly when nobody else is calling, else roughly. Cannot fail. */
    K42_METHOD(stats)(struct cache *self, K42_OUT struct cache_stats *stats);
};

struct cache {
    const struct cache_ops *ops;
};
K42_DECLARE_REF(cache);

extern const struct k42_interface cache_interface;

/* What k42_create() takes for every class of this interface. */
struct cache_options {
    size_t capacity; /* pages; at least 1 */
    int adaptive;    /* swap itself when another class would serve better */
    /* Told of each swap that the object asked for, when it is over; on the runtime's worker. */
    void (*swapped)(const struct k42_swap_report *report, const char *class_name, void *context);
    void *context;
};

#endif
