/*
 * What is noted of each call of an object that has a policy: how many are inside, how long they
 * took, how many failed.
 *
 * Counters are each CPU's own, changed by one instruction each, since threads inside an object do
 * not move. A call is counted for the run that the object had when it came. How long calls have
 * been inside is known without noting which: they come in one of two parities, which the watchdog
 * changes only when none of the other is left, as the runtime's grace periods do. Whoever read the
 * parity just before it changed counts as one of the older ones: they are waited for a little
 * longer, which is all that can come of it. Locking: none.
 */
#include "run.h"

#include "../sched/wait.h"

#include <errno.h>

/* By one instruction, so that nobody on this CPU comes between. */
static void add(uint64_t *to, uint64_t n) {
    __asm__ volatile("addq %1, %0" : "+m"(*to) : "er"(n) : "cc");
}

/* Answers that callers reckon with say nothing about the policy. */
static bool is_usual(k42_result result) {
    switch (-result) {
    case ENOENT:
    case ENXIO:
    case EAGAIN:
    case EEXIST:
    case EINTR:
    case ENOSPC:
    case ENOTSUP:
    case EPIPE:
    case ESPIPE:
    case ENOTTY:
    case ECHILD:
        return true;
    default:
        return false;
    }
}

/* scratch: when it came; the run, with the parity in its lowest bit. */
static enum k42_verdict before(struct k42_hook *hook, struct k42_invocation *call) {
    struct policy_object *object = k42_container(hook, struct policy_object, hook);
    struct policy_run *run = k42_load_acquire(&object->run);
    unsigned parity = k42_load_acquire(&run->epoch) & 1;
    struct policy_cpu *cpu = run->cpu[k42_this_cpu()->head.number];
    add(&cpu->inside[parity], 1);
    add(&cpu->counts.calls, 1);
    call->scratch[0] = k42_platform_now_ns();
    call->scratch[1] = (uintptr_t)run | parity;
    return K42_PROCEED;
}

static void after(struct k42_hook *hook, struct k42_invocation *call) {
    struct policy_run *run = (struct policy_run *)(call->scratch[1] & ~1ul);
    struct policy_cpu *cpu = run->cpu[k42_this_cpu()->head.number];
    (void)hook;
    if (call->result == -K42_WAIT || call->result == -K42_FAULT)
        add(&cpu->counts.waits, 1);
    else if (call->result < 0 && !is_usual(call->result))
        add(&cpu->counts.failed, 1);
    add(&cpu->counts.total_ns, k42_platform_now_ns() - call->scratch[0]);
    add(&cpu->inside[call->scratch[1] & 1], -1ul);
}

void policy_hook_fill(struct k42_hook *hook) {
    *hook = (struct k42_hook){.before = before, .after = after};
}

void policy_counts_sum(const struct policy_run *run, struct policy_counts *counts) {
    *counts = (struct policy_counts){0};
    for (uint32_t i = 0; i < run->cpus; i++) {
        const struct policy_counts *from = &run->cpu[i]->counts;
        counts->calls += k42_load_relaxed(&from->calls);
        counts->failed += k42_load_relaxed(&from->failed);
        counts->waits += k42_load_relaxed(&from->waits);
        counts->total_ns += k42_load_relaxed(&from->total_ns);
    }
}

uint64_t policy_inside(const struct policy_run *run, unsigned parity) {
    uint64_t inside = 0;
    for (uint32_t i = 0; i < run->cpus; i++)
        inside += k42_load_acquire(&run->cpu[i]->inside[parity]);
    return inside;
}
