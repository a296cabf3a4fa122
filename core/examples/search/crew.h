/*
 * A crew: threads that search one cached file over and over, and are measured doing it.
 *
 * Cycles are those of the time-stamp counter, less the time that a thread was ready to run and had
 * no processor (Linux counts it for each thread): time slicing and other programs do not count,
 * waiting for a lock does.
 */
#ifndef SEARCH_CREW_H
#define SEARCH_CREW_H

#include <stdint.h>

#include "cache.h"

#define CREW_MAX 256

struct crew_plan {
    cache_ref cache;
    uint64_t pages;
    unsigned threads;  /* at most CREW_MAX */
    unsigned active;   /* how many of them begin; 0: all */
    uint64_t searches; /* that each makes while measured; 0: until crew_finish() */
};

struct crew_result {
    uint64_t searches; /* while measured */
    double cycles;     /* per search, as above */
    double cpu_cycles; /* per search, of processor time alone */
    double seconds;    /* measured */
    uint64_t holds;    /* of pages, all of them since the crew started */
    uint64_t failures; /* calls that failed, searches that found the wrong number of words */
};

struct crew;

/*
 * Starts the threads; they search as soon as all of them are attached, but are not measured. NULL
 * and errno on failure.
 */
struct crew *crew_start(const struct crew_plan *plan);

/* From now on the threads are measured. */
void crew_measure(struct crew *crew);

/* Only the first `active` threads go on; the others wait. */
void crew_set_active(struct crew *crew, unsigned active);

/* Searches made so far by all. */
uint64_t crew_searches(struct crew *crew);

/* Waits until each thread has made the searches planned; with none planned, tells them to stop. */
void crew_finish(struct crew *crew, struct crew_result *result);

#endif
