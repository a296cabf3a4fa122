/*
 * Policies of whose turn it is, in simulated time: what all of them must do, what each is for, and
 * swaps of queues that are full.
 *
 * A queue is an object of the runtime here as in the kernel, and is called through its
 * representative as the scheduler does, which is the single user of it.
 */
#include "../../kernel/sched/run_queue/run_queue.h"

#include <errno.h>
#include <k42/k42.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 200u

static struct k42_class *const classes[] = {&run_queue_fair, &run_queue_fifo, &run_queue_realtime,
                                            &run_queue_rounds, &run_queue_throughput};
#define CLASSES (sizeof classes / sizeof classes[0])

static struct run_entity entities[MOST];
static uint64_t ran[MOST];
static uint64_t now;
static k42_ref object;
static struct run_queue *queue;

/* ---- what the scheduler does ---- */

static void resolve(void) {
    k42_enter();
    struct k42_pair self = k42_call((run_queue_ref)object, self);
    k42_exit();
    assert_int_equal(self.result, 0);
    queue = (struct run_queue *)self.word;
}

static void open_queue(struct k42_class *class_) {
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

static void close_queue(void) {
    assert_int_equal(k42_destroy(object), 0);
}

static unsigned number_of(const struct run_entity *entity) {
    return (unsigned)(entity - entities);
}

static bool add(unsigned number, enum run_reason why) {
    return queue->ops->add(queue, &entities[number], why, now) > 0;
}

static int take(void) {
    struct k42_pair taken = queue->ops->take(queue);
    if (taken.result)
        assert_int_equal(taken.result, -ENOENT);
    return taken.result ? -1 : (int)number_of((struct run_entity *)taken.word);
}

static int take_movable(unsigned cpu) {
    struct k42_pair taken = queue->ops->take_movable(queue, cpu, now);
    return taken.result ? -1 : (int)number_of((struct run_entity *)taken.word);
}

static void charge(unsigned number, uint64_t ns) {
    now += ns;
    ran[number] += ns;
    assert_int_equal(queue->ops->charge(queue, ns), 0);
}

static void take_away(unsigned number) {
    assert_int_equal(queue->ops->remove(queue, &entities[number], now), 0);
}

static void set_nice(unsigned number, int nice) {
    entities[number].nice = nice;
    entities[number].pace = run_pace(nice);
}

/* One turn of whoever is next: its whole slice. */
static unsigned one_turn(void) {
    int number = take();
    assert_true(number >= 0);
    charge((unsigned)number, RUN_SLICE_NS);
    add((unsigned)number, RUN_EXPIRED);
    return (unsigned)number;
}

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

static void (*const conformance[])(void) = {all_that_is_added_is_taken_once,
                                            what_is_removed_does_not_come, only_those_move_that_may,
                                            equals_all_get_turns, who_yields_lets_another_run};

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

static void who_is_awaited_comes_first_and_keeps_its_share(void **state) {
    (void)state;
    struct k42_class *shared[] = {&run_queue_fair, &run_queue_fifo, &run_queue_rounds,
                                  &run_queue_throughput};
    for (unsigned i = 0; i < 4; i++) {
        open_queue(shared[i]);
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
        if (shared[i] == &run_queue_fair)
            for (unsigned j = 0; j < 10; j++)
                assert_true(ran[j] >= 1090 * RUN_SLICE_NS && ran[j] <= 1110 * RUN_SLICE_NS);
        close_queue();
    }
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

static int open_runtime(void **state) {
    (void)state;
    return k42_init(NULL) || k42_attach("test") ? -1 : 0;
}

static int close_runtime(void **state) {
    (void)state;
    return k42_defer_flush() || k42_detach() || k42_shutdown() ? -1 : 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_policy_conforms),
        cmocka_unit_test(no_entity_is_lost_or_doubled_by_any_order_of_operations),
        cmocka_unit_test(shares_are_in_proportion_to_weight),
        cmocka_unit_test(a_step_of_nice_is_a_quarter),
        cmocka_unit_test(who_sleeps_much_comes_first_and_cannot_keep_the_cpu),
        cmocka_unit_test(many_that_sleep_for_moments_keep_nobody_from_running),
        cmocka_unit_test(a_turn_that_lasted_an_hour_is_not_paid_for_by_an_hour),
        cmocka_unit_test(starting_many_wins_nothing),
        cmocka_unit_test(who_moves_takes_along_what_it_owes),
        cmocka_unit_test(who_is_awaited_comes_first_and_keeps_its_share),
        cmocka_unit_test(the_highest_priority_runs_and_equals_keep_their_order),
        cmocka_unit_test(a_higher_priority_preempts_and_who_was_preempted_goes_on),
        cmocka_unit_test(nice_sets_the_length_of_turns_in_rounds),
        cmocka_unit_test(who_wakes_waits_for_the_end_of_a_turn_and_is_served_with_the_others),
        cmocka_unit_test(a_full_queue_is_swapped_into_any_other_and_nobody_is_lost),
        cmocka_unit_test(shares_survive_swaps),
    };
    return cmocka_run_group_tests_name("run_queue", tests, open_runtime, close_runtime);
}
