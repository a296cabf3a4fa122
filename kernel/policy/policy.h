/*
 * Policies that are programs: a component whose class serves some objects for as long as somebody
 * runs it, and no longer.
 *
 *     run.c       a run, from its component's loading to the way back: a thread of its own
 *     objects.c   which objects have a policy, what they were before; changing them
 *     hooks.c     what is noted of each call of such an object
 *     watchdog.c  whether the policy misbehaves
 *     metrics.c   numbers that can be watched
 *
 * Whoever runs a policy has its run: he makes it, may widen it, asks how it is, and lets it go;
 * then all its objects become what they were, with their state, and the component is unloaded. All
 * of that is done by the run's thread, so that nobody waits who must not: a program that runs a
 * policy may be killed at any time.
 */
#ifndef KERNEL_POLICY_H
#define KERNEL_POLICY_H

#include <k42/object.h>
#include <stdbool.h>

#define POLICY_NAME 48u
#define POLICY_TEXT 160u

/* What is wanted of a run. Texts that are empty: none. */
struct policy_terms {
    char class_name[POLICY_NAME]; /* of the component's; none: the one of the objects' interface */
    char scope[POLICY_NAME];      /* a class: its instances, now and from now on */
    char metric[POLICY_NAME];     /* what is watched (metrics.h) */
    uint64_t window_ns;           /* over which it is compared */
    uint64_t stall_ns;            /* a call that lasts longer is stalled */
    uint32_t error_percent;       /* of the calls that may fail, more than before */
    uint32_t worse_percent;       /* that the metric may be worse than before */
};

enum policy_state {
    POLICY_BEGINS, /* or is being widened */
    POLICY_ACTIVE,
    POLICY_GOES, /* what was before is coming back */
    POLICY_OVER,
};

enum policy_why {
    POLICY_RUNS,
    POLICY_REFUSED, /* it never was active */
    POLICY_ASKED,   /* its owner let it go */
    POLICY_REPLACED,
    POLICY_STALLED,
    POLICY_FAILED,
    POLICY_WORSE,
};

/* What is told of a run. */
struct policy_told {
    enum policy_state state;
    enum policy_why why;
    k42_result result;                       /* when it was refused */
    uint32_t changes;                        /* counted up whenever one of the above changes */
    uint64_t objects;                        /* that have the policy now */
    uint64_t taken, returned, left, held;    /* from another run; back; changed by others, or gone;
                                               that would not come back: calls do not leave them */
    uint64_t calls, failed, waits, total_ns; /* since it is active */
    char component[32], class_name[POLICY_NAME];
    char text[POLICY_TEXT]; /* a sentence */
};

struct policy_run;

/*
 * Begins a run of the component in `image`, on those objects or on the scope of the terms; `image`
 * is the run's, to be freed by it, whatever comes of it. `owner` is notified of changes
 * (POLICY_CHANGED, WAIT_READ). Any context that may allocate. Errors: -ENOMEM.
 */
K42_MUST_CHECK
k42_result policy_begin(const struct policy_terms *terms, void *image, size_t size,
                        const k42_id *ids, uint32_t count, k42_id owner, struct policy_run **run);

/* Further objects for a run that is active. Errors: -EBUSY: it is not; -EINVAL: it has a scope;
 * -ENOMEM. */
K42_MUST_CHECK
k42_result policy_widen(struct policy_run *run, const k42_id *ids, uint32_t count);

/* Ends it; what comes of it can still be asked. Any context. */
void policy_end(struct policy_run *run);
/* The owner's last word: ends it, if that has not been asked for. Any context. */
void policy_forget(struct policy_run *run);

void policy_tell(const struct policy_run *run, struct policy_told *told);

#endif
