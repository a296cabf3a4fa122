/*
 * Policies of whose turn it is, in simulated time: what each of them is for.
 */
#include "run_queue_fixture.h"

/* ---- shares ---- */

static void shares_are_in_proportion_to_weight(void **state) {
    (void)state;
    open_queue(&run_queue_fair);
    static const int nice[] = {0, 5, -5, 19, -20};
    double weights = 0, total = 0;
    for (unsigned i = 0; i < 5; i++) {
        set_nice(i, nice[i]);
        add(i, RUN_NEW);
        weights += 65536.0 / (double)run_pace(nice[i]);
    }
    for (unsigned i = 0; i < 200000; i++)
        one_turn();
    for (unsigned i = 0; i < 5; i++)
        total += (double)ran[i];
    for (unsigned i = 0; i < 5; i++) {
        double share = (double)ran[i] / total;
        double due = 65536.0 / (double)run_pace(nice[i]) / weights;
        assert_true(share > due * 0.98 && share < due * 1.02);
    }
    close_queue();
}

static void a_step_of_nice_is_a_quarter(void **state) {
    (void)state;
    for (int nice = RUN_NICE_LEAST; nice < RUN_NICE_MOST; nice++) {
        double step = (double)run_pace(nice + 1) / (double)run_pace(nice);
        assert_true(step > 1.249 && step < 1.251);
    }
}

/* The sleeper wakes every 20 ms for 1 ms: it never waits, and gets no more than that. */
static void who_sleeps_much_comes_first_and_cannot_keep_the_cpu(void **state) {
    (void)state;
    open_queue(&run_queue_fair);
    add(0, RUN_NEW);
    assert_int_equal(take(), 0);
    take_away(0);
    for (unsigned i = 1; i < 5; i++)
        add(i, RUN_NEW);
    for (unsigned round = 0; round < 100; round++) {
        for (unsigned i = 0; i < 10; i++)
            one_turn();
        int running = take();
        assert_true(running > 0);
        charge((unsigned)running, 1000000);
        assert_true(add(0, RUN_WOKEN));
        add((unsigned)running, RUN_RETURNED);
        assert_int_equal(take(), 0);
        charge(0, 1000000);
        take_away(0);
    }
    /* After a sleep of an hour it has the CPU for a turn or two, not for an hour. */
    now += 3600000000000ul;
    add(0, RUN_WOKEN);
    unsigned own = 0;
    for (unsigned i = 0; i < 40; i++)
        own += one_turn() == 0;
    assert_true(own >= 1 && own <= 11);
    close_queue();
}

/* Eight that run for 50 us and sleep for 100 want more than there is; the ninth never sleeps. */
static void many_that_sleep_for_moments_keep_nobody_from_running(void **state) {
    (void)state;
    open_queue(&run_queue_fair);
    uint64_t wakes_at[8] = {0};
    add(8, RUN_NEW);
    for (unsigned step = 0; step < 90000; step++) {
        for (unsigned i = 0; i < 8; i++)
            if (wakes_at[i] <= now) {
                wakes_at[i] = UINT64_MAX;
                add(i, RUN_WOKEN);
            }
        int running = take();
        charge((unsigned)running, 50000);
        if (running == 8) {
            add(8, RUN_RETURNED);
        } else {
            take_away((unsigned)running);
            wakes_at[running] = now + 100000;
        }
    }
    for (unsigned i = 0; i < 9; i++)
        assert_true(ran[i] >= 9000 * 50000ul);
    close_queue();
}

static void a_turn_that_lasted_an_hour_is_not_paid_for_by_an_hour(void **state) {
    (void)state;
    open_queue(&run_queue_fair);
    add(0, RUN_NEW);
    add(1, RUN_NEW);
    int running = take();
    charge((unsigned)running, 3600000000000ul);
    add((unsigned)running, RUN_EXPIRED);
    unsigned own = 0;
    for (unsigned i = 0; i < 20; i++)
        own += one_turn() == (unsigned)running;
    assert_true(own >= 5);
    close_queue();
}

static void starting_many_wins_nothing(void **state) {
    (void)state;
    open_queue(&run_queue_fair);
    add(0, RUN_NEW);
    for (unsigned i = 1; i < 100; i++) { /* each new one runs one turn and ends */
        add(i, RUN_NEW);
        for (unsigned turn = 0; turn < 2; turn++) {
            int number = take();
            charge((unsigned)number, RUN_SLICE_NS);
            if (number)
                take_away((unsigned)number);
            else
                add(0, RUN_EXPIRED);
        }
    }
    assert_true(ran[0] >= 90 * RUN_SLICE_NS);
    close_queue();
}

static void who_moves_takes_along_what_it_owes(void **state) {
    (void)state;
    open_queue(&run_queue_fair);
    add(0, RUN_NEW);
    add(1, RUN_NEW);
    assert_true(take() >= 0);
    take_away(0);
    entities[0].ahead_ns = (int64_t)RUN_SLICE_NS;
    add(0, RUN_MOVED);
    entities[2].ahead_ns = -(int64_t)RUN_SLICE_NS;
    add(2, RUN_MOVED);
    assert_int_equal(take(), 2);
    close_queue();
}

