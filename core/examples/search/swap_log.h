/*
 * A record of the swaps that caches asked for: which, when, and how they went.
 *
 * Written by the runtime's worker, read by the program; has a lock. Keeps the first
 * SWAP_LOG_ENTRIES, counts the rest.
 */
#ifndef SEARCH_SWAP_LOG_H
#define SEARCH_SWAP_LOG_H

#include <pthread.h>

#include <k42/swap.h>

#define SWAP_LOG_ENTRIES 64

struct swap_log_entry {
    double at_seconds; /* since swap_log_begin() */
    char class_name[48];
    struct k42_swap_report report;
};

struct swap_log {
    pthread_mutex_t lock;
    double began; /* seconds of the monotonic clock */
    unsigned count;
    struct swap_log_entry entries[SWAP_LOG_ENTRIES];
};

void swap_log_begin(struct swap_log *log);
double swap_log_now(const struct swap_log *log);

/* For cache_options.swapped, with the log as context. */
void swap_log_record(const struct k42_swap_report *report, const char *class_name, void *log);

/* How many entries there are; copies entry `index` (less than that). */
unsigned swap_log_count(struct swap_log *log);
struct swap_log_entry swap_log_entry(struct swap_log *log, unsigned index);

/* A line for each from one time until before another, on standard output. */
#define SWAP_LOG_END 1e9
void swap_log_print(struct swap_log *log, double from_seconds, double until_seconds);

#endif
