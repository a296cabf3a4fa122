/*
 * What a trace event costs, enabled and disabled, beside LTTng-UST's.
 *
 *     trace [--rounds=N] [--slice=ns]
 *
 * Both record into memory and overwrite the oldest, with buffers of equal size, and with the same
 * two fields. run.py starts LTTng's session with its event "on" enabled before this program starts.
 * Each round times an empty loop and the four loops with an event, at every placement, and prints
 * nanoseconds a turn, the loop itself included: a disabled event costs less than a difference of
 * two such figures could show.
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "trace_loops.h"
#include "trace_lttng.h"

#include "measure.h"

#include <string.h>

K42_TRACE_DEFINE(bench_on, "bench:on", (u64, number), (u32, kind));
K42_TRACE_DEFINE(bench_off, "bench:off", (u64, number), (u32, kind));

extern const struct loop trace_loops_at_0[], trace_loops_at_1[], trace_loops_at_2[],
    trace_loops_at_3[];
const struct loop *const trace_loops[LOOP_PLACEMENTS] = {trace_loops_at_0, trace_loops_at_1,
                                                         trace_loops_at_2, trace_loops_at_3};
#define LOOPS 5

static void start_tracing(void) {
    char why[256] = "";
    struct k42_trace_options options = {.buffer_bytes = 1 << 20, .buffer_count = 4};
    if (k42_trace_enable("bench:on", why, sizeof(why)) < 0 ||
        k42_trace_start(&options, why, sizeof(why)) < 0)
        measure_fail("starting the trace", why);
    if (!k42_trace_enabled(&bench_on) || k42_trace_enabled(&bench_off))
        measure_fail("starting the trace", "the wrong events are enabled");
    if (!lttng_ust_tracepoint_enabled(k42_bench, on) ||
        lttng_ust_tracepoint_enabled(k42_bench, off))
        measure_fail("looking for LTTng's session", "the wrong events are enabled");
}

static void stop_tracing(void) {
    struct k42_trace_counts counts;
    measure_require(k42_trace_stop(), "stopping the trace");
    k42_trace_stats(&counts);
    if (counts.recorded == 0 || counts.discarded != 0)
        measure_fail("tracing", "events were not recorded");
}

int main(int argc, char **argv) {
    long rounds = measure_option(argc, argv, "rounds", 60);
    long slice_ns = measure_option(argc, argv, "slice", 1000000);
    long turns[LOOPS];

    measure_pin(measure_cpus() - 1);
    measure_require(k42_init(NULL), "starting the runtime");
    measure_require(k42_attach("tracer"), "attaching a thread");
    start_tracing();
    for (unsigned i = 0; i < LOOPS; i++)
        turns[i] = loop_turns(&trace_loops[0][i], NULL, slice_ns);

    for (long round = 0; round < rounds; round++) {
        for (unsigned placement = 0; placement < LOOP_PLACEMENTS; placement++) {
            for (unsigned i = 0; i < LOOPS; i++) {
                const struct loop *loop = &trace_loops[placement][i];
                measure_sample(loop->row, loop->variant, loop_time(loop, NULL, turns[i]));
            }
        }
    }
    stop_tracing();
    measure_require(k42_detach(), "detaching a thread");
    return 0;
}
