/*
 * How many threads wanted to run, on average of the last 1, 5 and 15 minutes.
 *
 * A timer of the boot CPU adds up what the CPUs say of themselves, every five seconds: nobody
 * counts anything more for it, and no thread is looked at. Each time the old average counts for
 * e^(-5/T), the new number for the rest. Averages are written by that timer alone and read by
 * anybody, each at once. Nothing fails.
 */
#include "sched.h"

/* A little more than five seconds, so that what happens every second is seen at all its moments;
 * the factors are for that. */
#define PERIOD_NS 5010000000ul

static const uint64_t keeps[SCHED_LOADS] = {60286, 64451, 65172}; /* of 65536 */
static uint64_t averages[SCHED_LOADS];                            /* with 32 binary digits */
static struct timer timer;

uint32_t sched_ready(void) {
    uint32_t count = 0;
    for (unsigned i = 0; i < cpu_count(); i++) {
        const struct sched_cpu *cpu = sched_cpus[i];
        count += __atomic_load_n(&cpu->ready, __ATOMIC_RELAXED);
        count += __atomic_load_n(&cpu->running, __ATOMIC_RELAXED) != cpu->idle;
    }
    return count;
}

static uint64_t period_is_over(struct timer *unused) {
    uint64_t ready = sched_ready();
    (void)unused;
    for (unsigned i = 0; i < SCHED_LOADS; i++) {
        uint64_t kept = (averages[i] >> 16) * keeps[i], new = (ready << 16) * (65536 - keeps[i]);
        __atomic_store_n(&averages[i], kept + new, __ATOMIC_RELAXED);
    }
    return time_ns() + PERIOD_NS;
}

void sched_read_load(uint64_t loads[SCHED_LOADS]) {
    for (unsigned i = 0; i < SCHED_LOADS; i++)
        loads[i] = __atomic_load_n(&averages[i], __ATOMIC_RELAXED);
}

void sched_load_open(void) {
    timer_start(&timer, time_ns() + PERIOD_NS, period_is_over);
}
