/* Results for people, as tables, and as JSON, one object a line. No state. */
#include "experiment.h"

/* How far the middle half of the rounds lies apart, in per cent of the median. */
static double spread(const struct sweep_cell *cell) {
    return cell->median > 0 ? 50 * (cell->upper - cell->lower) / cell->median : 0;
}

void report_sweep(const struct sweep *sweep) {
    printf("thousand cycles per search (median of the rounds, +- half the range of their middle "
           "half)\n\n");
    printf("  threads ");
    for (unsigned mode = 0; mode < MODES; mode++)
        printf("%20s", mode_names[mode]);
    printf("   shared/partitioned\n");
    for (unsigned point = 0; point < sweep->points; point++) {
        const struct sweep_cell *cells = sweep->cells[point];
        printf("  %7u ", sweep->threads[point]);
        for (unsigned mode = 0; mode < MODES; mode++)
            printf("%11.1f +-%5.1f %%", cells[mode].median / 1000, spread(&cells[mode]));
        printf("%15.2f\n", cells[MODE_SHARED].median / cells[MODE_PARTITIONED].median);
    }
    printf("\n");
}

void report_sweep_json(const struct sweep *sweep) {
    for (unsigned point = 0; point < sweep->points; point++) {
        const struct sweep_cell *cells = sweep->cells[point];
        for (unsigned mode = 0; mode < MODES; mode++) {
            printf("{\"bench\":\"search\",\"name\":\"%s\",\"cpus\":%u,\"value\":%.0f,"
                   "\"unit\":\"cycles/search\"",
                   mode_names[mode], sweep->threads[point], cells[mode].median);
            if (mode == MODE_SHARED)
                printf(",\"peer\":null,\"peer_value\":null,\"ratio\":null}\n");
            else
                printf(",\"peer\":\"shared\",\"peer_value\":%.0f,\"ratio\":%.3f}\n",
                       cells[MODE_SHARED].median, cells[mode].median / cells[MODE_SHARED].median);
        }
    }
}

void report_costs(const struct costs *costs) {
    static const char *const names[COSTS] = {
        [COST_FIRST_HOLD] = "hold and release, a CPU's first of a page",
        [COST_LATER_HOLD] = "hold and release, later",
        [COST_INVALIDATE] = "invalidate a page that one CPU has used",
        [COST_INVALIDATE_SHOWN] = "invalidate a page that four CPUs have used",
    };
    printf("cycles per page, one thread%33s%14s\n\n", "shared", "partitioned");
    for (unsigned cost = 0; cost < COSTS; cost++)
        printf("  %-46s%12.0f%14.0f\n", names[cost], costs->cycles[cost][MODE_SHARED],
               costs->cycles[cost][MODE_PARTITIONED]);
    printf("\n");
}

/* The middle of the time that the others were there, when whatever swaps has swapped. */
static double speed_under_load(const struct load *load) {
    double half = (load->rise_seconds + load->fall_seconds) / 2;
    return load_speed(load, half, load->fall_seconds);
}

void report_load(struct load *load, const struct load *fixed) {
    swap_log_print(&load->log, 0, load->rise_seconds);
    printf("  %7.3f s  one thread becomes %u\n", load->rise_seconds, load->threads);
    swap_log_print(&load->log, load->rise_seconds, load->fall_seconds);
    printf("  %7.3f s  one thread again\n", load->fall_seconds);
    swap_log_print(&load->log, load->fall_seconds, SWAP_LOG_END);
    printf(
        "  searches per millisecond: %.1f by one thread; by %u threads %.1f, and %.1f in a cache "
        "that stays shared\n",
        load_speed(load, 0, load->rise_seconds), load->threads, speed_under_load(load),
        speed_under_load(fixed));
}
