/*
 * Threads that do what a test says, when it says so, and waiting for what they did.
 *
 * Nothing here decides by time. A wait that has lasted far longer than any machine is slow ends the
 * program and says where it stood.
 */
#ifndef K42_TESTS_ACTORS_H
#define K42_TESTS_ACTORS_H

#include "fixture.h"

#include <pthread.h>
#include <unistd.h>

#define NEVER_NS 300000000000ull /* a deadline that must not come into play */

/* A thread, attached, that carries out one order after the other. */
struct actor {
    pthread_t thread;
    void (*order)(struct actor *); /* what to do */
    uint32_t busy;                 /* with the order */
    uint32_t ending;
    uint32_t thread_id;
    int cpu;
    const char *name;
    /* The order's, for the test's own use: */
    k42_ref ref, other, via;
    struct k42_class *to;
    struct gate *gate;
    long amount;
    k42_result result;
    struct k42_swap swap;
    void *context;
};

void actor_start(struct actor *actor, const char *name);
/* Gives an order and returns at once; and waits until it has been carried out. */
void actor_begin(struct actor *actor, void (*order)(struct actor *));
void actor_finish(struct actor *actor);
int actor_is_busy(const struct actor *actor);
/* Both. */
void actor_do(struct actor *actor, void (*order)(struct actor *));
void actor_stop(struct actor *actor);

/* Orders. Each enters, calls actor->ref and leaves; actor->result is what came back. */
void order_add(struct actor *actor);
void order_value(struct actor *actor);
void order_hold(struct actor *actor);
void order_hold_then_add(struct actor *actor);
void order_hold_then_relay(struct actor *actor);
/* Performs actor->swap, to actor->to unless that is NULL, with a deadline that never comes. */
void order_swap(struct actor *actor);

/* ---- gates ---- */

void gate_pass(struct gate *gate);                    /* a thread arrives and waits */
void gate_await(struct gate *gate, uint32_t arrived); /* until so many have arrived */
void gate_open(struct gate *gate);

/* ---- waiting ---- */

/* Waits a moment; `since` is a test's own, zero at first. Ends the program after minutes. */
void wait_a_moment(uint64_t *since, const char *for_what, const char *file, int line);
#define WAIT_UNTIL(condition)                                                                      \
    do {                                                                                           \
        uint64_t since_ = 0;                                                                       \
        while (!(condition))                                                                       \
            wait_a_moment(&since_, #condition, __FILE__, __LINE__);                                \
    } while (0)

/* How far the swap of an object has come, as its mediator's word says. */
enum phase { NO_SWAP, FORWARDING, BLOCKING, CLOSED };
enum phase swap_phase(k42_ref ref);
/* Waits until the thread sleeps in the mediator of `ref`, which holds it back. */
void await_held_back(const struct actor *actor, k42_ref ref);

#endif
