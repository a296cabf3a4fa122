/*
 * The sweep: every mode with every number of threads, in rounds.
 *
 * Rounds are interleaved, so that whatever else the machine does hits all modes alike; the median
 * of the rounds counts. A cache lives through all rounds of its mode and number of threads, and
 * before the first one the adaptive ones get time to find their class.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "experiment.h"

#define WARM_MS          10
#define ROUND_MS         60
#define LONGEST_ROUND_MS 8000
#define MOST_ROUNDS      101

/* One cell at work. */
struct cell {
    struct subject subject;
    unsigned threads;
    double cycles[MOST_ROUNDS];
};

static void sleep_ms(long ms) {
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
}

static k42_result measure_for(struct cell *cell, long ms, struct crew_result *result) {
    struct crew_plan plan = {
        .cache = cell->subject.cache,
        .pages = cell->subject.pages,
        .threads = cell->threads,
    };
    struct crew *crew = crew_start(&plan);
    if (!crew)
        return -errno;
    sleep_ms(WARM_MS);
    crew_measure(crew);
    sleep_ms(ms);
    subject_finish(&cell->subject, crew, result);
    return 0;
}

/* One round; longer than usual if no thread came to run in that time. */
static k42_result measure(struct cell *cell, unsigned round, struct sweep *sweep) {
    for (long ms = ROUND_MS; ms <= LONGEST_ROUND_MS; ms *= 2) {
        struct crew_result result;
        k42_result error = measure_for(cell, ms, &result);
        if (error < 0)
            return error;
        cell->cycles[round] = result.cycles;
        sweep->searches += result.searches;
        if (result.searches)
            return 0;
    }
    return -ETIMEDOUT;
}

/* Lets an adaptive cache find its class: the partitioned one, unless the thread is alone. */
static k42_result settle(struct cell *cell) {
    struct crew_plan plan = {
        .cache = cell->subject.cache,
        .pages = cell->subject.pages,
        .threads = cell->threads,
    };
    struct crew_result result;
    struct crew *crew = crew_start(&plan);
    if (!crew)
        return -errno;
    if (cell->threads > 1)
        subject_await_class(&cell->subject, "cache.partitioned", 2);
    else
        sleep_ms(ROUND_MS);
    subject_finish(&cell->subject, crew, &result);
    return 0;
}

static int by_size(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

static struct sweep_cell summarise(struct cell *cell, unsigned rounds) {
    qsort(cell->cycles, rounds, sizeof(*cell->cycles), by_size);
    return (struct sweep_cell){
        .lower = cell->cycles[rounds / 4],
        .median = cell->cycles[rounds / 2],
        .upper = cell->cycles[rounds - 1 - rounds / 4],
    };
}

static k42_result run_rounds(struct cell *cells, struct sweep *sweep, unsigned rounds) {
    for (unsigned i = 0; i < sweep->points * MODES; i++) {
        k42_result result = i % MODES == MODE_ADAPTIVE ? settle(&cells[i]) : 0;
        if (result < 0)
            return result;
    }
    for (unsigned round = 0; round < rounds; round++) {
        for (unsigned i = 0; i < sweep->points * MODES; i++) {
            k42_result result = measure(&cells[i], round, sweep);
            if (result < 0)
                return result;
        }
    }
    return 0;
}

static void set_points(struct sweep *sweep, unsigned most) {
    for (unsigned threads = 1; threads <= most && sweep->points < SWEEP_POINTS; threads *= 2)
        sweep->threads[sweep->points++] = threads;
}

k42_result sweep_run(struct sweep *sweep, const struct settings *settings, struct swap_log *log) {
    unsigned rounds = settings->rounds < MOST_ROUNDS ? settings->rounds : MOST_ROUNDS;
    *sweep = (struct sweep){0};
    set_points(sweep, settings->threads);
    unsigned count = sweep->points * MODES, opened = 0;
    struct cell *cells = calloc(count, sizeof(*cells));
    if (!cells)
        return -ENOMEM;
    k42_result result = 0;
    for (; opened < count && result >= 0; opened++) {
        cells[opened].threads = sweep->threads[opened / MODES];
        result = subject_open(&cells[opened].subject, opened % MODES, settings->pages, log);
        if (result < 0)
            break;
    }
    if (result >= 0)
        result = run_rounds(cells, sweep, rounds);
    for (unsigned i = 0; i < opened; i++) {
        struct cache_stats stats;
        sweep->failures += subject_check(&cells[i].subject, &stats);
        subject_close(&cells[i].subject);
        if (result >= 0)
            sweep->cells[i / MODES][i % MODES] = summarise(&cells[i], rounds);
    }
    free(cells);
    return result;
}
