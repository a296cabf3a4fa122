/*
 * When a cache should be of another class, decided from what the classes see anyway.
 *
 * Both classes report windows of POLICY_WINDOW holds. The shared one says how many of its lock
 * acquisitions found the lock taken; the partitioned one says which CPU called.
 *
 * Up    (shared -> partitioned): POLICY_HOT windows in a row with at least POLICY_CONTENDED per
 *       thousand acquisitions contended.
 * Down  (partitioned -> shared): one CPU alone for `patience` windows in a row.
 *
 * Hysteresis: the two look at different things, so neither undoes the other at once; down needs
 * far more evidence than up; and each swap down doubles `patience`, until a long calm resets it, so
 * that a load that comes and goes makes the cache stay partitioned rather than swap for ever.
 *
 * Deciding is plain arithmetic on a struct policy, under the owner's lock. Acting is separate,
 * and done without it.
 */
#ifndef SEARCH_POLICY_H
#define SEARCH_POLICY_H

#include <k42/swap.h>

#define POLICY_WINDOW       4096 /* holds */
#define POLICY_CONTENDED    20   /* per thousand */
#define POLICY_HOT          2    /* windows */
#define POLICY_PATIENCE     256  /* windows, at first: many turns of a time-sharing scheduler */
#define POLICY_PATIENCE_MAX 4096
#define POLICY_CALM         16384 /* shared windows without a hot one that reset patience */
#define POLICY_PAUSE        256   /* windows before a request is repeated */

/*
 * How long callers may be made to wait, at worst. With more threads than processors one of them is
 * usually preempted in the middle of a call, and must get its turn before the swap can end.
 */
#define POLICY_DEADLINE_NS 100000000u

enum policy_advice {
    POLICY_STAY,
    POLICY_PARTITION,
    POLICY_SHARE,
};

/* What has been learnt; zeroed it knows nothing. Passes with the state in a swap. */
struct policy {
    uint32_t hot;      /* windows in a row that were contended */
    uint32_t calm;     /* windows in a row that were not */
    uint32_t alone;    /* windows in a row by `caller` */
    uint32_t caller;   /* CPU that ended the last window */
    uint32_t patience; /* windows alone that it takes to go down; 0: POLICY_PATIENCE */
    uint32_t pause;    /* windows left until advice is given again */
};

/* A window of the shared class is over: of `acquisitions` of the lock, `contended` had to wait. */
enum policy_advice policy_shared_window(struct policy *policy, uint64_t acquisitions,
                                        uint64_t contended);

/* A window of CPU `cpu` in the partitioned class is over. */
enum policy_advice policy_partitioned_window(struct policy *policy, unsigned cpu);

/* The state has arrived in a new object: advice asked for before has been carried out. */
void policy_arrived(struct policy *policy);

struct cache_options;

/*
 * Carries the advice out: asks the runtime to swap the object with this root, by traits, from
 * inside one of its own methods. The call that is under way goes on in the old object. Called
 * without locks. Failures are told to options->swapped; a later window tries again.
 */
void policy_act(enum policy_advice advice, const struct k42_root *root,
                const struct cache_options *options);

#endif
