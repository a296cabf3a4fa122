/*
 * What callers notice of swaps while all CPUs are busy with calls.
 *
 *     pause [--swaps=N] [--limit=seconds]
 *
 * One object is called without pause from every CPU while one more thread swaps it to and fro. A
 * swap happens inside a window; each is followed by two windows of the same length without a swap,
 * in one of which this thread sleeps, while in the other it uses as much of a CPU as the swap did:
 * what the machine itself does to the callers meanwhile. Prints the longest turn of any caller in
 * each window ("pause", microseconds), and how long each swap took ("swap-load"). Ends early when
 * the limit is reached. At the end the object must have seen every call once.
 */
#include "callers.h"
#include "measure.h"
#include "tally.h"

#include <errno.h>
#include <stdlib.h>

static struct {
    k42_ref ref;
    struct k42_class *to;
    k42_result result;
} swap;

static void swap_once(void *context) {
    (void)context;
    swap.result = k42_swap(swap.ref, swap.to, NULL);
    if (swap.result == -ETIMEDOUT || swap.result == -EBUSY)
        return;
    measure_require(swap.result, "swapping");
    swap.to = swap.to == &tally_other ? &tally_plain : &tally_other;
}

static k42_result add_one(void *context, uint32_t random) {
    (void)random;
    return k42_call(*(tally_ref *)context, add, 1);
}

/* Between windows callers run undisturbed, for a time that is never the same. */
static void leave_gap(void) {
    measure_sleep(20000 + (uint64_t)(rand() % 80) * 1000);
}

static void check_sum(tally_ref ref, uint64_t calls) {
    measure_require(k42_attach("checker"), "attaching a thread");
    k42_enter();
    k42_result sum = k42_call(ref, total);
    k42_exit();
    measure_require(k42_detach(), "detaching a thread");
    if (sum < 0 || (uint64_t)sum != calls)
        measure_fail("counting calls", "the object has not seen each exactly once");
}

static void report_window(size_t window, const char *kind) {
    measure_sample("pause", kind, window_longest_us(window));
    measure_sample("pause-slept", kind, window_longest_slept(window));
}

int main(int argc, char **argv) {
    size_t swaps = (size_t)measure_option(argc, argv, "swaps", 10000), done = 0;
    uint64_t limit_ns = (uint64_t)measure_option(argc, argv, "limit", 240) * 1000000000u;
    struct window_pattern pattern = {.work = swap_once};
    struct {
        double swap_us;
        k42_result result;
    } *seen = calloc(swaps, sizeof(*seen));

    measure_require(k42_init(NULL), "starting the runtime");
    tally_ref ref = tally_create(&tally_plain);
    swap.ref = (k42_ref)ref;
    swap.to = &tally_other;
    if (!seen)
        measure_fail("making room for figures", "no memory");
    callers_start(add_one, &ref, 0, swaps * WINDOW_KINDS);

    uint64_t start_ns = measure_now_ns();
    for (; done < swaps && measure_now_ns() - start_ns < limit_ns; done++) {
        for (int kind = 0; kind < WINDOW_KINDS; kind++) {
            leave_gap();
            window_run(&pattern, (enum window_kind)kind);
        }
        seen[done].swap_us = (double)pattern.wall_ns / 1000;
        seen[done].result = swap.result;
    }
    check_sum(ref, callers_stop());

    for (size_t i = 0; i < done; i++) {
        measure_sample("swap-load", seen[i].result < 0 ? "aborted" : "k42", seen[i].swap_us);
        for (int kind = 0; kind < WINDOW_KINDS; kind++)
            report_window(i * WINDOW_KINDS + (size_t)kind,
                          window_kind_name((enum window_kind)kind));
    }
    free(seen);
    return 0;
}
