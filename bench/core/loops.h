/*
 * The timed loops: one for each way of reaching a method.
 *
 * loops.c is compiled several times, with PLACEMENT 0, 1, ...; each copy holds the same loops at
 * other addresses, every function and loop aligned to 64 bytes. Where a loop lies moves a figure of
 * a nanosecond by half, so each figure is taken from all copies.
 */
#ifndef BENCH_LOOPS_H
#define BENCH_LOOPS_H

#include "loop.h"
#include "tally.h"

#include <k42/interpose.h>
#include <pthread.h>

/* What the loops work on. Read only, but for what the lock and the count are there for. */
struct subject {
    tally_ref ref;           /* called through its ref */
    tally_ref interposed;    /* the same with a hook around it */
    struct tally *object;    /* called through its operations, under the protections below */
    struct tally **shared;   /* where liburcu's readers find `object` */
    pthread_rwlock_t *lock;  /* guards `object` in the loop that takes it */
    unsigned long *refcount; /* of `object`, in the loop that counts */
};

/* All loops at one placement; ends with a NULL row. The calling thread is attached, inactive, and
 * registered with both flavours of liburcu. */
extern const struct loop *const loops[LOOP_PLACEMENTS];

/* The loop of a row and variant at placement 0. Ends the program when there is none. */
const struct loop *loop_find(const char *row, const char *variant);

/* What one thread must have before it runs loops, and give back afterwards. */
void loop_thread_begin(const char *name);
void loop_thread_end(void);

/* Makes the objects a subject names. The caller is attached and inactive. */
void subject_open(struct subject *subject);
void subject_close(struct subject *subject);

#endif
