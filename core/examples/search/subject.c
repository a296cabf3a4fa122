/*
 * The cache under experiment: made, filled, checked, destroyed. The main thread's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "experiment.h"
#include "file.h"

const char *const mode_names[MODES] = {"shared", "partitioned", "adaptive"};

/* Adaptive starts shared, the default for a file that has just been opened. */
static const char *traits_of(enum mode mode) {
    return mode == MODE_PARTITIONED ? "sharing=high" : "sharing=low";
}

static k42_result fill_all(cache_ref cache, uint64_t pages) {
    k42_result result = 0;
    k42_enter();
    for (uint64_t number = 0; number < pages && result >= 0; number++) {
        char bytes[CACHE_PAGE_SIZE];
        file_page(number, bytes);
        result = k42_call(cache, fill, number, bytes, sizeof(bytes));
    }
    k42_exit();
    return result;
}

k42_result subject_open(struct subject *subject, enum mode mode, uint64_t pages,
                        struct swap_log *log) {
    struct cache_options options = {
        .capacity = pages,
        .adaptive = mode == MODE_ADAPTIVE,
        .swapped = swap_log_record,
        .context = log,
    };
    struct k42_class *class_;
    k42_ref ref;
    k42_result result = k42_select(&cache_interface, traits_of(mode), &class_);
    if (result >= 0)
        result = k42_create(class_, &options, &ref);
    if (result < 0) {
        fprintf(stderr, "search: no %s cache of %" PRIu64 " pages: %s\n", mode_names[mode], pages,
                k42_error_name(result));
        return result;
    }
    *subject = (struct subject){.cache = (cache_ref)ref, .pages = pages};
    result = fill_all(subject->cache, pages);
    if (result < 0) {
        fprintf(stderr, "search: filling the cache failed: %s\n", k42_error_name(result));
        subject_close(subject);
    }
    return result;
}

void subject_finish(struct subject *subject, struct crew *crew, struct crew_result *result) {
    crew_finish(crew, result);
    subject->holds += result->holds;
    subject->failures += result->failures;
    if (result->failures)
        fprintf(stderr, "search: %" PRIu64 " calls failed or searches found something else\n",
                result->failures);
}

/* The checksum over all pages as the cache has them; a page that is missing changes it. */
static uint64_t checksum_cached(const struct subject *subject) {
    uint64_t checksum = 0;
    k42_enter();
    for (uint64_t number = 0; number < subject->pages; number++) {
        char bytes[CACHE_PAGE_SIZE];
        k42_result got = k42_call(subject->cache, read, number, 0, bytes, sizeof(bytes));
        if (got == CACHE_PAGE_SIZE)
            checksum = file_checksum(checksum, number, bytes);
    }
    k42_exit();
    return checksum;
}

static void check_equal(struct subject *subject, const char *what, uint64_t is, uint64_t should) {
    if (is == should)
        return;
    fprintf(stderr, "search: %s: %" PRIu64 ", should be %" PRIu64 "\n", what, is, should);
    subject->failures++;
}

uint64_t subject_check(struct subject *subject, struct cache_stats *stats) {
    memset(stats, 0, sizeof(*stats));
    k42_enter();
    k42_result result = k42_call(subject->cache, stats, stats);
    k42_exit();
    check_equal(subject, "error of stats", (uint64_t)-result, 0);
    check_equal(subject, "pages in the cache", stats->cached, subject->pages);
    check_equal(subject, "holds that the cache counted", stats->holds, subject->holds);
    check_equal(subject, "pages still held", stats->held, 0);
    check_equal(subject, "checksum of all pages", checksum_cached(subject),
                file_checksum_all(subject->pages));
    return subject->failures;
}

void subject_class(const struct subject *subject, char name[48]) {
    struct k42_object_info info = {0};
    if (k42_inspect((k42_ref)subject->cache, &info) < 0)
        snprintf(info.class_name, sizeof(info.class_name), "(dead)");
    memcpy(name, info.class_name, sizeof(info.class_name));
}

int subject_await_class(const struct subject *subject, const char *name, double seconds) {
    const struct timespec pause = {.tv_nsec = 2000000};
    for (double waited = 0;; waited += 0.002) {
        char now[48];
        subject_class(subject, now);
        if (!strcmp(now, name))
            return 1;
        if (waited >= seconds)
            return 0;
        nanosleep(&pause, NULL);
    }
}

void subject_close(struct subject *subject) {
    if (k42_destroy((k42_ref)subject->cache) < 0)
        fprintf(stderr, "search: the cache was gone already\n");
}
