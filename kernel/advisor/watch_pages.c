/*
 * A hook on a PM that sees which pages come to it (pattern.h), and how much is read of the caches
 * that they belong to.
 *
 * The first few caches of which pages come are watched as any cache is (watch.c): what a policy is
 * worth is how many pages have to come for each that is read of them. A cache's number is put in
 * by whichever CPU is first; the rest of its record is the advisors' thread's. Owns its memory
 * until the runtime says that nobody is inside.
 */
#include "inside.h"

#include "../mem/frame/frame.h"

enum { CACHES = 8 };

struct cache_watch {
    k42_id id; /* 0: free */
    struct watch *watch;
    uint64_t filled; /* pages, when watching began, and later up to the last look that said much */
    uint64_t seen;   /* pages, at the last look */
};

struct pages_watch {
    struct k42_hook hook;
    struct cache_watch caches[CACHES];
    struct pattern_counts seen, before;
    struct pattern pattern;
};

#define METHOD_CAME (offsetof(struct pm_ops, came) / sizeof(void (*)(void)))

static void meet_cache(struct pages_watch *watch, k42_id id) {
    for (struct cache_watch *one = watch->caches; one < watch->caches + CACHES; one++) {
        k42_id there = __atomic_load_n(&one->id, __ATOMIC_RELAXED);
        if (!there && __atomic_compare_exchange_n(&one->id, &there, id, false, __ATOMIC_RELEASE,
                                                  __ATOMIC_RELAXED))
            return;
        if (there == id)
            return;
    }
}

static enum k42_verdict before(struct k42_hook *hook, struct k42_invocation *call) {
    struct pages_watch *watch = k42_container(hook, struct pages_watch, hook);
    if (call->method != METHOD_CAME)
        return K42_PROCEED;
    k42_id cache = k42_ref_id((k42_ref)call->args[0]);
    meet_cache(watch, cache);
    pattern_came(&watch->pattern, cache, call->args[1]);
    return K42_PROCEED;
}

static void gone(struct k42_hook *hook) {
    heap_free(k42_container(hook, struct pages_watch, hook));
}

k42_result pages_watch_begin(k42_id id, uint64_t frames, struct pages_watch **made) {
    struct pages_watch *watch = heap_allocate_zeroed(sizeof *watch);
    if (!watch)
        return -ENOMEM;
    watch->hook.before = before;
    pattern_begin(&watch->pattern, frames);
    k42_result result = k42_interpose(k42_id_ref(id), &watch->hook);
    if (result < 0)
        heap_free(watch);
    else
        *made = watch;
    return result;
}

void pages_watch_end(struct pages_watch *watch) {
    for (struct cache_watch *one = watch->caches; one < watch->caches + CACHES; one++)
        if (one->watch)
            watch_end(one->watch);
    if (k42_release_later(&watch->hook, gone) < 0)
        heap_free(watch);
}

/* ---- what was seen ---- */

/* Pages that began to be filled; false: the cache has gone. */
static bool filled_pages(k42_id id, uint64_t *pages) {
    struct fcm_counts counts;
    if (k42_call((fcm_ref)k42_id_ref(id), counts, &counts) < 0)
        return false;
    *pages = counts.misses + counts.ahead;
    return true;
}

/* Makes room for another one. */
static void forget(struct cache_watch *one) {
    if (one->watch)
        watch_end(one->watch);
    one->watch = NULL;
    __atomic_store_n(&one->id, 0, __ATOMIC_RELEASE);
}

/* One that cannot be watched now is tried again at the next look. */
static void look_at_cache(struct cache_watch *one, struct pages_watched *since) {
    struct watched reads, in_all;
    uint64_t filled;
    k42_id id = __atomic_load_n(&one->id, __ATOMIC_ACQUIRE);
    if (!id)
        return;
    if (!filled_pages(id, &filled)) {
        forget(one);
        return;
    }
    one->seen = filled;
    if (!one->watch) {
        one->filled = filled;
        (void)(watch_begin(id, &one->watch) < 0);
        return;
    }
    watch_read(one->watch, &reads, &in_all);
    since->filled += filled > one->filled ? filled - one->filled : 0;
    since->read += reads.bytes;
}

void pages_watch_read(struct pages_watch *watch, struct pages_watched *since) {
    const uint64_t *now = (const uint64_t *)&watch->pattern.counts;
    uint64_t *seen = (uint64_t *)&watch->seen, *to = (uint64_t *)&since->pattern;
    const uint64_t *last = (const uint64_t *)&watch->before;
    *since = (struct pages_watched){.frames = watch->pattern.frames};
    for (size_t i = 0; i < sizeof watch->seen / sizeof *seen; i++) {
        seen[i] = k42_load_relaxed(&now[i]);
        to[i] = seen[i] - last[i];
    }
    since->in_all = watch->seen;
    for (struct cache_watch *one = watch->caches; one < watch->caches + CACHES; one++)
        look_at_cache(one, since);
    since->read /= FRAME_BYTES;
}

void pages_watch_go_on(struct pages_watch *watch) {
    watch->before = watch->seen;
    for (struct cache_watch *one = watch->caches; one < watch->caches + CACHES; one++) {
        one->filled = one->seen;
        if (one->watch)
            watch_go_on(one->watch);
    }
}
