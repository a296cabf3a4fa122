/*
 * The bound on threads with a priority: of each second they have at most 950 ms of a CPU for which
 * others wait. So one that never sleeps leaves enough to end it by, and grace periods go on.
 *
 * A period begins with the first of them that runs after the last period. What they have while
 * nobody else waits counts too: who comes then has his share at once.
 *
 * Data: the CPU's, with its lock. Cannot fail.
 */
#include "sched.h"

void sched_bound_charge(struct sched_cpu *cpu, uint64_t ran, uint64_t now) {
    if (now - cpu->period_began >= RUN_PERIOD_NS) {
        cpu->period_began = now;
        cpu->priority_ns = 0;
    } else {
        cpu->priority_ns += ran;
    }
}

static uint64_t left_of(const struct sched_cpu *cpu) {
    if (cpu->charged_at - cpu->period_began >= RUN_PERIOD_NS)
        return RUN_PRIORITY_NS;
    return cpu->priority_ns < RUN_PRIORITY_NS ? RUN_PRIORITY_NS - cpu->priority_ns : 0;
}

unsigned sched_bound_level(const struct sched_cpu *cpu) {
    if (cpu->waiting[RUN_REALTIME] && cpu->waiting[RUN_SHARED])
        return left_of(cpu) ? RUN_REALTIME : RUN_SHARED;
    return cpu->waiting[RUN_REALTIME] ? RUN_REALTIME : RUN_SHARED;
}

/* Where nothing is left, who waits may be of the first level too: there is time until the next
 * look. */
uint64_t sched_bound_turn(const struct sched_cpu *cpu) {
    if (thread_level(cpu->running) != RUN_REALTIME)
        return cpu->slice;
    uint64_t left = left_of(cpu);
    left = left > RUN_SLICE_NS ? left : RUN_SLICE_NS;
    return cpu->slice < left ? cpu->slice : left;
}
