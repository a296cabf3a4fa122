/*
 * Swaps of objects that very many CPUs have called: more than the touched set has bits, and more
 * than the swapper looks at together.
 */
#include "stage.h"

#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define VERY_MANY 300 /* sanitizers carry no thousands of threads */
#else
#define VERY_MANY 1100
#endif

/* Of `count` threads that have called the object, each chosen one in turn holds up a swap. */
static void assert_any_of_many_holds_it_up(int count, const int *chosen, int chosen_count) {
    struct actor *many = calloc((size_t)count, sizeof *many), swapper;
    struct gate gate;
    long expected = 0;
    assert_non_null(many);
    actor_start(&swapper, "swapper");
    swapper.ref = fixture_create(&counter_plain);
    for (int i = 0; i < count; i++) {
        actor_start(&many[i], "one of many");
        many[i].ref = swapper.ref;
        many[i].amount = 1;
        many[i].gate = &gate;
    }
    for (int turn = 0; turn < chosen_count; turn++) {
        struct actor *inside = &many[chosen[turn]];
        for (int i = 0; i < count; i++)
            actor_do(&many[i], order_add);
        gate = (struct gate){0};
        actor_begin(inside, order_hold);
        gate_await(&gate, 1);
        swapper.to = turn % 2 ? &counter_plain : &counter_percpu;
        actor_begin(&swapper, order_swap);
        WAIT_UNTIL(swap_phase(swapper.ref) == FORWARDING);
        for (int moment = 0; moment < 20; moment++)
            usleep(1000);
        assert_int_equal(swap_phase(swapper.ref), FORWARDING);
        gate_open(&gate);
        actor_finish(inside);
        actor_finish(&swapper);
        assert_int_equal(swapper.result, 0);
        expected += count + 1;
        assert_int_equal(fixture_value(swapper.ref), expected);
    }
    for (int i = 0; i < count; i++) {
        actor_do(&many[i], order_add);
        assert_int_equal(many[i].result, 0);
        actor_stop(&many[i]);
    }
    actor_stop(&swapper);
    assert_int_equal(fixture_value(swapper.ref), expected + count);
    free(many);
}

static void a_call_on_any_of_more_than_32_cpus_holds_a_swap_up(void **state) {
    (void)state;
    const int chosen[] = {0, 31, 32, 39};
    assert_any_of_many_holds_it_up(40, chosen, 4);
}

static void a_call_on_any_of_very_many_cpus_holds_a_swap_up(void **state) {
    (void)state;
    const int chosen[] = {0, VERY_MANY / 2, VERY_MANY - 1};
    assert_any_of_many_holds_it_up(VERY_MANY, chosen, 3);
}

static void the_deadline_is_kept_however_many_cpus_are_in_the_way(void **state) {
    (void)state;
    struct actor *many = calloc(VERY_MANY, sizeof *many), *held[2];
    struct gate gate = {0};
    struct k42_swap_report report;
    k42_ref ref = fixture_create(&counter_plain);
    assert_non_null(many);
    for (int i = 0; i < VERY_MANY; i++)
        actor_start(&many[i], "one of many");
    held[0] = &many[0];
    held[1] = &many[VERY_MANY - 1];
    for (int i = 0; i < 2; i++) {
        held[i]->ref = ref;
        held[i]->gate = &gate;
        actor_begin(held[i], order_hold);
    }
    gate_await(&gate, 2);
    assert_int_equal(k42_swap(ref, &counter_second, &report), -ETIMEDOUT);
    assert_int_equal(report.phase, K42_SWAP_FORWARD);
    assert_true(report.holder_thread == held[0]->thread_id ||
                report.holder_thread == held[1]->thread_id);
    gate_open(&gate);
    for (int i = 0; i < VERY_MANY; i++)
        actor_stop(&many[i]);
    assert_int_equal(fixture_which(ref), fixture_number(&counter_plain));
    assert_int_equal(k42_swap(ref, &counter_second, &report), 0);
    free(many);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_call_on_any_of_more_than_32_cpus_holds_a_swap_up),
        TEST(a_call_on_any_of_very_many_cpus_holds_a_swap_up),
        TEST(the_deadline_is_kept_however_many_cpus_are_in_the_way),
    };
    return cmocka_run_group_tests_name("swap_wide", tests, NULL, NULL);
}
