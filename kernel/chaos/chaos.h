/*
 * Chaos: a storm that swaps random live objects, as a service.
 *
 *     chaos.c   the thread of the storm: its rate, what it asks for, what came of it
 *     draw.c    which objects are next
 *     spoil.c   calls that are delayed and that fail, memory that is not there
 *     pairs.c   which class has become which, how often; and whose turn it is next
 *
 * Every class that has instances gets its turns, whatever their number; an object of it is taken at
 * random and becomes one of the class of the same interface that its class has become least often,
 * itself among them. Programs must not notice. What two storms of one seed ask for differs only by
 * what the programs do meanwhile.
 */
#ifndef KERNEL_CHAOS_H
#define KERNEL_CHAOS_H

#include <k42/class.h>

#define CHAOS_MOST_RATE 100000u

/* What is wanted: so many a second of each. */
struct chaos_wish {
    uint32_t rate; /* swaps; 0: no storm */
    uint64_t seed;
    uint32_t delays;   /* calls that take a millisecond longer */
    uint32_t failures; /* calls that fail; and in each batch of swaps one finds no memory */
};

struct chaos_counts {
    uint32_t rate;     /* swaps a second that are wanted; 0: there is no storm */
    uint32_t busy_now; /* swaps are being made */
    uint64_t seed, ns; /* what it began with; how long it has been, or was */
    /* Swaps that were completed: to another class, to a new object of the same; and how many of
     * them while calls to the object came. */
    uint64_t to_other, to_itself, with_calls;
    /* Those that were not: deadlines, failed imports, no memory; the object had gone, or was being
     * swapped by others. */
    uint64_t late, failed, without_memory, vanished, busy;
    uint64_t delayed, answered; /* calls that were, with a hook's error; of all storms */
    char last[160];             /* of those that failed, the last one's report */
};

/* What one class's objects became. */
struct chaos_pair {
    struct chaos_pair *next; /* of the same class */
    char from[48], to[48];
    uint64_t swapped, with_calls, aborted;
};

/*
 * Begins a storm, or changes the one under way; a rate of 0 ends it, when what it
 * is at is done. Counts begin anew with a storm. Any context that may allocate; does not wait.
 * Errors: -EINVAL (too many), -ENOMEM.
 */
K42_MUST_CHECK
k42_result chaos_set(const struct chaos_wish *wish);

void chaos_read(struct chaos_counts *counts);
/* Visits what is counted by pairs, of all storms; nothing visited goes away. */
void chaos_each_pair(void (*visit)(const struct chaos_pair *pair, void *context), void *context);

/* Takes the option chaos=RATE[,SEED]; once. */
void chaos_open(void);

#endif
