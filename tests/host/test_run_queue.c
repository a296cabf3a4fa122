/*
 * Policies of whose turn it is, in simulated time: what all of them must do, and swaps of queues
 * that are full. What each is for is in test_run_queue_shares.c.
 */
#include "run_queue_fixture.h"

static struct k42_class *const classes[] = {&run_queue_fair, &run_queue_fifo, &run_queue_realtime,
                                            &run_queue_rounds, &run_queue_throughput};
#define CLASSES (sizeof classes / sizeof classes[0])

/* ---- what all must do ---- */

static void all_that_is_added_is_taken_once(void) {
    bool seen[MOST] = {false};
    for (unsigned i = 0; i < MOST; i++)
        add(i, i % 2 ? RUN_NEW : RUN_WOKEN);
    assert_int_equal(queue->ops->count(queue), MOST);
    for (unsigned i = 0; i < MOST; i++) {
        int number = take();
        assert_true(number >= 0 && !seen[number]);
        seen[number] = true;
        charge((unsigned)number, 1000);
        take_away((unsigned)number);
    }
    assert_int_equal(take(), -1);
    assert_int_equal(queue->ops->count(queue), 0);
}

static void what_is_removed_does_not_come(void) {
    for (unsigned i = 0; i < MOST; i++)
        add(i, RUN_NEW);
    for (unsigned i = 0; i < MOST; i += 2)
        take_away(i);
    for (unsigned i = 1; i < MOST; i += 2) {
        int number = take();
        assert_true(number % 2 == 1);
        take_away((unsigned)number);
    }
    assert_int_equal(take(), -1);
}

static void only_those_move_that_may(void) {
    uint64_t allowed[2] = {0, 1ul << 3}; /* CPU 67 */
    for (unsigned i = 0; i < 8; i++) {
        entities[i].movable = i >= 4;
        entities[i].allowed = i >= 6 ? allowed : NULL;
        add(i, RUN_NEW);
    }
    unsigned moved = 0;
    for (int number; (number = take_movable(1)) >= 0; moved++)
        assert_true(number == 4 || number == 5);
    assert_int_equal(moved, 2);
    for (int number; (number = take_movable(67)) >= 0; moved++)
        assert_true(number == 6 || number == 7);
    assert_int_equal(moved, 4);
    assert_int_equal(queue->ops->count(queue), 4);
    for (unsigned i = 0; i < 4; i++)
        take_away(i);
}

static void equals_all_get_turns(void) {
    for (unsigned i = 0; i < 10; i++) {
        entities[i].in_rounds = true;
        add(i, RUN_NEW);
    }
    for (unsigned i = 0; i < 1000; i++)
        one_turn();
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(ran[i], 100 * RUN_SLICE_NS);
        take_away(i);
    }
}

static void who_yields_lets_another_run(void) {
    add(0, RUN_NEW);
    add(1, RUN_NEW);
    int first = take();
    for (unsigned i = 0; i < 20; i++) {
        charge((unsigned)first, 100);
        add((unsigned)first, RUN_YIELDED);
        int second = take();
        assert_int_equal(second, 1 - first);
        first = second;
    }
    take_away(0);
    take_away(1);
}

/* Somebody who goes first cuts each turn short several times. */
static void turns_that_are_cut_short_keep_nobody_from_running(void) {
    for (unsigned i = 0; i < 3; i++)
        add(i, i < 2 ? RUN_NEW : RUN_WOKEN);
    for (unsigned turn = 0; turn < 60; turn++) {
        unsigned one = (unsigned)take();
        for (unsigned cut = 0; cut < 5; cut++) {
            charge(one, RUN_SLICE_NS / 6);
            add(one, RUN_RETURNED);
            one = (unsigned)take();
        }
        charge(one, RUN_SLICE_NS / 6);
        if (one != 2) {
            add(one, RUN_EXPIRED);
            continue;
        }
        take_away(2);
        add(2, RUN_WOKEN);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_true(ran[i] >= 10 * RUN_SLICE_NS);
        take_away(i);
    }
}

static void (*const conformance[])(void) = {
    all_that_is_added_is_taken_once, what_is_removed_does_not_come,
    only_those_move_that_may,        equals_all_get_turns,
    who_yields_lets_another_run,     turns_that_are_cut_short_keep_nobody_from_running};

static void every_policy_conforms(void **state) {
    (void)state;
    for (unsigned i = 0; i < CLASSES; i++)
        for (unsigned j = 0; j < sizeof conformance / sizeof conformance[0]; j++) {
            open_queue(classes[i]);
            conformance[j]();
            close_queue();
        }
}

