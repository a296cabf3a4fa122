/*
 * The events that are timed, and the loops that emit them at each placement (see loops.h).
 */
#ifndef BENCH_TRACE_LOOPS_H
#define BENCH_TRACE_LOOPS_H

#include "loop.h"

#include <k42/trace.h>

K42_TRACE_DECLARE(bench_on, (u64, number), (u32, kind));
K42_TRACE_DECLARE(bench_off, (u64, number), (u32, kind));

extern const struct loop *const trace_loops[LOOP_PLACEMENTS];

#endif
