/*
 * How an advisor makes up its mind, driven by recorded looks: nothing is done at once, what did not
 * help is undone, and load that goes back and forth is not followed for long.
 */
#include "decide.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct advice_rules watched = {
    .votes = 2, .watch = 5, .probation = 5, .against = 3, .check = 50, .least_gain = 50};
static const struct advice_rules counted = {.votes = 3, .probation = 5, .against = 3};

static const struct advice_rules patient = {.votes = 2,
                                            .watch = 5,
                                            .patience = 40,
                                            .probation = 5,
                                            .against = 3,
                                            .check = 50,
                                            .least_gain = 50,
                                            .silence = true};

static const struct advice_look bad = {1, 10, 100, 1}, good = {1, 1, 100, 1}, quiet = {0, 0, 0, 1},
                                against = {-1, 0, 100, 1}, unneeded = {-1, 0, 0, 1};

/* Looks at it until something is to be done, and carries that out; how many looks it took. */
static unsigned until(struct advice *advice, const struct advice_rules *rules,
                      const struct advice_look *look, enum advice_act wanted, unsigned most) {
    for (unsigned looks = 1; looks <= most; looks++) {
        enum advice_act act = advice_step(advice, rules, look);
        if (act == ADVICE_CHANGE)
            advice_changed(advice, true);
        if (act == ADVICE_UNDO || act == ADVICE_RETURN)
            advice_returned(advice, true);
        if (act == wanted)
            return looks;
        assert_int_equal(act, ADVICE_NOTHING);
    }
    fail_msg("nothing was done in %u looks", most);
    return 0;
}

static struct advice made_and_settled(const struct advice_rules *rules) {
    struct advice advice = {0};
    if (rules->watch)
        (void)until(&advice, rules, &bad, ADVICE_WATCH, 10);
    (void)until(&advice, rules, &bad, ADVICE_CHANGE, 10);
    (void)until(&advice, rules, &good, ADVICE_SETTLE, 10);
    return advice;
}

static void one_look_decides_nothing(void **state) {
    (void)state;
    struct advice advice = {0};
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(advice_step(&advice, &counted, &bad), ADVICE_NOTHING);
        assert_int_equal(advice_step(&advice, &counted, &bad), ADVICE_NOTHING);
        assert_int_equal(advice_step(&advice, &counted, &against), ADVICE_NOTHING);
    }
    assert_int_equal(advice.state, ADVICE_CALM);
}

static void votes_that_are_old_are_forgotten(void **state) {
    (void)state;
    struct advice advice = {0};
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(advice_step(&advice, &counted, &bad), ADVICE_NOTHING);
        for (unsigned n = 0; n < 20; n++)
            assert_int_equal(advice_step(&advice, &counted, &quiet), ADVICE_NOTHING);
    }
}

static void what_is_called_for_again_and_again_is_done(void **state) {
    (void)state;
    struct advice advice = {0};
    assert_int_equal(until(&advice, &counted, &bad, ADVICE_CHANGE, 10), 3);
    assert_int_equal(advice.state, ADVICE_PROBATION);
}

static void in_doubt_it_is_watched_before_anything_is_done(void **state) {
    (void)state;
    struct advice advice = {0};
    assert_int_equal(until(&advice, &watched, &bad, ADVICE_WATCH, 10), 2);
    assert_int_equal(until(&advice, &watched, &bad, ADVICE_CHANGE, 10), 5);
    assert_int_equal(advice.before, 100);
}

static void what_watching_does_not_confirm_is_let_be_for_longer_each_time(void **state) {
    (void)state;
    struct advice advice = {0};
    unsigned before = 0;
    for (unsigned i = 0; i < 5; i++) {
        unsigned looks = until(&advice, &watched, &bad, ADVICE_WATCH, 1000);
        assert_true(!i || looks > before);
        before = looks;
        (void)until(&advice, &watched, &against, ADVICE_UNWATCH, 10);
    }
}

static void looks_that_say_nothing_are_waited_through_with_patience(void **state) {
    (void)state;
    struct advice advice = {0};
    (void)until(&advice, &patient, &bad, ADVICE_WATCH, 10);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(advice_step(&advice, &patient, &bad), ADVICE_NOTHING);
        for (unsigned n = 0; n < 7; n++)
            assert_int_equal(advice_step(&advice, &patient, &quiet), ADVICE_NOTHING);
    }
    assert_int_equal(advice_step(&advice, &patient, &bad), ADVICE_CHANGE);
}