/* Random operations against a plain set. */
static void no_entity_is_lost_or_doubled_by_any_order_of_operations(void **state) {
    (void)state;
    enum { OUT, WAITS } where[MOST];
    uint64_t random = 12345;
    for (unsigned i = 0; i < CLASSES; i++) {
        open_queue(classes[i]);
        memset(where, 0, sizeof where);
        int running = -1;
        unsigned waiting = 0;
        for (unsigned step = 0; step < 60000; step++) {
            random = random * 6364136223846793005ul + 1442695040888963407ul;
            unsigned number = (unsigned)(random >> 33) % MOST, what = (unsigned)(random >> 60);
            now += random >> 44 & 0xfffff;
            if (what < 7 && where[number] == OUT && (int)number != running) {
                entities[number].movable = random >> 20 & 1;
                entities[number].priority = (unsigned)(random >> 21) % RUN_PRIORITIES;
                set_nice(number, (int)((random >> 30) % 40) - 20);
                add(number, (enum run_reason)(random >> 40) % 3);
                where[number] = WAITS;
                waiting++;
            } else if (what < 9 && where[number] == WAITS) {
                take_away(number);
                where[number] = OUT;
                waiting--;
            } else if (what < 11) {
                int got = take_movable(0);
                if (got >= 0) {
                    assert_true(where[got] == WAITS && entities[got].movable);
                    where[got] = OUT;
                    waiting--;
                }
            } else if (running >= 0) {
                charge((unsigned)running, random >> 42);
                if (what & 1) {
                    take_away((unsigned)running);
                } else {
                    add((unsigned)running, RUN_RETURNED + (unsigned)(random >> 50) % 3);
                    where[running] = WAITS;
                    waiting++;
                }
                running = -1;
            } else if ((running = take()) >= 0) {
                assert_true(where[running] == WAITS);
                where[running] = OUT;
                waiting--;
            }
            assert_int_equal(queue->ops->count(queue), waiting);
        }
        close_queue();
    }
}

static void who_is_awaited_comes_first_and_keeps_its_share(void **state) {
    (void)state;
    for (unsigned i = 0; i < CLASSES; i++) {
        open_queue(classes[i]);
        for (unsigned j = 0; j < 10; j++)
            add(j, RUN_NEW);
        for (unsigned round = 0; round < 10000; round++) { /* 7 has a tenth of a turn at once */
            one_turn();
            take_away(7);
            add(7, RUN_AWAITED);
            assert_int_equal(take(), 7);
            charge(7, RUN_SLICE_NS / 10);
            add(7, RUN_EXPIRED);
        }
        if (classes[i] == &run_queue_fair)
            for (unsigned j = 0; j < 10; j++)
                assert_true(ran[j] >= 1090 * RUN_SLICE_NS && ran[j] <= 1110 * RUN_SLICE_NS);
        close_queue();
    }
}

/* ---- swaps ---- */

static void a_full_queue_is_swapped_into_any_other_and_nobody_is_lost(void **state) {
    (void)state;
    for (unsigned from = 0; from < CLASSES; from++)
        for (unsigned to = 0; to < CLASSES; to++) {
            bool seen[MOST] = {false};
            open_queue(classes[from]);
            for (unsigned i = 0; i < MOST; i++) {
                entities[i].priority = i % RUN_PRIORITIES;
                add(i, RUN_NEW);
            }
            int running = take();
            assert_int_equal(k42_swap(object, classes[to], NULL), 0);
            resolve();
            assert_int_equal(queue->ops->count(queue), MOST - 1);
            charge((unsigned)running, 1000);
            add((unsigned)running, RUN_RETURNED);
            for (unsigned i = 0; i < MOST; i++) {
                int number = take();
                assert_true(number >= 0 && !seen[number]);
                seen[number] = true;
                take_away((unsigned)number);
            }
            assert_int_equal(take(), -1);
            close_queue();
        }
}

static void shares_survive_swaps(void **state) {
    (void)state;
    open_queue(&run_queue_fair);
    set_nice(0, 3);
    add(0, RUN_NEW);
    add(1, RUN_NEW);
    for (unsigned i = 0; i < 2000; i++) {
        int running = take();
        assert_int_equal(k42_swap(object, &run_queue_fair, NULL), 0);
        resolve();
        charge((unsigned)running, RUN_SLICE_NS);
        add((unsigned)running, RUN_EXPIRED);
    }
    double ratio = (double)ran[1] / (double)ran[0];
    assert_true(ratio > 1.85 && ratio < 2.05);
    close_queue();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_conforms),
        cmocka_unit_test(no_entity_is_lost_or_doubled_by_any_order_of_operations),
        cmocka_unit_test(who_is_awaited_comes_first_and_keeps_its_share),
        cmocka_unit_test(a_full_queue_is_swapped_into_any_other_and_nobody_is_lost),
        cmocka_unit_test(shares_survive_swaps),
    };
    return cmocka_run_group_tests_name("run_queue", tests, open_runtime, close_runtime);
}