/* ---- priorities ---- */

static void the_highest_priority_runs_and_equals_keep_their_order(void **state) {
    (void)state;
    open_queue(&run_queue_realtime);
    static const uint32_t priorities[] = {1, 99, 50, 64, 63, 99, 50, 1};
    static const int order[] = {1, 5, 3, 4, 2, 6, 0, 7};
    for (unsigned i = 0; i < 8; i++) {
        entities[i].priority = priorities[i];
        add(i, RUN_NEW);
    }
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(take(), order[i]);
        take_away((unsigned)order[i]);
    }
    close_queue();
}

static void a_higher_priority_preempts_and_who_was_preempted_goes_on(void **state) {
    (void)state;
    open_queue(&run_queue_realtime);
    for (unsigned i = 0; i < 4; i++)
        entities[i].priority = 10;
    entities[3].priority = 11;
    add(0, RUN_NEW);
    add(1, RUN_NEW);
    assert_int_equal(take(), 0);
    assert_false(add(2, RUN_WOKEN));
    assert_true(add(3, RUN_WOKEN));
    add(0, RUN_RETURNED);
    assert_int_equal(take(), 3);
    take_away(3);
    assert_int_equal(take(), 0);
    assert_int_equal(queue->ops->slice(queue), (k42_result)RUN_FOR_EVER);
    entities[0].in_rounds = true;
    assert_int_equal(queue->ops->slice(queue), (k42_result)RUN_ROUND_NS);
    add(0, RUN_EXPIRED);
    assert_int_equal(take(), 1);
    close_queue();
}

/* ---- rounds ---- */

static void nice_sets_the_length_of_turns_in_rounds(void **state) {
    (void)state;
    open_queue(&run_queue_rounds);
    static const int nice[] = {0, 3, -3, 19, -20};
    static const double length[] = {1, 0.512, 1.953, 0.25, 4};
    for (unsigned i = 0; i < 5; i++) {
        set_nice(i, nice[i]);
        add(i, RUN_NEW);
    }
    for (unsigned i = 0; i < 500; i++) {
        assert_int_equal(take(), i % 5);
        double turn = (double)queue->ops->slice(queue) / (double)RUN_SLICE_NS;
        assert_true(turn > length[i % 5] * 0.98 && turn < length[i % 5] * 1.02);
        assert_false(add(7, RUN_WOKEN)); /* whoever wakes waits for all */
        take_away(7);
        add(i % 5, RUN_EXPIRED);
    }
    close_queue();
}

/* ---- throughput ---- */

static void who_wakes_waits_for_the_end_of_a_turn_and_is_served_with_the_others(void **state) {
    (void)state;
    open_queue(&run_queue_throughput);
    for (unsigned i = 0; i < 3; i++)
        add(i, RUN_NEW);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(take(), i);
        add(i, RUN_EXPIRED);
    }
    assert_int_equal(take(), 0);
    assert_true(queue->ops->slice(queue) > 5 * (k42_result)RUN_SLICE_NS);
    for (unsigned i = 10; i < 15; i++)
        assert_false(add(i, RUN_WOKEN));
    add(0, RUN_EXPIRED);
    for (unsigned i = 10; i < 15; i++) { /* they wake each other again: not in this batch */
        assert_int_equal(take(), i);
        take_away(i);
        add(i, RUN_WOKEN);
    }
    assert_int_equal(take(), 1);
    add(1, RUN_EXPIRED);
    for (unsigned i = 10; i < 15; i++) {
        assert_int_equal(take(), i);
        take_away(i);
    }
    assert_int_equal(take(), 2);
    add(2, RUN_RETURNED); /* somebody with a priority came: it goes on first */
    add(10, RUN_WOKEN);
    assert_int_equal(take(), 2);
    close_queue();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_in_proportion_to_weight),
        cmocka_unit_test(a_step_of_nice_is_a_quarter),
        cmocka_unit_test(who_sleeps_much_comes_first_and_cannot_keep_the_cpu),
        cmocka_unit_test(many_that_sleep_for_moments_keep_nobody_from_running),
        cmocka_unit_test(a_turn_that_lasted_an_hour_is_not_paid_for_by_an_hour),
        cmocka_unit_test(starting_many_wins_nothing),
        cmocka_unit_test(who_moves_takes_along_what_it_owes),
        cmocka_unit_test(the_highest_priority_runs_and_equals_keep_their_order),
        cmocka_unit_test(a_higher_priority_preempts_and_who_was_preempted_goes_on),
        cmocka_unit_test(nice_sets_the_length_of_turns_in_rounds),
        cmocka_unit_test(who_wakes_waits_for_the_end_of_a_turn_and_is_served_with_the_others),
    };
    return cmocka_run_group_tests_name("run_queue_shares", tests, open_runtime, close_runtime);
}
