/*
 * Time, CPUs and observations; see measure.h. Nothing here is shared between threads but the rate
 * of the time stamp counter, which is found before the first thread starts or by one thread.
 */
#include "measure.h"

#include <k42/base.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t measure_now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

double measure_ticks_to_ns(uint64_t ticks) {
    static double ns_per_tick;
    if (ns_per_tick == 0) {
        uint64_t start_ns = measure_now_ns(), start = measure_ticks();
        measure_compute(50000000);
        ns_per_tick = (double)(measure_now_ns() - start_ns) / (double)(measure_ticks() - start);
    }
    return (double)ticks * ns_per_tick;
}

static cpu_set_t allowed_cpus(void) {
    static cpu_set_t allowed;
    if (CPU_COUNT(&allowed) == 0 && sched_getaffinity(0, sizeof(allowed), &allowed))
        measure_fail("asking which CPUs may be used", "the system did not say");
    return allowed;
}

unsigned measure_cpus(void) {
    cpu_set_t allowed = allowed_cpus();
    return (unsigned)CPU_COUNT(&allowed);
}

void measure_pin(unsigned n) {
    cpu_set_t allowed = allowed_cpus(), one;
    unsigned seen = 0;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed) || seen++ != n)
            continue;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        if (sched_setaffinity(0, sizeof(one), &one) == 0)
            return;
    }
    measure_fail("moving a thread to a CPU", "there is no such CPU, or it is not ours");
}

void measure_sleep(uint64_t ns) {
    struct timespec length = {.tv_sec = (time_t)(ns / 1000000000u),
                              .tv_nsec = (long)(ns % 1000000000u)};
    nanosleep(&length, NULL);
}

void measure_compute(uint64_t ns) {
    uint64_t end_ns = measure_now_ns() + ns;
    while (measure_now_ns() < end_ns)
        ;
}

void measure_sample(const char *row, const char *variant, double value) {
    printf("%s %s %.9g\n", row, variant, value);
}

void measure_require(long result, const char *what) {
    if (result < 0)
        measure_fail(what, k42_error_name(result));
}

_Noreturn void measure_fail(const char *what, const char *why) {
    fflush(stdout);
    fprintf(stderr, "bench: %s failed: %s\n", what, why);
    exit(1);
}

long measure_option(int argc, char **argv, const char *name, long otherwise) {
    size_t length = strlen(name);
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0 && strncmp(argv[i] + 2, name, length) == 0 &&
            argv[i][2 + length] == '=')
            return strtol(argv[i] + 3 + length, NULL, 10);
    }
    return otherwise;
}
