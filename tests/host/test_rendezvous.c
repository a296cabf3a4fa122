/*
 * The Linux host's platform between threads: rendezvous and parking.
 */
#include <errno.h>

#include "platform_fixture.h"

/* ---- rendezvous ---- */

struct section_loop {
    uint32_t number, ready, end;
    uint64_t first, second; /* equal outside sections */
};

static void run_sections(void *argument) {
    struct section_loop *loop = argument;
    fixture_attach(loop->number);
    store(&loop->ready, 1);
    while (!load(&loop->end)) {
        k42_atomic_begin();
        loop->first++;
        k42_atomic_begin();
        k42_atomic_end();
        __atomic_signal_fence(__ATOMIC_SEQ_CST); /* both stores happen, in this order */
        loop->second++;
        k42_atomic_end();
    }
    store(&loop->ready, 2);
    wait_for(&loop->end, 2);
    fixture_detach();
}

/* Stops the CPUs `rounds` times; counts how often a section was seen open or moving meanwhile. */
static int stop_and_look(struct section_loop *loops, int count, int rounds) {
    int seen_inside = 0;
    for (int round = 0; round < rounds; round++) {
        k42_platform_stop_cpus();
        for (int at = 0; at < count; at++) {
            uint64_t first = loops[at].first;
            seen_inside += first != loops[at].second;
            if (round % 16 == 0)
                k42_platform_yield();
            __atomic_signal_fence(__ATOMIC_SEQ_CST);
            seen_inside += first != loops[at].first;
            loops[at].first = loops[at].second = first + 1;
        }
        k42_platform_start_cpus();
    }
    return seen_inside;
}

static void no_section_is_open_while_cpus_are_stopped(void **state) {
    (void)state;
    struct section_loop loops[2] = {{.number = 0}, {.number = 1}};
    struct k42_platform_thread *threads[2];
    for (int at = 0; at < 2; at++)
        threads[at] = k42_platform_spawn("sections", run_sections, &loops[at]);
    for (int at = 0; at < 2; at++)
        wait_for(&loops[at].ready, 1);
    int seen_inside = stop_and_look(loops, 2, 3000);
    for (int at = 0; at < 2; at++)
        store(&loops[at].end, 1);
    for (int at = 0; at < 2; at++)
        wait_for(&loops[at].ready, 2);
    for (int at = 0; at < 2; at++) {
        store(&loops[at].end, 2);
        k42_platform_join(threads[at]);
    }
    assert_int_equal(seen_inside, 0);
}

static uint32_t stop_state; /* 1 about to stop, 2 stopped, 3 started again */

static void stop_and_start(void *argument) {
    (void)argument;
    store(&stop_state, 1);
    k42_platform_stop_cpus();
    store(&stop_state, 2);
    k42_platform_start_cpus();
    store(&stop_state, 3);
}

static void stopping_waits_for_the_outermost_section_to_end(void **state) {
    (void)state;
    fixture_attach(0);
    store(&stop_state, 0);
    k42_atomic_begin();
    k42_atomic_begin();
    k42_atomic_end();
    struct k42_platform_thread *thread = k42_platform_spawn("stopper", stop_and_start, NULL);
    wait_for(&stop_state, 1);
    give_others_time();
    uint32_t during = load(&stop_state);
    k42_atomic_end();
    k42_platform_join(thread);
    fixture_detach();
    assert_int_equal(during, 1);
    assert_int_equal(load(&stop_state), 3);
}

static uint32_t section_state; /* 1 about to enter, 2 inside */

static void enter_section(void *argument) {
    (void)argument;
    fixture_attach(1);
    store(&section_state, 1);
    k42_atomic_begin();
    store(&section_state, 2);
    k42_atomic_end();
    (void)k42_platform_set_head(NULL);
}

