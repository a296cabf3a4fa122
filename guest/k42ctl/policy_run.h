/*
 * A policy that this program runs: what its parts share.
 */
#ifndef GUEST_K42CTL_POLICY_RUN_H
#define GUEST_K42CTL_POLICY_RUN_H

#include "k42ctl.h"

/* By how much the metric of a canary may be worse than that of the others. */
struct canary {
    const char *metric; /* NULL: latency */
    uint64_t window_ns, worse;
};

/* What the words of the command ask for. */
struct policy_words {
    struct k42_control_policy asked;
    struct canary canary;
    const char *file;        /* the component */
    const char *scope;       /* what is to be served, as it was given */
    char **command;          /* that is run meanwhile; NULL: none */
    bool is_canary, follows; /* what processes get later */
};

/* What is to be served: those of the component's interface. */
struct served {
    const char *scope; /* as in words */
    uint32_t *ids;
    size_t count;
};

/* Runs it until it ends or is ended; how the program is to end. */
int policy_run(const struct policy_words *words);

/* ---- policy_tell.c ---- */

/* `by_itself`: it ends with a command. */
void policy_tell_active(const struct k42_control_run *run, bool by_itself);
/* How the program is to end. */
int policy_tell_end(const struct k42_control_run *run);

/* ---- policy_run.c, canary.c ---- */

/* Gives the policy to further objects; how it is then. */
struct k42_control_run policy_widen(const uint32_t *ids, size_t count);
/* Ends it, and waits until what was before is back. Signals end the waiting. */
struct k42_control_run policy_end(void);
/* Sleeps so long; false: the policy has ended, or a signal has come. */
bool policy_rest(uint64_t ns);

/* Has one of the objects served, and compares. DONE: all are served now. ROLLED_BACK: it was worse;
 * REFUSED: it could not be; and then the policy has not been ended yet. */
int canary_run(const struct canary *canary, const struct served *served);

#endif
