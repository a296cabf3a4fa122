/*
 * What every benchmark program here needs: time, CPUs, and a way to say what was seen.
 *
 * A program prints one line per observation, "row variant value", and computes nothing else;
 * run.py makes medians, spreads and ratios of them. Whatever cannot be done (a thread that does not
 * start, an object that is not made) ends the program with a sentence, because a figure taken
 * afterwards would mean nothing.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>

/* Monotonic nanoseconds. */
uint64_t measure_now_ns(void);

/* The processor's time stamp, and a length of time in its ticks; the rate is found at the first
 * use, which takes 50 ms. */
static inline uint64_t measure_ticks(void) {
    return __builtin_ia32_rdtsc();
}
double measure_ticks_to_ns(uint64_t ticks);

/* How many CPUs this process may use, and moving the calling thread to the n-th of them. */
unsigned measure_cpus(void);
void measure_pin(unsigned n);

/* Sleeps about `ns`, by the system's clock; computes for `ns` without sleeping. */
void measure_sleep(uint64_t ns);
void measure_compute(uint64_t ns);

/* One observation on standard output. The row and the variant contain no blanks. */
void measure_sample(const char *row, const char *variant, double value);

/* Ends the program when `result`, an error of the runtime or 0, is one. */
void measure_require(long result, const char *what);
_Noreturn void measure_fail(const char *what, const char *why);

/* The value of "--name=value" among the arguments, or what is given; values are whole numbers. */
long measure_option(int argc, char **argv, const char *name, long otherwise);

#endif
