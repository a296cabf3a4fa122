/*
 * Loops that emit events, at one placement; see loops.h for what a placement is. The empty loop
 * is what the others are beside their event.
 */
#include "trace_loops.h"
#include "trace_lttng.h"

#define TEXT_(x) #x
#define TEXT(x)  TEXT_(x)
__asm__(".text\n\t.p2align 6\n\t.skip 320 * (1 + " TEXT(PLACEMENT) "), 0x90");

#define LOOP(name, body)                                                                           \
    static __attribute__((noinline)) long name(const struct subject *subject, long turns) {        \
        (void)subject;                                                                             \
        for (long turn = 0; turn < turns; turn++) {                                                \
            body;                                                                                  \
            __asm__ volatile("" ::: "memory");                                                     \
        }                                                                                          \
        return 0;                                                                                  \
    }

/* clang-format off */
LOOP(empty, )
LOOP(on_k42, K42_TRACE(bench_on, (uint64_t)turn, 7))
LOOP(on_lttng, lttng_ust_tracepoint(k42_bench, on, (unsigned long)turn, 7))
LOOP(off_k42, K42_TRACE(bench_off, (uint64_t)turn, 7))
LOOP(off_lttng, lttng_ust_tracepoint(k42_bench, off, (unsigned long)turn, 7))
/* clang-format on */

#define SYMBOL_(placement) trace_loops_at_##placement
#define SYMBOL(placement)  SYMBOL_(placement)
extern const struct loop SYMBOL(PLACEMENT)[];
const struct loop SYMBOL(PLACEMENT)[] = {
    {"trace-off", "empty-loop", empty},    {"trace-on", "k42", on_k42},
    {"trace-on", "lttng-ust", on_lttng},   {"trace-off", "k42", off_k42},
    {"trace-off", "lttng-ust", off_lttng}, {NULL, NULL, NULL},
};
