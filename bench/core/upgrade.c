/*
 * Upgrading every instance of a class, and what callers of the instances notice.
 *
 *     upgrade --instances=N [--repetitions=N] [--callers=0|1]
 *
 * Makes N instances and touches each. Upgrades them to and fro between the two versions of their
 * class while nothing else runs ("upgrade-N", milliseconds). With callers, then does so while every
 * CPU calls instances at random: "upgrade-N-busy", and the longest turn of any caller during each
 * upgrade and during two windows of the same length without one ("upgrade-N-pause", microseconds;
 * see pause.c). At the end the instances must have seen every call once.
 */
#include "callers.h"
#include "measure.h"
#include "tally.h"

#include <stdio.h>
#include <stdlib.h>

static struct k42_class *upgrade_to = &tally_plain_2;
static char row_idle[48], row_busy[48], row_pause[48], row_slept[48];

static void upgrade_once(void *context) {
    struct k42_upgrade upgrade = {.to = upgrade_to, .mode = K42_UPGRADE_EAGER, .attempts = 100};
    size_t count = *(size_t *)context;
    measure_require(k42_upgrade(&upgrade), "upgrading");
    if (upgrade.converted != count)
        measure_fail("upgrading", "not every instance was converted");
    upgrade_to = upgrade_to == &tally_plain ? &tally_plain_2 : &tally_plain;
}

/* Calls every instance once, so that a translation of each is in use; returns the sum of all. */
static uint64_t touch_all(const tally_ref *refs, size_t count) {
    uint64_t sum = 0;
    measure_require(k42_attach("toucher"), "attaching a thread");
    for (size_t i = 0; i < count; i++) {
        k42_enter();
        k42_result total = k42_call(refs[i], total);
        k42_exit();
        measure_require(total, "a call");
        sum += (uint64_t)total;
    }
    measure_require(k42_detach(), "detaching a thread");
    return sum;
}

static void upgrade_idle(const tally_ref *refs, size_t count, long repetitions) {
    for (long i = 0; i < repetitions; i++) {
        touch_all(refs, count);
        uint64_t start_ns = measure_now_ns();
        upgrade_once(&count);
        measure_sample(row_idle, "k42", (double)(measure_now_ns() - start_ns) / 1e6);
    }
}

static void report_window(size_t window, const char *kind) {
    measure_sample(row_pause, kind, window_longest_us(window));
    measure_sample(row_slept, kind, window_longest_slept(window));
}

struct instances {
    const tally_ref *refs;
    size_t count;
};

static k42_result add_to_any(void *context, uint32_t random) {
    const struct instances *instances = context;
    return k42_call(instances->refs[(random * (uint64_t)instances->count) >> 32], add, 1);
}

static void upgrade_busy(const tally_ref *refs, size_t count, long repetitions) {
    struct window_pattern pattern = {.work = upgrade_once, .context = &count};
    struct instances instances = {refs, count};
    callers_start(add_to_any, &instances, 0, (size_t)repetitions * WINDOW_KINDS);
    for (long i = 0; i < repetitions; i++) {
        for (int kind = 0; kind < WINDOW_KINDS; kind++) {
            measure_sleep(20000000);
            window_run(&pattern, (enum window_kind)kind);
        }
        measure_sample(row_busy, "k42", (double)pattern.wall_ns / 1e6);
        measure_sample(row_busy, "k42-cpu", (double)pattern.cpu_ns / 1e6);
    }
    if (callers_stop() != touch_all(refs, count))
        measure_fail("counting calls", "the instances have not seen each exactly once");
    for (size_t i = 0; i < (size_t)repetitions; i++) {
        for (int kind = 0; kind < WINDOW_KINDS; kind++)
            report_window(i * WINDOW_KINDS + (size_t)kind,
                          window_kind_name((enum window_kind)kind));
    }
}

int main(int argc, char **argv) {
    size_t count = (size_t)measure_option(argc, argv, "instances", 1000);
    long repetitions = measure_option(argc, argv, "repetitions", 5);
    struct k42_options options = {.max_objects = (uint32_t)(2 * count + 100000)};
    tally_ref *refs = calloc(count, sizeof(*refs));
    if (!refs)
        measure_fail("making room for refs", "no memory");

    snprintf(row_idle, sizeof(row_idle), "upgrade-%zu", count);
    snprintf(row_busy, sizeof(row_busy), "upgrade-%zu-busy", count);
    snprintf(row_slept, sizeof(row_slept), "upgrade-%zu-pause-slept", count);
    snprintf(row_pause, sizeof(row_pause), "upgrade-%zu-pause", count);
    measure_require(k42_init(&options), "starting the runtime");
    for (size_t i = 0; i < count; i++)
        refs[i] = tally_create(&tally_plain);
    upgrade_idle(refs, count, repetitions);
    if (measure_option(argc, argv, "callers", 0))
        upgrade_busy(refs, count, repetitions);
    free(refs);
    return 0;
}
