/*
 * Frames on several CPUs at once: no frame has two owners, none is lost, and what one CPU has in
 * hand for a moment is not taken for gone by another.
 */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "frames_fixture.h"

#define STRESS_CPUS 4u
#define STRESS_HELD 256u
#ifdef K42_DEBUG /* where each frame is filled and looked through each time */
#define STRESS_TURNS 5000u
#else
#define STRESS_TURNS 20000u
#endif

struct held {
    struct frame *frame;
    unsigned order;
};

static uint32_t next_random(uint32_t *seed) {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Of the frames of a block, every how manieth is looked at. */
static uint32_t step_of(const struct held *held) {
    return held->order > 6 ? 128 : 1;
}

static uint64_t *word_of(const struct held *held, uint32_t number) {
    return (uint64_t *)machine_memory(frame_physical(held->frame) + number * FRAME_BYTES);
}

/* The first word of each frame names its owner: two owners of one frame would see each other. */
static void mark(const struct held *held, uint64_t owner) {
    uint32_t count = 1u << held->order;
    for (uint32_t i = 0; i < count; i += step_of(held))
        *word_of(held, i) = owner;
}

static void check(const struct held *held, uint64_t owner) {
    uint32_t count = 1u << held->order;
    for (uint32_t i = 0; i < count; i += step_of(held))
        if (*word_of(held, i) != owner)
            abort();
}

static unsigned random_order(uint32_t *seed) {
    static const unsigned orders[16] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3, 4, 6, 8, 9};
    return orders[next_random(seed) % 16];
}

static void stress(uint32_t cpu, void *argument) {
    struct frame_consumer **consumers = argument;
    struct held *held = calloc(STRESS_HELD, sizeof(*held));
    uint32_t seed = 88172645u + cpu * 7919u;
    for (uint32_t turn = 0; turn < STRESS_TURNS; turn++) {
        uint32_t at = next_random(&seed) % STRESS_HELD;
        if (held[at].frame) {
            check(&held[at], cpu << 16 | at);
            frame_free(held[at].frame, held[at].order);
            held[at].frame = NULL;
        } else {
            held[at].order = random_order(&seed);
            held[at].frame = frames_get(held[at].order, consumers[next_random(&seed) % 4]);
            if (held[at].frame)
                mark(&held[at], cpu << 16 | at);
        }
    }
    for (uint32_t at = 0; at < STRESS_HELD; at++)
        if (held[at].frame)
            frame_free(held[at].frame, held[at].order);
    free(held);
}

static void cpus_never_share_a_frame_and_lose_none(void **state) {
    (void)state;
    struct frame_consumer *consumers[4] = {NULL};
    for (int i = 1; i < 4; i++)
        consumers[i] = frame_consumer_create("stressed", i == 3 ? FRAME_URGENT : 0);
    machine_run_cpus(STRESS_CPUS, stress, consumers);
    for (int i = 1; i < 4; i++)
        assert_int_equal(frame_consumer_destroy(consumers[i]), 0);
}

struct handed {
    struct frame *frames[1024];
    uint32_t ready, taken;
};

/* One CPU allocates for consumers that end at once; the other frees their frames meanwhile. */
static void hand_over(uint32_t cpu, void *argument) {
    struct handed *handed = argument;
    for (uint32_t i = 0; i < 40960; i++) {
        struct frame **slot = &handed->frames[i % 1024];
        static struct frame_consumer *consumer;
        if (cpu == 0) {
            if (i % 512 == 0)
                consumer = frame_consumer_create("brief", 0);
            while (i - __atomic_load_n(&handed->taken, __ATOMIC_ACQUIRE) >= 1024)
                sched_yield();
            if (!(*slot = frames_get(0, consumer)))
                abort();
            __atomic_store_n(&handed->ready, i + 1, __ATOMIC_RELEASE);
            if (i % 512 == 511)
                frame_consumer_destroy(consumer);
        } else {
            while (__atomic_load_n(&handed->ready, __ATOMIC_ACQUIRE) <= i)
                sched_yield();
            frame_free(*slot, 0);
            __atomic_store_n(&handed->taken, i + 1, __ATOMIC_RELEASE);
        }
    }
}

static void a_consumer_may_end_while_another_cpu_frees_its_frames(void **state) {
    (void)state;
    static struct handed handed;
    struct frame_usage before, after;
    frame_consumer_usage(NULL, &before);
    machine_run_cpus(2, hand_over, &handed);
    frame_consumer_usage(NULL, &after);
    assert_int_equal(after.used, before.used);
}

struct scarce {
    struct frame *only;
    uint32_t misses, over;
};

/* One CPU collects all the time; the other frees the only block in pieces, and wants it whole. */
static void collect_meanwhile(uint32_t cpu, void *argument) {
    struct scarce *scarce = argument;
    if (cpu != 0) {
        while (!__atomic_load_n(&scarce->over, __ATOMIC_ACQUIRE))
            frames_collect();
        return;
    }
    for (unsigned round = 0; scarce->only && round < 500; round++) {
        struct frame *block = scarce->only;
        frame_part(block);
        for (unsigned i = 0; i < 512; i++)
            frame_free(&block[i], 0);
        scarce->only = frames_get(9, NULL);
        scarce->misses += !scarce->only;
    }
    __atomic_store_n(&scarce->over, 1, __ATOMIC_RELEASE);
}

static void what_another_cpu_collects_is_not_taken_for_gone(void **state) {
    (void)state;
    static struct frame *taken[80];
    struct scarce scarce = {.misses = 0};
    unsigned count = 0;
    while ((taken[count] = frames_get(9, NULL)))
        count++;
    scarce.only = taken[--count];
    machine_run_cpus(2, collect_meanwhile, &scarce);
    assert_int_equal(scarce.misses, 0);
    frame_free(scarce.only, 9);
    while (count)
        frame_free(taken[--count], 9);
}

static int open_machine(void **state) {
    (void)state;
    frames_add_banks();
    return frames_open(frames_ranges, FRAMES_RANGES);
}

#define t(name) cmocka_unit_test_setup_teardown(name, frames_begin, frames_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        t(cpus_never_share_a_frame_and_lose_none),
        t(a_consumer_may_end_while_another_cpu_frees_its_frames),
        t(what_another_cpu_collects_is_not_taken_for_gone),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("frame_races", tests, open_machine, NULL);
}
