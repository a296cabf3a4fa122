/*
 * The demonstration: the sweep, what partitioning costs, the load that rises and falls, a picture,
 * and in the end a summary of what was seen.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "experiment.h"

/* Successful swaps to a class of this name. */
static unsigned swaps_to(struct swap_log *log, const char *class_name) {
    unsigned found = 0;
    for (unsigned i = 0; i < swap_log_count(log); i++) {
        struct swap_log_entry entry = swap_log_entry(log, i);
        found += entry.report.result >= 0 && !strcmp(entry.class_name, class_name);
    }
    return found;
}

static void conclude(const struct sweep *sweep, const struct costs *costs, struct load *load,
                     uint64_t failures) {
    const struct sweep_cell *alone = sweep->cells[0];
    const struct sweep_cell *crowd = sweep->cells[sweep->points - 1];
    unsigned up = swaps_to(&load->log, "cache.partitioned");
    unsigned down = swaps_to(&load->log, "cache.shared");
    printf("\nWhat this showed\n");
    printf("  One thread: a search costs %.2f times as much in the partitioned cache as in the "
           "shared one;\n  a CPU's first use of a page %.1f times, invalidating one that four CPUs "
           "used %.1f times.\n",
           alone[MODE_PARTITIONED].median / alone[MODE_SHARED].median,
           costs->cycles[COST_FIRST_HOLD][MODE_PARTITIONED] /
               costs->cycles[COST_FIRST_HOLD][MODE_SHARED],
           costs->cycles[COST_INVALIDATE_SHOWN][MODE_PARTITIONED] /
               costs->cycles[COST_INVALIDATE_SHOWN][MODE_SHARED]);
    if (sweep->points > 1)
        printf("  %u threads: it costs %.2f times as much in the shared cache as in the "
               "partitioned one,\n  and %.2f times in the adaptive one.\n",
               sweep->threads[sweep->points - 1],
               crowd[MODE_SHARED].median / crowd[MODE_PARTITIONED].median,
               crowd[MODE_ADAPTIVE].median / crowd[MODE_PARTITIONED].median);
    printf("  Under a load of 1, %u and 1 threads the cache swapped itself %u times to "
           "partitioned and %u\n  times to shared while it was searched.\n",
           load->threads, up, down);
    if (!failures)
        printf("  Every page reads as before, and each of %" PRIu64
               " holds was counted exactly once.\n",
               load->stats.holds);
}

/* As many threads as can run at once, so that it is them that the cache adapts to. */
static k42_result load_and_report(struct load *load, struct load *fixed, struct settings settings) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    if (processors > 1 && settings.threads > (unsigned)processors)
        settings.threads = (unsigned)processors;
    printf("\nAn adaptive cache while the load rises and falls:\n");
    fflush(stdout);
    k42_result result = load_run(load, &settings, NULL);
    if (result >= 0)
        result = load_run(fixed, &settings, load);
    if (result >= 0)
        report_load(load, fixed);
    return result;
}

int run_demo(const struct settings *settings) {
    struct sweep sweep;
    struct costs costs;
    static struct load load, fixed;
    const char *picture = settings->picture ? settings->picture : "search.png";
    printf("Threads search the same cached file. Its cache is one object, of one of two classes:\n"
           "shared (one table, one lock) or partitioned (a representative per CPU).\n\n");
    fflush(stdout);
    if (sweep_and_report(settings, &sweep) < 0)
        return 1;
    k42_result result = costs_run(&costs, settings->pages);
    if (result >= 0) {
        printf("\n");
        report_costs(&costs);
        result = load_and_report(&load, &fixed, *settings);
    }
    if (result < 0) {
        fprintf(stderr, "search: the demonstration failed: %s\n", k42_error_name(result));
        return 1;
    }
    if (picture_draw(picture, &sweep, &load, &fixed) == 0)
        printf("\npicture: %s\n", picture);
    uint64_t failures = sweep.failures + costs.failures + load.failures + fixed.failures;
    conclude(&sweep, &costs, &load, failures);
    return failures != 0;
}
