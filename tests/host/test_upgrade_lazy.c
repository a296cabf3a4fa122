/*
 * Lazy upgrade: nothing happens to an instance until somebody uses it; who uses it does not wait.
 *
 * The swapper does the converting; flushing it makes what was queued before certain.
 */
#include "class_fixture.h"

#include <unistd.h>

#define MANY   1500 /* more than two pages of slots */
#define A_PAGE 512

static k42_ref refs[MANY];

static int lazy_open(void **state) {
    if (classes_open(state) < 0)
        return -1;
    must_register(&tally_1);
    must_register(&tally_2);
    return 0;
}
#define LAZY_TEST(test) cmocka_unit_test_setup_teardown(test, lazy_open, classes_close)

static void make_refs(long count) {
    for (long i = 0; i < count; i++)
        refs[i] = make(&tally_1, i);
}

static void destroy_refs(long count) {
    for (long i = 0; i < count; i++)
        destroy(refs[i]);
}

static long of_version(long count, uint32_t wanted) {
    long found = 0;
    for (long i = 0; i < count; i++)
        found += inspected_version(refs[i]) == wanted;
    return found;
}

static struct k42_upgrade lazily_to(struct k42_class *to) {
    struct k42_upgrade upgrade = {.to = to, .mode = K42_UPGRADE_LAZY};
    assert_int_equal(k42_upgrade(&upgrade), 0);
    return upgrade;
}

static void unused_instance_stays_as_it_is(void **state) {
    (void)state;
    make_refs(3);
    struct k42_upgrade upgrade = lazily_to(&tally_2);
    assert_int_equal(upgrade.total, 3);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(of_version(3, 1), 3);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_2);
    destroy_refs(3);
}

static void first_use_is_answered_by_the_old_version_and_converts(void **state) {
    (void)state;
    make_refs(3);
    lazily_to(&tally_2);
    k42_enter();
    /* The swap waits until this thread has left, so this call is certain to come before it. */
    k42_result answered = k42_call((tally_ref)refs[1], version);
    k42_exit();
    assert_int_equal(answered, 1);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(version(refs[1]), 2);
    assert_int_equal(inspected_version(refs[0]), 1);
    assert_int_equal(inspected_version(refs[2]), 1);
    for (long i = 0; i < 3; i++)
        assert_int_equal(value(refs[i]), i);
    destroy_refs(3);
}

static void instance_used_before_is_converted_at_its_next_use(void **state) {
    (void)state;
    make_refs(1);
    assert_int_equal(add(refs[0], 4), 0);
    lazily_to(&tally_2);
    assert_int_equal(add(refs[0], 4), 0);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(inspected_version(refs[0]), 2);
    assert_int_equal(value(refs[0]), 8);
    destroy_refs(1);
}

static void looking_is_no_use(void **state) {
    (void)state;
    make_refs(1);
    lazily_to(&tally_2);
    assert_int_equal(class_info(&tally_1).instances, 1);
    assert_int_equal(inspected_version(refs[0]), 1);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(inspected_version(refs[0]), 1);
    destroy_refs(1);
}

static void new_instance_is_of_the_new_version_at_once(void **state) {
    (void)state;
    make_refs(1);
    lazily_to(&tally_2);
    assert_int_equal(make_by_name("tally.plain", &refs[1]), 0);
    assert_int_equal(version(refs[1]), 2);
    destroy_refs(2);
}

static void marked_instance_can_be_destroyed_unused(void **state) {
    (void)state;
    make_refs(3);
    lazily_to(&tally_2);
    struct k42_stats before = stats_now();
    destroy_refs(3);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(stats_now().swaps, before.swaps);
    assert_int_equal(value(refs[0]), -K42_STALE);
}

static void instance_destroyed_right_after_its_use_is_gone(void **state) {
    (void)state;
    make_refs(1);
    lazily_to(&tally_2);
    k42_enter();
    k42_result answered = k42_call((tally_ref)refs[0], version);
    k42_result destroyed = k42_destroy(refs[0]);
    k42_exit();
    assert_int_equal(answered, 1);
    assert_int_equal(destroyed, 0);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(value(refs[0]), -K42_STALE);
}

