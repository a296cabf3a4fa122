/*
 * One run: so many threads, one cache, for a time or a number of searches; and the sweep on its
 * own.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "experiment.h"

static void print_run(const struct settings *settings, const struct crew_result *result,
                      const struct subject *subject, struct cache_stats *stats) {
    char class_name[48];
    subject_class(subject, class_name);
    printf("%" PRIu64 " searches of %" PRIu64 " pages of %d bytes by %u threads in %.2f s, %s\n",
           result->searches, settings->pages, CACHE_PAGE_SIZE, settings->threads, result->seconds,
           mode_names[settings->mode]);
    printf("%.0f cycles per search (%.0f of processor time)\n", result->cycles, result->cpu_cycles);
    printf("%" PRIu64 " of %" PRIu64 " holds and releases found a lock taken; %" PRIu64
           " swaps; the cache is of class %s now\n",
           stats->contended, 2 * stats->holds, stats->swaps, class_name);
}

static void print_run_json(const struct settings *settings, const struct crew_result *result) {
    printf("{\"bench\":\"search\",\"name\":\"%s\",\"cpus\":%u,\"value\":%.0f,"
           "\"unit\":\"cycles/search\",\"peer\":null,\"peer_value\":null,\"ratio\":null}\n",
           mode_names[settings->mode], settings->threads, result->cycles);
}

static k42_result run_crew(struct subject *subject, const struct settings *settings,
                           struct crew_result *result) {
    struct crew_plan plan = {
        .cache = subject->cache,
        .pages = settings->pages,
        .threads = settings->threads,
        .searches = settings->searches,
    };
    struct crew *crew = crew_start(&plan);
    if (!crew)
        return -errno;
    crew_measure(crew);
    if (!settings->searches) {
        struct timespec pause = {.tv_sec = (time_t)settings->seconds};
        pause.tv_nsec = (long)((settings->seconds - (double)pause.tv_sec) * 1e9);
        nanosleep(&pause, NULL);
    }
    subject_finish(subject, crew, result);
    return 0;
}

int run_once(const struct settings *settings) {
    struct swap_log log;
    struct subject subject;
    struct crew_result finished;
    struct cache_stats stats;
    swap_log_begin(&log);
    if (subject_open(&subject, settings->mode, settings->pages, &log) < 0)
        return 1;
    k42_result result = run_crew(&subject, settings, &finished);
    if (result < 0) {
        fprintf(stderr, "search: cannot start %u threads: %s\n", settings->threads,
                k42_error_name(result));
        subject_close(&subject);
        return 1;
    }
    uint64_t failures = subject_check(&subject, &stats);
    if (settings->json) {
        print_run_json(settings, &finished);
    } else {
        print_run(settings, &finished, &subject, &stats);
        swap_log_print(&log, 0, SWAP_LOG_END);
        if (!failures)
            printf("checked: every page and every hold is accounted for\n");
    }
    subject_close(&subject);
    return failures != 0;
}

int sweep_and_report(const struct settings *settings, struct sweep *sweep) {
    struct swap_log log;
    swap_log_begin(&log);
    k42_result result = sweep_run(sweep, settings, &log);
    if (result < 0) {
        fprintf(stderr, "search: the sweep failed: %s\n", k42_error_name(result));
        return -1;
    }
    if (settings->json) {
        report_sweep_json(sweep);
        return 0;
    }
    printf("%" PRIu64 " searches of %" PRIu64 " pages of %d bytes\n", sweep->searches,
           settings->pages, CACHE_PAGE_SIZE);
    report_sweep(sweep);
    printf("swaps of the adaptive caches:\n");
    swap_log_print(&log, 0, SWAP_LOG_END);
    return 0;
}

int run_sweep(const struct settings *settings) {
    struct sweep sweep;
    if (sweep_and_report(settings, &sweep) < 0)
        return 1;
    if (settings->picture && picture_draw(settings->picture, &sweep, NULL, NULL) < 0)
        return 1;
    return sweep.failures != 0;
}
