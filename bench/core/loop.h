/*
 * A loop whose turns are timed, and timing it.
 */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

struct subject; /* what loops work on; each program's own */

struct loop {
    const char *row, *variant;
    long (*run)(const struct subject *subject, long turns);
};

/* Loops are compiled this many times, each copy at other addresses. */
#define LOOP_PLACEMENTS 4

/* Nanoseconds a turn, timed over so many turns after a short warm-up. */
double loop_time(const struct loop *loop, const struct subject *subject, long turns);

/* How many turns of a loop take about this long, undisturbed. */
long loop_turns(const struct loop *loop, const struct subject *subject, long slice_ns);

#endif
