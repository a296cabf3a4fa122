/*
 * What the unit tests of the whole runtime share: an interface `counter` with classes of every
 * kind, an atomic interface `gauge`, and places at which a test holds a thread.
 *
 * Every counter class counts what is added to it and passes its total on, so whatever is swapped
 * into whatever, the total tells whether a call was lost or made twice. An object that is called
 * after its successor has taken over says so in fixture_called_when_gone.
 *
 * The hooks are a test's own, reset by the setup of the next one. Threads: actors.h.
 */
#ifndef K42_TESTS_FIXTURE_H
#define K42_TESTS_FIXTURE_H

#include <k42/k42.h>

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define FIXTURE_PARTS 8

/* A place where a thread is held: it says that it is there, and goes on when told to. */
struct gate {
    uint32_t arrived; /* how many came so far */
    uint32_t open;
};

struct counter;
struct counter_ops {
    struct k42_object_ops object;
    K42_METHOD(add)(struct counter *self, long amount);
    K42_METHOD(value)(struct counter *self);
    /* Which class answers: its place in counter_classes. */
    K42_METHOD(which)(struct counter *self);
    /* Stops at the gate, then adds. */
    K42_METHOD(hold)(struct counter *self, struct gate *gate, long amount);
    /* Stops at the gate, then adds to another object, from inside this one. */
    K42_METHOD(hold_then_add)
    (struct counter *self, struct gate *gate, k42_ref other, long amount);
    /* Stops at the gate, then has `via` add to `other`. */
    K42_METHOD(hold_then_relay)
    (struct counter *self, struct gate *gate, k42_ref via, k42_ref other, long amount);
    /* Adds to another object, from inside this one. */
    K42_METHOD(relay)(struct counter *self, k42_ref other, long amount);
    /* result: 1a + 2b + 3c + 4d + 5e; word: a ^ b ^ c ^ d ^ e, its highest bit set. */
    K42_METHOD_PAIR(mix)
    (struct counter *self, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d, uintptr_t e);
    /* Runs a function of the test inside this object. */
    K42_METHOD(run)(struct counter *self, void (*fn)(void *context), void *context);
};
struct counter {
    const struct counter_ops *ops;
};
K42_DECLARE_REF(counter);
extern const struct k42_interface counter_interface;
#define COUNTER_MIX_WORD(a, b, c, d, e) (((a) ^ (b) ^ (c) ^ (d) ^ (e)) | 1ul << 63)

extern struct k42_class counter_plain, counter_second; /* single, alike, by value */
extern struct k42_class counter_cell, counter_cell2;   /* single, by pointer or by value */
extern struct k42_class counter_percpu, counter_pairs; /* one per CPU, one per two CPUs; parts */
extern struct k42_class counter_sharded;               /* single; FIXTURE_PARTS parts, or value */
extern struct k42_class counter_roomy;   /* prepares for what was measured, -ENOSPC beyond */
extern struct k42_class counter_failing; /* its import fails with -EIO */
extern struct k42_class counter_unready; /* its prepare fails with -ENOMEM */
extern struct k42_class counter_unborn;  /* its init for an import fails with -ENOMEM */
extern struct k42_class counter_alien;   /* no format in common with any other */
extern struct k42_class *const counter_classes[];

/* An atomic interface: two words, always alike. */
struct gauge;
struct gauge_ops {
    struct k42_object_ops object;
    K42_METHOD(raise)(struct gauge *self);
    /* Both words; they differ if a call saw a transfer half-way. */
    K42_METHOD_PAIR(read)(struct gauge *self);
    K42_METHOD(which)(struct gauge *self); /* 1 or 2 */
};
struct gauge {
    const struct gauge_ops *ops;
};
K42_DECLARE_REF(gauge);
extern const struct k42_interface gauge_interface;
extern struct k42_class gauge_first, gauge_second;

/* Called by every counter class during a swap; a test may set them, the setup clears them. */
extern struct fixture_hooks {
    void (*prepare)(struct k42_state *state);
    void (*export_part)(unsigned part);
    void (*import_part)(unsigned part);
    k42_result (*import_fails)(unsigned part); /* of classes that import in parts */
    k42_result (*init_rep)(unsigned cpu);      /* clustered classes, inside the miss */
} fixture_hooks;

/* What the classes have counted since the setup. */
extern long fixture_begun;             /* calls of init that succeeded */
extern long fixture_roots;             /* made and not ended */
extern long fixture_reps;              /* likewise, of clustered classes */
extern long fixture_handed_over;       /* times an exporter was told to forget */
extern long fixture_called_when_gone;  /* calls that reached a replaced object: never */
extern uint32_t fixture_last_fini_cpu; /* where the last representative ended had been made */

static inline long fixture_read(const long *counter) {
    return __atomic_load_n(counter, __ATOMIC_ACQUIRE);
}

/* Lines that the runtime logged since the setup contain this text. */
int fixture_logged(const char *text);

/* ---- setup and teardown of one test ---- */

/* Starts the runtime, attaches the calling thread. */
int fixture_open(void **state);
/* Detaches, shuts down, and fails the test if anything is left behind. */
int fixture_close(void **state);
/* The same with fewer ids: for tests that reach the limit. */
int fixture_open_with(const struct k42_options *options);

/* ---- single steps, each entering and leaving ---- */

k42_ref fixture_create(struct k42_class *class_);
k42_result fixture_add(k42_ref ref, long amount);
k42_result fixture_value(k42_ref ref);
k42_result fixture_which(k42_ref ref);
void fixture_destroy(k42_ref ref);
/* The place of a class in counter_classes, as which() answers. */
k42_result fixture_number(const struct k42_class *class_);
struct k42_stats fixture_stats(void);

/* ---- running in a child ---- */

/* Runs `act` in a child; how it ended, as waitpid() tells; its standard error goes to `text`. */
int fixture_in_child(void (*act)(void), char *text, size_t size);
/* Asserts that `act` in a child aborts with a message that contains `says`. */
void fixture_assert_panics(void (*act)(void), const char *says);
/* Asserts that `act` in a child exits with 0. */
void fixture_assert_child_succeeds(void (*act)(void));

#endif