static void entering_waits_until_cpus_are_started(void **state) {
    (void)state;
    store(&section_state, 0);
    k42_platform_stop_cpus();
    struct k42_platform_thread *thread = k42_platform_spawn("enters", enter_section, NULL);
    wait_for(&section_state, 1);
    give_others_time();
    uint32_t during = load(&section_state);
    k42_platform_start_cpus();
    k42_platform_join(thread);
    k42_platform_table_unmap(fixture_heads[1]);
    fixture_heads[1] = NULL;
    assert_int_equal(during, 1);
    assert_int_equal(load(&section_state), 2);
}

/* Lets the other stopper in between reading and writing, if it can get in. */
static void count_while_stopped(void *argument) {
    volatile int *counter = argument;
    for (int round = 0; round < 1000; round++) {
        k42_platform_stop_cpus();
        int before = *counter;
        k42_platform_yield();
        *counter = before + 1;
        k42_platform_start_cpus();
    }
}

static void stoppers_exclude_one_another(void **state) {
    (void)state;
    int counter = 0;
    struct k42_platform_thread *other =
        k42_platform_spawn("stopper", count_while_stopped, &counter);
    count_while_stopped(&counter);
    k42_platform_join(other);
    assert_int_equal(counter, 2000);
}

static void stop_inside_a_section(void) {
    fixture_attach(0);
    k42_atomic_begin();
    k42_platform_stop_cpus();
}

static void stopping_from_inside_a_section_panics(void **state) {
    (void)state;
    assert_panics(stop_inside_a_section, "from inside an atomic section");
}

static void enter_a_section_while_stopping(void) {
    fixture_attach(0);
    k42_platform_stop_cpus();
    k42_atomic_begin();
}

static void entering_by_the_stopper_panics(void **state) {
    (void)state;
    assert_panics(enter_a_section_while_stopping, "by the thread that has stopped all CPUs");
}

static void entering_while_not_attached_panics(void **state) {
    (void)state;
    assert_panics(k42_atomic_begin, "k42_atomic_begin() by a thread that is not attached");
}

static void leave_a_section_never_entered(void) {
    fixture_attach(0);
    k42_atomic_end();
}

static void leaving_without_entering_panics(void **state) {
    (void)state;
    assert_panics(leave_a_section_never_entered, "without k42_atomic_begin()");
}

/* ---- park and wake ---- */

static void park_returns_at_once_when_the_word_has_changed(void **state) {
    (void)state;
    uint32_t word = 1;
    k42_platform_park(&word, 0, 0);
}

static void park_returns_at_its_timeout_and_keeps_errno(void **state) {
    (void)state;
    uint32_t word = 0;
    errno = E2BIG;
    k42_platform_park(&word, 0, 1000000);
    assert_int_equal(errno, E2BIG);
}

static void park_until_one(void *word) {
    while (load(word) != 1)
        k42_platform_park(word, 0, 0);
}

static void wake_reaches_every_sleeper(void **state) {
    (void)state;
    uint32_t word = 0;
    struct k42_platform_thread *first = k42_platform_spawn("sleeper", park_until_one, &word);
    struct k42_platform_thread *second = k42_platform_spawn("sleeper", park_until_one, &word);
    give_others_time();
    store(&word, 1);
    k42_platform_wake(&word, UINT32_MAX);
    k42_platform_join(first);
    k42_platform_join(second);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_section_is_open_while_cpus_are_stopped),
        cmocka_unit_test(stopping_waits_for_the_outermost_section_to_end),
        cmocka_unit_test(entering_waits_until_cpus_are_started),
        cmocka_unit_test(stoppers_exclude_one_another),
        cmocka_unit_test(stopping_from_inside_a_section_panics),
        cmocka_unit_test(entering_by_the_stopper_panics),
        cmocka_unit_test(entering_while_not_attached_panics),
        cmocka_unit_test(leaving_without_entering_panics),
        cmocka_unit_test(park_returns_at_once_when_the_word_has_changed),
        cmocka_unit_test(park_returns_at_its_timeout_and_keeps_errno),
        cmocka_unit_test(wake_reaches_every_sleeper),
    };
    return cmocka_run_group_tests_name("rendezvous", tests, fixture_open, fixture_close);
}