static void patience_has_an_end(void **state) {
    (void)state;
    struct advice advice = {0};
    (void)until(&advice, &patient, &bad, ADVICE_WATCH, 10);
    assert_int_equal(until(&advice, &patient, &quiet, ADVICE_UNWATCH, 1000), 40);
    assert_true(advice.rest > 0);
}

static void what_helped_stays_and_the_gain_is_known(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&watched);
    assert_int_equal(advice.state, ADVICE_SETTLED);
    assert_int_equal(advice.before, 100);
    assert_int_equal(advice.after, 10);
    assert_int_equal(advice_gain(&advice), 90);
}

static void what_did_not_help_is_undone(void **state) {
    (void)state;
    struct advice advice = {0};
    (void)until(&advice, &watched, &bad, ADVICE_WATCH, 10);
    (void)until(&advice, &watched, &bad, ADVICE_CHANGE, 10);
    (void)until(&advice, &watched, &bad, ADVICE_UNDO, 10);
    assert_int_equal(advice.state, ADVICE_CALM);
    assert_int_equal(advice_gain(&advice), 0);
}

static void a_little_worse_is_worse_where_no_gain_is_asked_for(void **state) {
    (void)state;
    const struct advice_look worse = {1, 11, 100, 1};
    struct advice advice = {0};
    (void)until(&advice, &counted, &bad, ADVICE_CHANGE, 10);
    (void)until(&advice, &counted, &worse, ADVICE_UNDO, 10);
    assert_int_equal(advice_gain(&advice), -10);
}

static void probation_counts_looks_at_which_there_was_work(void **state) {
    (void)state;
    struct advice advice = {0};
    (void)until(&advice, &counted, &bad, ADVICE_CHANGE, 10);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(advice_step(&advice, &counted, &quiet), ADVICE_NOTHING);
    assert_int_equal(until(&advice, &counted, &good, ADVICE_SETTLE, 10), 5);
}

static void what_is_not_used_any_more_settles_without_a_claim(void **state) {
    (void)state;
    struct advice advice = {0};
    (void)until(&advice, &counted, &bad, ADVICE_CHANGE, 10);
    (void)until(&advice, &counted, &quiet, ADVICE_SETTLE, 1000);
    assert_false(advice.measured);
    assert_int_equal(advice_gain(&advice), 0);
}

static void what_is_not_called_for_any_more_is_taken_back(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&counted);
    assert_int_equal(until(&advice, &counted, &against, ADVICE_RETURN, 10), 3);
    assert_int_equal(advice.state, ADVICE_CALM);
}

static void now_and_then_against_is_not_for_good(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&counted);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(advice_step(&advice, &counted, i % 3 ? &against : &good), ADVICE_NOTHING);
}

static void what_counts_nothing_is_checked_and_taken_back_after_some_checks(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&watched);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(until(&advice, &watched, &quiet, ADVICE_WATCH, 1000), 50);
        if (i < 2)
            (void)until(&advice, &watched, &unneeded, ADVICE_UNWATCH, 1);
    }
    (void)until(&advice, &watched, &unneeded, ADVICE_RETURN, 1);
}

static void a_check_waits_for_a_look_that_says_something(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&patient);
    (void)until(&advice, &patient, &quiet, ADVICE_WATCH, 1000);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(advice_step(&advice, &patient, &quiet), ADVICE_NOTHING);
    assert_int_equal(advice_step(&advice, &patient, &good), ADVICE_UNWATCH);
    assert_int_equal(advice.against, 0);
}

static void checks_in_which_nothing_was_said_are_against_it_where_that_is_asked_for(void **state) {
    (void)state;
    struct advice_rules lenient = patient;
    lenient.silence = false;
    struct advice strict = made_and_settled(&patient), other = made_and_settled(&lenient);
    for (unsigned i = 0; i < 3; i++) {
        (void)until(&strict, &patient, &quiet, ADVICE_WATCH, 1000);
        assert_int_equal(
            until(&strict, &patient, &quiet, i < 2 ? ADVICE_UNWATCH : ADVICE_RETURN, 1000), 40);
        (void)until(&other, &lenient, &quiet, ADVICE_WATCH, 1000);
        (void)until(&other, &lenient, &quiet, ADVICE_UNWATCH, 1000);
    }
    assert_int_equal(other.state, ADVICE_SETTLED);
}

