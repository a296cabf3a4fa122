/*
 * The stress run (tests/stress) in the kernel: test=stress, with the options seed=N, seconds=N,
 * threads=N, objects=N.
 */
#include "../../tests/stress/stress.h"

#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/thread.h"
#include "runtime.h"

#include <stdarg.h>

void stress_say(const char *format, ...) {
    char line[256];
    va_list list;
    va_start(list, format);
    k42_format_list(line, sizeof line, format, list);
    va_end(list);
    print_line(line);
}

void stress_die(const char *what) {
    panic("stress: %s", what);
}

/* A decimal number of the command line. */
static uint64_t option(const char *name, uint64_t otherwise) {
    char text[24];
    if (!boot_option(name, text, sizeof text))
        return otherwise;
    uint64_t value = 0;
    for (const char *at = text; *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

static void work(void *number) {
    stress_work((unsigned)(uintptr_t)number);
}

KERNEL_CHECK(stress, everything_adds_up_and_nothing_is_left) {
    static struct thread *threads[STRESS_THREADS_MAX];
    static struct stress_options options;
    options.threads = (unsigned)option("threads", 2 * cpu_count() + 2);
    options.objects = (unsigned)option("objects", 64);
    options.seed = option("seed", time_ns());
    if (!options.threads || options.threads > STRESS_THREADS_MAX || !options.objects ||
        options.objects > STRESS_OBJECTS_MAX || stress_begin(&options) < 0)
        return false;
    for (unsigned i = 0; i < options.threads; i++)
        threads[i] = thread_start("stress", work, (void *)(uintptr_t)i);
    uint64_t end = time_ns() + option("seconds", 5) * 1000000000;
    while (time_ns() < end && !stress_stopped())
        thread_sleep(10000000);
    stress_stop();
    bool started = true;
    for (unsigned i = 0; i < options.threads; i++) {
        started = started && threads[i];
        if (threads[i])
            thread_join(threads[i]);
    }
    struct sched_counts counts;
    sched_count(&counts);
    print("%lu switches, %lu preemptions, %lu moves, %lu threads, %lu grace periods",
          counts.switches, counts.preemptions, counts.moves, counts.threads, k42_grace_periods());
    return started && stress_report() == 0;
}
