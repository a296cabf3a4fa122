/*
 * What a call costs, and what entering and leaving cost, on one thread, beside other ways of
 * protecting the object called.
 *
 *     calls [--rounds=N] [--slice=ns]
 *
 * Each round times every loop at every placement once, for about a slice each. Rounds are short
 * and many, so that a disturbance by the system spoils single observations of all loops alike
 * rather than one loop's figure. Prints nanoseconds a turn.
 */
#include "loops.h"
#include "measure.h"

#define MOST_LOOPS 32

int main(int argc, char **argv) {
    long rounds = measure_option(argc, argv, "rounds", 60);
    long slice_ns = measure_option(argc, argv, "slice", 1000000);
    long turns[MOST_LOOPS];
    struct subject subject;

    measure_pin(measure_cpus() - 1);
    measure_require(k42_init(NULL), "starting the runtime");
    loop_thread_begin("calls");
    subject_open(&subject);
    for (unsigned i = 0; i < MOST_LOOPS && loops[0][i].row; i++)
        turns[i] = loop_turns(&loops[0][i], &subject, slice_ns);

    for (long round = 0; round < rounds; round++) {
        for (unsigned placement = 0; placement < LOOP_PLACEMENTS; placement++) {
            for (unsigned i = 0; i < MOST_LOOPS && loops[0][i].row; i++) {
                const struct loop *loop = &loops[placement][i];
                measure_sample(loop->row, loop->variant, loop_time(loop, &subject, turns[i]));
            }
        }
    }

    subject_close(&subject);
    loop_thread_end();
    return 0;
}