static void one_check_that_finds_it_needed_clears_those_that_did_not(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&watched);
    for (unsigned i = 0; i < 30; i++) {
        (void)until(&advice, &watched, &quiet, ADVICE_WATCH, 1000);
        (void)until(&advice, &watched, i % 3 ? &unneeded : &good, ADVICE_UNWATCH, 1);
    }
}

static void a_change_that_could_not_be_made_is_tried_again_after_a_rest(void **state) {
    (void)state;
    struct advice advice = {0};
    for (unsigned i = 0; i < 3; i++) {
        while (advice_step(&advice, &counted, &bad) != ADVICE_CHANGE)
            continue;
        advice_changed(&advice, false);
        assert_int_equal(advice.state, ADVICE_CALM);
        assert_true(advice.rest > 0);
    }
}

static void who_may_only_advise_says_so_less_and_less(void **state) {
    (void)state;
    struct advice advice = {0};
    unsigned said = 0;
    for (unsigned i = 0; i < 10000; i++)
        if (advice_step(&advice, &counted, &bad) == ADVICE_CHANGE) {
            advice_declined(&advice);
            said++;
        }
    assert_in_range(said, 2, 12);
}

static void a_way_back_that_could_not_be_made_is_tried_again(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&counted);
    for (unsigned i = 0; i < 3; i++) {
        while (advice_step(&advice, &counted, &against) != ADVICE_RETURN)
            continue;
        advice_returned(&advice, false);
        assert_int_equal(advice.state, ADVICE_SETTLED);
    }
}

static void what_somebody_else_has_changed_begins_anew(void **state) {
    (void)state;
    struct advice advice = made_and_settled(&counted);
    advice_forget(&advice);
    assert_int_equal(advice.state, ADVICE_CALM);
    assert_true(advice.rest > 0);
}

/* Whatever its period, load that alternates makes few changes in a quarter of an hour. */
static void alternating_load_is_not_followed_for_long(void **state) {
    (void)state;
    for (unsigned period = 1; period < 2000; period += period < 20 ? 1 : period / 3) {
        struct advice advice = {0};
        unsigned changes = 0;
        for (unsigned i = 0; i < 10000; i++) {
            const struct advice_look *look = i / period % 2 ? &against : &bad;
            enum advice_act act = advice_step(&advice, &counted, look);
            if (act == ADVICE_CHANGE) {
                changes++;
                advice_changed(&advice, true);
            }
            if (act == ADVICE_UNDO || act == ADVICE_RETURN) {
                changes++;
                advice_returned(&advice, true);
            }
        }
        if (changes > 24)
            fail_msg("%u changes with a period of %u looks", changes, period);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_look_decides_nothing),
        cmocka_unit_test(votes_that_are_old_are_forgotten),
        cmocka_unit_test(what_is_called_for_again_and_again_is_done),
        cmocka_unit_test(in_doubt_it_is_watched_before_anything_is_done),
        cmocka_unit_test(what_watching_does_not_confirm_is_let_be_for_longer_each_time),
        cmocka_unit_test(looks_that_say_nothing_are_waited_through_with_patience),
        cmocka_unit_test(patience_has_an_end),
        cmocka_unit_test(what_helped_stays_and_the_gain_is_known),
        cmocka_unit_test(what_did_not_help_is_undone),
        cmocka_unit_test(a_little_worse_is_worse_where_no_gain_is_asked_for),
        cmocka_unit_test(probation_counts_looks_at_which_there_was_work),
        cmocka_unit_test(what_is_not_used_any_more_settles_without_a_claim),
        cmocka_unit_test(what_is_not_called_for_any_more_is_taken_back),
        cmocka_unit_test(now_and_then_against_is_not_for_good),
        cmocka_unit_test(what_counts_nothing_is_checked_and_taken_back_after_some_checks),
        cmocka_unit_test(a_check_waits_for_a_look_that_says_something),
        cmocka_unit_test(checks_in_which_nothing_was_said_are_against_it_where_that_is_asked_for),
        cmocka_unit_test(one_check_that_finds_it_needed_clears_those_that_did_not),
        cmocka_unit_test(a_change_that_could_not_be_made_is_tried_again_after_a_rest),
        cmocka_unit_test(who_may_only_advise_says_so_less_and_less),
        cmocka_unit_test(a_way_back_that_could_not_be_made_is_tried_again),
        cmocka_unit_test(what_somebody_else_has_changed_begins_anew),
        cmocka_unit_test(alternating_load_is_not_followed_for_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
