/*
 * What partitioning costs where a search that repeats itself does not show it: a CPU's first use of
 * a page, and operations on a page as a whole.
 *
 * One thread, on fresh caches that are otherwise quiet; the median of many.
 */
#include <errno.h>
#include <stdlib.h>
#include <x86intrin.h>

#include "experiment.h"

#define TRIALS 41

struct trial {
    struct subject subject;
    double cycles[COSTS];
};

/* One pass of a method over all pages, in cycles per page. */
static double pass(struct subject *subject, k42_result (*visit)(cache_ref, uint64_t)) {
    uint64_t began = __rdtsc();
    k42_enter();
    for (uint64_t number = 0; number < subject->pages; number++)
        subject->failures += visit(subject->cache, number) < 0;
    k42_exit();
    return (double)(__rdtsc() - began) / (double)subject->pages;
}

static k42_result hold_and_release(cache_ref cache, uint64_t number) {
    const void *bytes;
    k42_result result = k42_call(cache, hold, number, &bytes);
    return result < 0 ? result : k42_call(cache, release, number);
}

static k42_result invalidate(cache_ref cache, uint64_t number) {
    return k42_call(cache, invalidate, number);
}

/* Lets so many CPUs use every page. */
static k42_result show(struct subject *subject, unsigned cpus) {
    struct crew_plan plan = {
        .cache = subject->cache,
        .pages = subject->pages,
        .threads = cpus,
        .searches = 1,
    };
    struct crew_result result;
    struct crew *crew = crew_start(&plan);
    if (!crew)
        return -errno;
    crew_measure(crew);
    subject_finish(subject, crew, &result);
    return 0;
}

static k42_result try_alone(struct trial *trial) {
    trial->cycles[COST_FIRST_HOLD] = pass(&trial->subject, hold_and_release);
    trial->cycles[COST_LATER_HOLD] = pass(&trial->subject, hold_and_release);
    trial->cycles[COST_INVALIDATE] = pass(&trial->subject, invalidate);
    return 0;
}

static k42_result try_shown(struct trial *trial) {
    k42_result result = show(&trial->subject, COST_CPUS);
    if (result >= 0)
        trial->cycles[COST_INVALIDATE_SHOWN] = pass(&trial->subject, invalidate);
    return result;
}

/* Runs one experiment with a cache of its own. */
static k42_result with_cache(enum mode mode, uint64_t pages, struct trial *trial,
                             k42_result (*experiment)(struct trial *), struct costs *costs) {
    k42_result result = subject_open(&trial->subject, mode, pages, NULL);
    if (result < 0)
        return result;
    result = experiment(trial);
    costs->failures += trial->subject.failures;
    subject_close(&trial->subject);
    return result;
}

static int by_size(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static double median_of(const struct trial *trials, enum cost cost) {
    double sorted[TRIALS];
    for (unsigned i = 0; i < TRIALS; i++)
        sorted[i] = trials[i].cycles[cost];
    qsort(sorted, TRIALS, sizeof(*sorted), by_size);
    return sorted[TRIALS / 2];
}

k42_result costs_run(struct costs *costs, uint64_t pages) {
    static struct trial trials[2][TRIALS];
    *costs = (struct costs){0};
    for (unsigned i = 0; i < 2 * TRIALS; i++) {
        struct trial *trial = &trials[i % 2][i / 2];
        k42_result result = with_cache(i % 2, pages, trial, try_alone, costs);
        if (result >= 0)
            result = with_cache(i % 2, pages, trial, try_shown, costs);
        if (result < 0)
            return result;
    }
    for (unsigned cost = 0; cost < COSTS; cost++) {
        costs->cycles[cost][MODE_SHARED] = median_of(trials[MODE_SHARED], cost);
        costs->cycles[cost][MODE_PARTITIONED] = median_of(trials[MODE_PARTITIONED], cost);
    }
    return 0;
}
