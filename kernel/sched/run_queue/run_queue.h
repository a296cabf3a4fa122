/*
 * The interface `run_queue`: whose turn it is on one CPU, among the ready threads of one level. A
 * policy is a class; every CPU has one object for each level, and each can be swapped while threads
 * wait in it.
 *
 * The scheduler is the only client. It calls with the CPU's lock held and interrupts off, which
 * makes every call an atomic section: a swap holds all CPUs where they are interrupted with
 * interrupts on, so outside of any call (../hold.c). Hence methods take no lock, wait for nothing,
 * allocate nothing and cannot fail. And hence the scheduler may keep the representative that self()
 * gives, which it asks for again when the CPUs have been held: a call costs no more than one by a
 * pointer to operations, and never meets a miss.
 *
 * A thread is known here by its struct run_entity. It is in the queue, or it is the queue's running
 * one (from take() until it is added again or removed), or it is none of the queue's.
 */
#ifndef KERNEL_RUN_QUEUE_H
#define KERNEL_RUN_QUEUE_H

#include "../heap.h"

#include <k42/object.h>
#include <stdbool.h>

#define RUN_QUEUE_INTERFACE_ATOMIC 1

/* Levels, the first first: nobody in a later one runs while somebody waits in an earlier one, but
 * for RUN_PERIOD_NS - RUN_PRIORITY_NS of each RUN_PERIOD_NS. */
enum { RUN_REALTIME, RUN_SHARED, RUN_LEVELS };

#define RUN_PRIORITIES 100 /* of the first level, 1 to 99 */
#define RUN_NICE_LEAST (-20)
#define RUN_NICE_MOST  19
#define RUN_SLICE_NS   2000000ul /* a turn in the shared level, while others wait */
#define RUN_ROUND_NS   100000000ul
#define RUN_FOR_EVER   (~0ul)

#define RUN_PERIOD_NS   1000000000ul
#define RUN_PRIORITY_NS 950000000ul

struct cpu_mask;

struct run_entity {
    /* The scheduler's: changed only while the entity is none of a queue's. */
    uint32_t priority; /* 1 to 99 in the first level, the highest first; 0: in the second */
    bool in_rounds;    /* SCHED_RR: takes turns with its equals */
    int nice;
    uint64_t pace;           /* run_pace(nice) */
    bool movable;            /* another CPU that `allowed` has may take it */
    const uint64_t *allowed; /* a bit for each CPU; NULL: all */

    /* The queue's, while it has the entity. */
    struct run_entity *next, *before;
    struct heap_node node;
    uint64_t virtual_ns;

    /* Kept for it by whoever has it: by how much it is ahead of its share, since when it was out of
     * all queues, and whose clock virtual_ns is of (only to be compared). */
    int64_t ahead_ns;
    uint64_t left_at;
    const void *left;
};

/* Why an entity is added. */
enum run_reason {
    RUN_NEW,
    RUN_WOKEN,
    RUN_MOVED,    /* from another CPU or level */
    RUN_RETURNED, /* it was running, and somebody goes first */
    RUN_EXPIRED,  /* it was running, and its turn is over */
    RUN_YIELDED,  /* it was running, and gives way */
    RUN_AWAITED,  /* it waited, and comes first now; in the shared level */
};

struct run_queue;
struct run_queue_ops {
    struct k42_object_ops object;

    /* Adds one, at the time `now`. 1: it should run before the running one, now; 0: it waits. */
    K42_METHOD(add)
    (struct run_queue *self, K42_LOCAL struct run_entity *entity, enum run_reason why,
     uint64_t now);

    /* Takes the one whose turn it is, in the word; it is the running one from now on. Errors:
     * -ENOENT. */
    K42_METHOD_PAIR(take)(struct run_queue *self);

    /* Takes one that CPU `cpu` may have, in the word; it is none of this queue's afterwards.
     * Errors: -ENOENT, also when looking further would take too long. */
    K42_METHOD_PAIR(take_movable)(struct run_queue *self, unsigned cpu, uint64_t now);

    /* The running one has run for so long since it was last charged. */
    K42_METHOD(charge)(struct run_queue *self, uint64_t ran_ns);

    /* Takes one out that waits or runs: it sleeps, ends, or its parameters change. */
    K42_METHOD(remove)
    (struct run_queue *self, K42_LOCAL struct run_entity *entity, uint64_t now);

    /* How long the running one's turn may last while others wait, in ns, or RUN_FOR_EVER. */
    K42_METHOD(slice)(struct run_queue *self);

    /* How many wait. Any context. */
    K42_METHOD(count)(struct run_queue *self);

    /* The representative, in the word. */
    K42_METHOD_PAIR(self)(struct run_queue *self);
};

struct run_queue {
    const struct run_queue_ops *ops;
};
K42_DECLARE_REF(run_queue);
extern const struct k42_interface run_queue_interface;

/*
 * The canonical format: all entities, those that wait in the order of their turns, and the running
 * one. The exporter gives in the words how to get them; the importer gets them, which cannot fail.
 * An entity that was got is none of the old queue's, and knows by how much it is ahead.
 */
extern const struct k42_format run_queue_entities;
enum {
    RUN_QUEUE_ROOT,    /* struct k42_root *, the exporter's */
    RUN_QUEUE_DRAIN,   /* struct run_entity *(*)(struct k42_root *): one that waits, or NULL */
    RUN_QUEUE_RUNNING, /* struct run_entity *, or NULL; got with the last that waits */
};

/* The importer's: the next that waits, or NULL after the last. */
static inline struct run_entity *run_queue_next(const struct k42_state *state) {
    struct run_entity *(*drain)(struct k42_root *) =
        (struct run_entity * (*)(struct k42_root *)) state->word[RUN_QUEUE_DRAIN];
    return drain((struct k42_root *)state->word[RUN_QUEUE_ROOT]);
}

/* run_queue.c: how fast virtual time passes for one that runs, in 2^-16; 25 % more for each step
 * of nice. */
uint64_t run_pace(int nice);
/* Whether an entity that waits here may be taken by another CPU. */
bool run_may_move(const struct run_entity *entity, unsigned cpu);

/* A turn's length for one of this weight: `usual` for nice 0, more for those with more weight,
 * between a quarter and four times as long. */
uint64_t run_turn(const struct run_entity *entity, uint64_t usual);

extern struct k42_class run_queue_fair, run_queue_fifo, run_queue_realtime, run_queue_rounds,
    run_queue_throughput;

#endif