static void every_instance_is_converted_by_use(void **state) {
    (void)state;
    make_refs(MANY);
    struct k42_upgrade upgrade = lazily_to(&tally_2);
    assert_int_equal(upgrade.total, MANY);
    for (long i = 0; i < MANY; i++)
        assert_int_equal(value(refs[i]), i);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(of_version(MANY, 2), MANY);
    for (long i = 0; i < MANY; i++)
        assert_int_equal(value(refs[i]), i);
    destroy_refs(MANY);
}

static void eager_upgrade_converts_what_a_lazy_one_has_left(void **state) {
    (void)state;
    make_refs(10);
    lazily_to(&tally_2);
    for (long i = 0; i < 4; i++)
        assert_int_equal(value(refs[i]), i);
    assert_int_equal(k42_swap_flush(), 0);
    struct k42_upgrade rest = upgrade_to(&tally_2, 0);
    assert_int_equal(rest.total, 6);
    assert_int_equal(rest.converted, 6);
    assert_int_equal(of_version(10, 2), 10);
    destroy_refs(10);
}

static void mark_of_an_upgrade_taken_back_means_nothing(void **state) {
    (void)state;
    make_refs(3);
    lazily_to(&tally_2);
    upgrade_to(&tally_1, 0);
    struct k42_stats before = stats_now();
    for (long i = 0; i < 3; i++)
        assert_int_equal(value(refs[i]), i);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(of_version(3, 1), 3);
    assert_int_equal(stats_now().swaps, before.swaps);
    destroy_refs(3);
}

static int stop_at_once(struct k42_upgrade *upgrade) {
    (void)upgrade;
    return 1;
}

static void aborted_lazy_upgrade_leaves_pages_unmarked(void **state) {
    (void)state;
    make_refs(MANY);
    struct k42_upgrade upgrade = {
        .to = &tally_2, .mode = K42_UPGRADE_LAZY, .progress = stop_at_once};
    assert_int_equal(k42_upgrade(&upgrade), -ECANCELED);
    assert_true(upgrade.aborted);
    for (long i = 0; i < MANY; i++)
        assert_int_equal(value(refs[i]), i);
    assert_int_equal(k42_swap_flush(), 0);
    assert_in_range(of_version(MANY, 2), 1, A_PAGE);
    destroy_refs(MANY);
}

static void instance_that_fails_lazily_goes_on_as_it_was(void **state) {
    (void)state;
    must_register(&tally_picky);
    make_refs(2);
    lazily_to(&tally_picky);
    for (long i = 0; i < 2; i++)
        assert_int_equal(value(refs[i]), i);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(inspected_version(refs[0]), 3);
    assert_int_equal(inspected_version(refs[1]), 1);
    assert_int_equal(value(refs[1]), 1);
    destroy_refs(2);
}

static void instance_held_up_at_its_turn_is_converted_at_a_later_use(void **state) {
    (void)state;
    make_refs(1);
    lazily_to(&tally_2);
    uint64_t aborts = stats_now().swap_aborts;
    k42_enter();
    assert_int_equal(k42_call((tally_ref)refs[0], version), 1);
    /* This thread stays inside until the swapper has made its eight attempts. */
    while (stats_now().swap_aborts < aborts + 8)
        usleep(1000);
    k42_exit();
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(inspected_version(refs[0]), 1);
    assert_int_equal(version(refs[0]), 1);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(inspected_version(refs[0]), 2);
    destroy_refs(1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        LAZY_TEST(unused_instance_stays_as_it_is),
        LAZY_TEST(first_use_is_answered_by_the_old_version_and_converts),
        LAZY_TEST(instance_used_before_is_converted_at_its_next_use),
        LAZY_TEST(looking_is_no_use),
        LAZY_TEST(new_instance_is_of_the_new_version_at_once),
        LAZY_TEST(marked_instance_can_be_destroyed_unused),
        LAZY_TEST(instance_destroyed_right_after_its_use_is_gone),
        LAZY_TEST(every_instance_is_converted_by_use),
        LAZY_TEST(eager_upgrade_converts_what_a_lazy_one_has_left),
        LAZY_TEST(mark_of_an_upgrade_taken_back_means_nothing),
        LAZY_TEST(aborted_lazy_upgrade_leaves_pages_unmarked),
        LAZY_TEST(instance_that_fails_lazily_goes_on_as_it_was),
        LAZY_TEST(instance_held_up_at_its_turn_is_converted_at_a_later_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
