/*
 * Threads under a test's orders, gates, and looking at how far a swap has come (actors.h).
 *
 * An actor's `busy` word hands its order over and back: written with release, read with acquire on
 * either side.
 */
#define _GNU_SOURCE
#include "actors.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "../../core/mediator.h"

#define LIMIT_NS 240000000000ull

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void wait_a_moment(uint64_t *since, const char *for_what, const char *file, int line) {
    struct timespec moment = {0, 50000};
    if (!*since)
        *since = now_ns();
    if (now_ns() - *since > LIMIT_NS) {
        fprintf(stderr, "%s:%d: waited in vain for: %s\n", file, line, for_what);
        abort();
    }
    nanosleep(&moment, NULL);
}

/* ---- gates ---- */

void gate_pass(struct gate *gate) {
    __atomic_fetch_add(&gate->arrived, 1, __ATOMIC_ACQ_REL);
    WAIT_UNTIL(__atomic_load_n(&gate->open, __ATOMIC_ACQUIRE));
}

void gate_await(struct gate *gate, uint32_t arrived) {
    WAIT_UNTIL(__atomic_load_n(&gate->arrived, __ATOMIC_ACQUIRE) >= arrived);
}

void gate_open(struct gate *gate) {
    __atomic_store_n(&gate->open, 1, __ATOMIC_RELEASE);
}

/* ---- actors ---- */

static void *actor_main(void *argument) {
    struct actor *actor = argument;
    if (k42_attach(actor->name) < 0)
        abort();
    actor->thread_id = (uint32_t)gettid();
    actor->cpu = k42_cpu();
    __atomic_store_n(&actor->busy, 0, __ATOMIC_RELEASE);
    while (!__atomic_load_n(&actor->ending, __ATOMIC_ACQUIRE)) {
        if (__atomic_load_n(&actor->busy, __ATOMIC_ACQUIRE)) {
            actor->order(actor);
            __atomic_store_n(&actor->busy, 0, __ATOMIC_RELEASE);
        }
        k42_platform_park(&actor->busy, 0, 0);
    }
    if (k42_detach() < 0)
        abort();
    return NULL;
}

void actor_start(struct actor *actor, const char *name) {
    memset(actor, 0, sizeof *actor);
    actor->name = name;
    actor->busy = 1;
    assert_int_equal(pthread_create(&actor->thread, NULL, actor_main, actor), 0);
    actor_finish(actor);
}

void actor_begin(struct actor *actor, void (*order)(struct actor *)) {
    actor->order = order;
    __atomic_store_n(&actor->busy, 1, __ATOMIC_RELEASE);
    k42_platform_wake(&actor->busy, 1);
}

int actor_is_busy(const struct actor *actor) {
    return __atomic_load_n(&actor->busy, __ATOMIC_ACQUIRE) != 0;
}

void actor_finish(struct actor *actor) {
    WAIT_UNTIL(!actor_is_busy(actor));
}

void actor_do(struct actor *actor, void (*order)(struct actor *)) {
    actor_begin(actor, order);
    actor_finish(actor);
}

static void order_nothing(struct actor *actor) {
    (void)actor;
}

void actor_stop(struct actor *actor) {
    actor_finish(actor);
    __atomic_store_n(&actor->ending, 1, __ATOMIC_RELEASE);
    actor_begin(actor, order_nothing);
    assert_int_equal(pthread_join(actor->thread, NULL), 0);
}

void order_add(struct actor *actor) {
    actor->result = fixture_add(actor->ref, actor->amount);
}

void order_value(struct actor *actor) {
    actor->result = fixture_value(actor->ref);
}

void order_hold(struct actor *actor) {
    k42_enter();
    actor->result = k42_call((counter_ref)actor->ref, hold, actor->gate, actor->amount);
    k42_exit();
}

void order_hold_then_add(struct actor *actor) {
    k42_enter();
    actor->result =
        k42_call((counter_ref)actor->ref, hold_then_add, actor->gate, actor->other, actor->amount);
    k42_exit();
}

void order_hold_then_relay(struct actor *actor) {
    k42_enter();
    actor->result = k42_call((counter_ref)actor->ref, hold_then_relay, actor->gate, actor->via,
                             actor->other, actor->amount);
    k42_exit();
}

void order_swap(struct actor *actor) {
    if (actor->to)
        actor->swap =
            (struct k42_swap){.ref = actor->ref, .to = actor->to, .deadline_ns = NEVER_NS};
    actor->result = k42_swap_run(&actor->swap);
}

/* ---- how far a swap has come ---- */

/* The mediator in place; only while the caller is active, or the test holds the swap there. */
static struct k42_mediator *mediator_of(k42_ref ref) {
    struct k42_root *root = k42_load_acquire(&k42_entries[k42_ref_id(ref)].root);
    return root->class_->kind->find == k42_mediator_find ? (struct k42_mediator *)root : NULL;
}

enum phase swap_phase(k42_ref ref) {
    enum phase phase = NO_SWAP;
    k42_enter();
    struct k42_mediator *mediator = mediator_of(ref);
    if (mediator) {
        uint64_t word = k42_load_acquire(&mediator->word);
        if (!(word & (K42_MEDIATOR_DONE | K42_MEDIATOR_ABORTED)))
            phase = !(word & K42_MEDIATOR_BLOCK) ? FORWARDING
                    : word >= K42_MEDIATOR_ONE   ? BLOCKING
                                                 : CLOSED;
    }
    k42_exit();
    return phase;
}

/* What the kernel says a thread of ours waits for: its futex, or 0. */
static uintptr_t futex_of(uint32_t thread_id) {
    char path[64], text[128] = "";
    snprintf(path, sizeof path, "/proc/self/task/%u/syscall", thread_id);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    unsigned long number, word;
    if (length <= 0 || sscanf(text, "%lu 0x%lx", &number, &word) != 2 || number != 202)
        return 0;
    return word;
}

void await_held_back(const struct actor *actor, k42_ref ref) {
    struct k42_mediator *mediator = mediator_of(ref);
    assert_non_null(mediator);
    if (access("/proc/self/syscall", R_OK) < 0) {
        /* No way of looking: time to get there, without which the test checks a little less. */
        for (int turn = 0; turn < 200; turn++)
            usleep(100);
        return;
    }
    WAIT_UNTIL(futex_of(actor->thread_id) == (uintptr_t)&mediator->ended);
}
