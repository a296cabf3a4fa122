/*
 * A policy that this program runs: what its parts share.
 */
#ifndef GUEST_K42CTL_POLICY_RUN_H
#define GUEST_K42CTL_POLICY_RUN_H

#include "k42ctl.h"

/* What is to be served. */
struct served {
    const char *scope; /* as it was given */
    uint32_t *ids;     /* those of the component's interface */
    size_t count;
};

/* Gives the policy to further objects; how it is then. */
struct k42_control_run policy_widen(const uint32_t *ids, size_t count);
/* Ends it, and waits until what was before is back. Signals end the waiting. */
struct k42_control_run policy_end(void);
/* Sleeps so long; false: the policy has ended, or a signal has come. */
bool policy_rest(uint64_t ns);

/* By how much the metric of a canary may be worse than that of the others. */
struct canary {
    const char *metric; /* NULL: latency */
    uint64_t window_ns, worse;
};

/* Has one of the objects served, and compares. DONE: all are served now. ROLLED_BACK: it was worse;
 * REFUSED: it could not be; and then the policy has not been ended yet. */
int canary_run(const struct canary *canary, const struct served *served);

#endif
