/*
 * Timing loops; see loop.h. Holds nothing but a place where results go.
 */
#include "loop.h"
#include "measure.h"

static volatile long sink; /* so that no result is unused */

double loop_time(const struct loop *loop, const struct subject *subject, long turns) {
    sink = loop->run(subject, 1000);
    uint64_t start = measure_ticks();
    sink = loop->run(subject, turns);
    return measure_ticks_to_ns(measure_ticks() - start) / (double)turns;
}

long loop_turns(const struct loop *loop, const struct subject *subject, long slice_ns) {
    double best_ns = 1e9;
    for (int i = 0; i < 5; i++) {
        double ns = loop_time(loop, subject, 10000);
        best_ns = ns < best_ns ? ns : best_ns;
    }
    return 1000 + (long)((double)slice_ns / best_ns);
}
