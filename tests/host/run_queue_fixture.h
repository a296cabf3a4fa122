/*
 * A queue of those who want to run, in simulated time, and what the scheduler does with it.
 *
 * The queue is an object of the runtime here as in the kernel, and is called through its
 * representative as the scheduler does, which is the single user of it. Each test program has one
 * queue at a time, of this header's own data.
 */
#ifndef TESTS_HOST_RUN_QUEUE_FIXTURE_H
#define TESTS_HOST_RUN_QUEUE_FIXTURE_H

#include "../../kernel/sched/run_queue/run_queue.h"

#include <errno.h>
#include <k42/k42.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 200u

static struct run_entity entities[MOST];
static uint64_t ran[MOST];
static uint64_t now;
static k42_ref object;
static struct run_queue *queue;

static inline void resolve(void) {
    k42_enter();
    struct k42_pair self = k42_call((run_queue_ref)object, self);
    k42_exit();
    assert_int_equal(self.result, 0);
    queue = (struct run_queue *)self.word;
}

static inline void open_queue(struct k42_class *class_) {
    assert_int_equal(k42_create(class_, NULL, &object), 0);
    resolve();
    memset(entities, 0, sizeof entities);
    memset(ran, 0, sizeof ran);
    for (unsigned i = 0; i < MOST; i++) {
        entities[i].pace = run_pace(0);
        entities[i].movable = true;
    }
    now = 1000000000;
}

static inline void close_queue(void) {
    assert_int_equal(k42_destroy(object), 0);
}

static inline unsigned number_of(const struct run_entity *entity) {
    return (unsigned)(entity - entities);
}

static inline bool add(unsigned number, enum run_reason why) {
    return queue->ops->add(queue, &entities[number], why, now) > 0;
}

static inline int take(void) {
    struct k42_pair taken = queue->ops->take(queue);
    if (taken.result)
        assert_int_equal(taken.result, -ENOENT);
    return taken.result ? -1 : (int)number_of((struct run_entity *)taken.word);
}

static inline int take_movable(unsigned cpu) {
    struct k42_pair taken = queue->ops->take_movable(queue, cpu, now);
    return taken.result ? -1 : (int)number_of((struct run_entity *)taken.word);
}

static inline void charge(unsigned number, uint64_t ns) {
    now += ns;
    ran[number] += ns;
    assert_int_equal(queue->ops->charge(queue, ns), 0);
}

static inline void take_away(unsigned number) {
    assert_int_equal(queue->ops->remove(queue, &entities[number], now), 0);
}

static inline void set_nice(unsigned number, int nice) {
    entities[number].nice = nice;
    entities[number].pace = run_pace(nice);
}

/* One turn of whoever is next: its whole slice. */
static inline unsigned one_turn(void) {
    int number = take();
    assert_true(number >= 0);
    charge((unsigned)number, RUN_SLICE_NS);
    add((unsigned)number, RUN_EXPIRED);
    return (unsigned)number;
}

static inline int open_runtime(void **state) {
    (void)state;
    return k42_init(NULL) || k42_attach("test") ? -1 : 0;
}

static inline int close_runtime(void **state) {
    (void)state;
    return k42_defer_flush() || k42_detach() || k42_shutdown() ? -1 : 0;
}

#endif
