/*
 * The experiments: one run, the sweep over numbers of threads, the load that rises and falls; and
 * the ways of showing their results.
 *
 * All of them run on the main thread, attached and inactive, and check what they have used: after
 * each, every page must read as the file does, and the cache must have counted exactly the holds
 * that the threads have made. A swap that lost or doubled a call or a page would show.
 */
#ifndef SEARCH_EXPERIMENT_H
#define SEARCH_EXPERIMENT_H

#include <stdio.h>

#include "cache.h"
#include "crew.h"
#include "swap_log.h"

enum mode {
    MODE_SHARED,
    MODE_PARTITIONED,
    MODE_ADAPTIVE,
    MODES,
};
extern const char *const mode_names[MODES];

struct settings {
    enum mode mode;
    unsigned threads;
    uint64_t pages;
    double seconds;
    uint64_t searches; /* per thread; 0: for `seconds` */
    unsigned rounds;   /* of the sweep */
    int json;
    const char *picture; /* NULL: none, or the demonstration's own */
};

/* ---- the cache under experiment (subject.c) ---- */

struct subject {
    cache_ref cache;
    uint64_t pages;
    uint64_t holds; /* that all crews have made */
    uint64_t failures;
};

/* Makes a cache of the mode's class and fills it; swaps it asks for go to `log`. 0 or an error. */
k42_result subject_open(struct subject *subject, enum mode mode, uint64_t pages,
                        struct swap_log *log);

/* Lets a crew end, and takes its holds and failures to the account. */
void subject_finish(struct subject *subject, struct crew *crew, struct crew_result *result);

/* Checks pages and counters. Returns how many failures there were in all; says which. */
uint64_t subject_check(struct subject *subject, struct cache_stats *stats);

/* The name of the class that the cache is of now. */
void subject_class(const struct subject *subject, char name[48]);

/* Waits until the class has this name; 0 when it has not after `seconds`. */
int subject_await_class(const struct subject *subject, const char *name, double seconds);

void subject_close(struct subject *subject);

/* ---- sweep.c ---- */

#define SWEEP_POINTS 10

/* The figures of one mode with one number of threads. */
struct sweep_cell {
    double median, lower, upper; /* cycles per search; quartiles of the rounds */
};

struct sweep {
    unsigned points;
    unsigned threads[SWEEP_POINTS];
    struct sweep_cell cells[SWEEP_POINTS][MODES];
    uint64_t searches, failures;
};

/* Measures all modes with 1, 2, 4 ... settings->threads threads, in interleaved rounds. */
k42_result sweep_run(struct sweep *sweep, const struct settings *settings, struct swap_log *log);

/* ---- costs.c: what a search by one thread does not show ---- */

enum cost {
    COST_FIRST_HOLD, /* of a page by a CPU */
    COST_LATER_HOLD,
    COST_INVALIDATE,       /* a page that one CPU has used */
    COST_INVALIDATE_SHOWN, /* a page that COST_CPUS have used */
    COSTS,
};
#define COST_CPUS 4

struct costs {
    double cycles[COSTS][2]; /* per page; shared, partitioned */
    uint64_t failures;
};

/* Measures them; 0 or an error. */
k42_result costs_run(struct costs *costs, uint64_t pages);

/* ---- load.c: the load that rises and falls ---- */

#define LOAD_SAMPLES 1024

struct load_sample {
    double at_seconds;
    double searches_per_ms;
};

struct load {
    unsigned samples;
    struct load_sample sample[LOAD_SAMPLES];
    double rise_seconds, fall_seconds, end_seconds; /* when the others joined, when they left */
    unsigned threads;
    struct swap_log log;
    struct cache_stats stats;
    uint64_t failures;
};

/*
 * Runs it with an adaptive cache; or, at the times of such a run (`like`, else NULL), with a shared
 * one that does not adapt.
 */
k42_result load_run(struct load *load, const struct settings *settings, const struct load *like);

/* The speed between two times: median of the samples, in searches per millisecond. */
double load_speed(const struct load *load, double from_seconds, double until_seconds);

/* ---- run.c, demo.c: what the program can be told to do; each returns its exit status ---- */

int run_once(const struct settings *settings);
int run_sweep(const struct settings *settings);
int run_demo(const struct settings *settings);

/* The sweep and its table, for both of the latter; 0, or -1 and a message. */
int sweep_and_report(const struct settings *settings, struct sweep *sweep);

/* ---- report.c, picture.c ---- */

void report_sweep(const struct sweep *sweep);
void report_sweep_json(const struct sweep *sweep);
void report_costs(const struct costs *costs);
void report_load(struct load *load, const struct load *fixed);

/* Draws what there is (the sweep, or both loads, may be NULL) into a PNG file with gnuplot. 0, or
 * -1 and a message. */
int picture_draw(const char *file, const struct sweep *sweep, struct load *load,
                 const struct load *fixed);

#endif
