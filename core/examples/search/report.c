/* The sweep as a table for people, and as JSON, one object a line. No state. */
#include "experiment.h"

/* How far the rounds were apart, in per cent of the median. */
static double spread(const struct sweep_cell *cell) {
    return cell->median > 0 ? 50 * (cell->highest - cell->lowest) / cell->median : 0;
}

void report_sweep(const struct sweep *sweep) {
    printf("thousand cycles per search (median of the rounds; +- half their range)\n\n");
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
