/*
 * A run, as the parts of this folder share it.
 *
 * Everything but what is said otherwise is the run's thread's, which changes what others look at
 * (its objects, the list of runs) only with the components' turn (component_turn_begin()): so one
 * run at a time changes objects, and no class goes away meanwhile.
 */
#ifndef KERNEL_POLICY_RUN_H
#define KERNEL_POLICY_RUN_H

#include "policy.h"

#include "runtime.h"

#include <k42/interpose.h>
#include <k42/k42.h>
#include <k42/lock.h>

enum { POLICY_CHANGED = 1 }; /* the key that owners are notified with: as CONTROL_SWAPS_ENDED */

/* Of calls; each CPU has its own. */
struct policy_counts {
    uint64_t calls, failed, waits, total_ns;
};

/* What is compared. */
struct policy_sample {
    uint64_t calls, failed, metric;
};

struct policy_cpu {
    uint64_t inside[2]; /* calls that are inside, by the parity that they came in */
    struct policy_counts counts;
};

/* An object that has a policy, or is about to. */
struct policy_object {
    struct k42_hook hook;
    bool hooked;                         /* one that is atomic is not */
    struct policy_run *run;              /* whose counters its calls count in */
    struct policy_object *next;          /* of those with the same hash */
    struct policy_object *after, **link; /* of the run's */
    k42_id id;
    uint32_t version; /* the class it was of before */
    char before[POLICY_NAME];
};

struct policy_run {
    struct policy_run *next; /* of all; with the turn */
    uint32_t references;     /* the owner's, the thread's */
    struct policy_terms terms;
    void *image;
    size_t image_size;
    struct k42_component *component;

    /* Asked by the owner; `asked` is counted up with each, and slept on. */
    uint32_t asked;
    bool ends;
    k42_id *ids; /* handed over by whoever sets `state` to POLICY_BEGINS */
    uint32_t id_count;
    struct policy_run *replaced_by; /* only to be compared; with the turn */

    struct policy_object *objects;
    uint64_t object_count;
    char fallback[POLICY_NAME]; /* what its class's other instances become at the end */
    uint32_t hooks;             /* not yet given back by the runtime; slept on */

    /* What was noted of calls, and judged. */
    uint32_t cpus, epoch;
    uint64_t flipped_ns, window_ns; /* when the epoch changed; when the present window began */
    struct policy_counts base;      /* when it became active */
    struct policy_sample then;      /* when the window began */
    struct policy_sample before;    /* over a window in which it was not active yet */

    struct k42_lock lock; /* of `told` */
    struct policy_told told;
    k42_id owner;
    struct policy_cpu *cpu[];
};

/* ---- run.c, owner.c ---- */

/* The thread of a run. */
void policy_thread(void *run);
/* One reference fewer. */
void policy_let_go(struct policy_run *run);

/* ---- objects.c, take.c, back.c; all with the turn but where it says otherwise ---- */

/* A class of the component for objects of an interface; NULL: it has none. */
struct k42_class *policy_class(const struct policy_run *run, const char *interface_name);
/* Makes those of run->ids that have no policy known, and puts hooks around them. */
void policy_objects_note(struct policy_run *run);
/* Gives the policy to all of run->ids, also to those that have another run's. The first failure's
 * sentence stands in `why`; 0, or its error. */
k42_result policy_objects_take(struct policy_run *run, char *why, size_t size);
/* Finds what the run's scope has now, and has not got the policy, into run->ids. */
k42_result policy_objects_find(struct policy_run *run);
/* Has everything become again what it was; how many would not. `patience` counts tries. */
uint64_t policy_objects_return(struct policy_run *run, unsigned patience, char *why, size_t size);
/* Leaves all as they are. */
void policy_objects_forget(struct policy_run *run);
/* Forgets those that are no more. */
void policy_objects_prune(struct policy_run *run);
/* Calls visit for each; without the turn by the run's thread alone. */
void policy_objects_each(const struct policy_run *run,
                         void (*visit)(const struct policy_object *object, void *context),
                         void *context);

/* ---- hooks.c ---- */

void policy_hook_fill(struct k42_hook *hook);
void policy_counts_sum(const struct policy_run *run, struct policy_counts *counts);
/* How many calls are inside that came in that parity. */
uint64_t policy_inside(const struct policy_run *run, unsigned parity);

/* ---- metrics.c ---- */

bool policy_metric_known(const char *name);
/* The sum over the run's objects, ever growing; of those that hooks count, over its calls. */
uint64_t policy_metric_read(const struct policy_run *run, const char *name);

/* ---- watchdog.c ---- */

void policy_sample(const struct policy_run *run, struct policy_sample *sample);
/* It has just become active. */
void policy_watch_begin(struct policy_run *run, uint64_t now);
/* Looks after it: POLICY_RUNS, or why it has to end, with a sentence. */
enum policy_why policy_watch(struct policy_run *run, uint64_t now, char *why, size_t size);

#endif
