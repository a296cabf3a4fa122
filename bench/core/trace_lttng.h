/*
 * The peer's events: the same fields as the runtime's in trace_loops.h. Read several times by
 * LTTng-UST's headers, which is how it declares tracepoints.
 */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER k42_bench

#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./trace_lttng.h"

#if !defined(BENCH_TRACE_LTTNG_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define BENCH_TRACE_LTTNG_H

#include <lttng/tracepoint.h>

LTTNG_UST_TRACEPOINT_EVENT_CLASS(
    k42_bench, turn, LTTNG_UST_TP_ARGS(unsigned long, number, unsigned int, kind),
    LTTNG_UST_TP_FIELDS(lttng_ust_field_integer(unsigned long, number, number)
                            lttng_ust_field_integer(unsigned int, kind, kind)))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(k42_bench, turn, k42_bench, on,
                                    LTTNG_UST_TP_ARGS(unsigned long, number, unsigned int, kind))
LTTNG_UST_TRACEPOINT_EVENT_INSTANCE(k42_bench, turn, k42_bench, off,
                                    LTTNG_UST_TP_ARGS(unsigned long, number, unsigned int, kind))

#endif

#include <lttng/tracepoint-event.h>
