/* The record of swaps: an array under a lock. */
#include "swap_log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void swap_log_begin(struct swap_log *log) {
    memset(log, 0, sizeof(*log));
    pthread_mutex_init(&log->lock, NULL);
    log->began = seconds();
}

double swap_log_now(const struct swap_log *log) {
    return seconds() - log->began;
}

void swap_log_record(const struct k42_swap_report *report, const char *class_name, void *context) {
    struct swap_log *log = context;
    pthread_mutex_lock(&log->lock);
    if (log->count < SWAP_LOG_ENTRIES) {
        struct swap_log_entry *entry = &log->entries[log->count];
        entry->at_seconds = swap_log_now(log);
        snprintf(entry->class_name, sizeof(entry->class_name), "%s", class_name);
        entry->report = *report;
    }
    log->count++;
    pthread_mutex_unlock(&log->lock);
}

unsigned swap_log_count(struct swap_log *log) {
    pthread_mutex_lock(&log->lock);
    unsigned count = log->count < SWAP_LOG_ENTRIES ? log->count : SWAP_LOG_ENTRIES;
    pthread_mutex_unlock(&log->lock);
    return count;
}

struct swap_log_entry swap_log_entry(struct swap_log *log, unsigned index) {
    pthread_mutex_lock(&log->lock);
    struct swap_log_entry entry = log->entries[index];
    pthread_mutex_unlock(&log->lock);
    return entry;
}

static double microseconds(uint64_t ns) {
    return (double)ns / 1000;
}

static void print_entry(const struct swap_log_entry *entry) {
    const struct k42_swap_report *report = &entry->report;
    if (report->result < 0) {
        printf("  %7.3f s  does not become %s: %s\n", entry->at_seconds, entry->class_name,
               report->text);
        return;
    }
    printf("  %7.3f s  becomes %-18s forward %7.1f us, block %7.1f us, transfer %5.1f us (%s)\n",
           entry->at_seconds, entry->class_name, microseconds(report->forward_ns),
           microseconds(report->block_ns), microseconds(report->transfer_ns), report->format);
}

void swap_log_print(struct swap_log *log, double from_seconds, double until_seconds) {
    for (unsigned i = 0; i < swap_log_count(log); i++) {
        struct swap_log_entry entry = swap_log_entry(log, i);
        if (entry.at_seconds >= from_seconds && entry.at_seconds < until_seconds)
            print_entry(&entry);
    }
}
