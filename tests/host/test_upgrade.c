/*
 * Upgrade, step by step: every instance, what is counted, what becomes of those that fail.
 *
 * With other threads at work at the same time: test_upgrade_load.c.
 */
#include "class_fixture.h"

#include <stdbool.h>

#define MANY 1500 /* more than two pages of slots */

static k42_ref refs[MANY];

static int upgrade_open(void **state) {
    if (classes_open(state) < 0)
        return -1;
    must_register(&tally_1);
    must_register(&tally_2);
    return 0;
}
#define UPGRADE_TEST(test) cmocka_unit_test_setup_teardown(test, upgrade_open, classes_close)

/* `count` instances of version 1 with the totals 0, 1, 2, ... */
static void make_refs(long count) {
    for (long i = 0; i < count; i++)
        refs[i] = make(&tally_1, i);
}

static void destroy_refs(long count) {
    for (long i = 0; i < count; i++)
        destroy(refs[i]);
}

static void assert_totals(long count) {
    for (long i = 0; i < count; i++)
        assert_int_equal(value(refs[i]), i);
}

/* How many of the first `count` are of a version; looking does not use them. */
static long of_version(long count, uint32_t wanted) {
    long found = 0;
    for (long i = 0; i < count; i++)
        found += inspected_version(refs[i]) == wanted;
    return found;
}

/* ---- eagerly ---- */

static void upgrade_converts_every_instance(void **state) {
    (void)state;
    make_refs(MANY);
    struct k42_upgrade upgrade = upgrade_to(&tally_2, 0);
    assert_int_equal(upgrade.total, MANY);
    assert_int_equal(upgrade.converted, MANY);
    assert_int_equal(upgrade.failed + upgrade.vanished, 0);
    assert_false(upgrade.aborted);
    assert_int_equal(of_version(MANY, 2), MANY);
    assert_int_equal(class_info(&tally_1).instances, 0);
    assert_int_equal(class_info(&tally_2).instances, MANY);
    assert_totals(MANY);
    destroy_refs(MANY);
}

static void upgrade_of_no_instances_turns_the_factory(void **state) {
    (void)state;
    struct k42_upgrade upgrade = upgrade_to(&tally_2, 0);
    assert_int_equal(upgrade.total, 0);
    assert_int_equal(make_by_name("tally.plain", &refs[0]), 0);
    assert_int_equal(version(refs[0]), 2);
    destroy_refs(1);
}

static void upgrade_to_what_is_there_converts_nothing(void **state) {
    (void)state;
    make_refs(3);
    struct k42_stats before = stats_now();
    struct k42_upgrade upgrade = upgrade_to(&tally_1, 0);
    assert_int_equal(upgrade.total, 0);
    assert_int_equal(stats_now().swaps, before.swaps);
    destroy_refs(3);
}

static void upgrade_leaves_other_families_alone(void **state) {
    (void)state;
    must_register(&tally_other);
    make_refs(2);
    refs[2] = make(&tally_other, 2);
    struct k42_upgrade upgrade = upgrade_to(&tally_2, 0);
    assert_int_equal(upgrade.total, 2);
    assert_int_equal(version(refs[2]), 1);
    assert_int_equal(class_info(&tally_other).instances, 1);
    assert_totals(3);
    destroy_refs(3);
}

static void downgrade_carries_a_larger_state_back(void **state) {
    (void)state;
    make_refs(100);
    upgrade_to(&tally_2, 0);
    for (long i = 0; i < 100; i++)
        for (int k = 0; k < 20; k++)
            assert_int_equal(add(refs[i], 3), 0);
    struct k42_upgrade back = upgrade_to(&tally_1, 0);
    assert_int_equal(back.converted, 100);
    assert_int_equal(of_version(100, 1), 100);
    for (long i = 0; i < 100; i++)
        assert_int_equal(value(refs[i]), i + 60);
    struct k42_upgrade again = upgrade_to(&tally_2, 0);
    assert_int_equal(again.converted, 100);
    for (long i = 0; i < 100; i++)
        assert_int_equal(value(refs[i]), i + 60);
    destroy_refs(100);
}

static void hundred_thousand_instances_are_upgraded(void **state) {
    (void)state;
    const long count = 100000;
    k42_ref *all = malloc(sizeof *all * (size_t)count);
    assert_non_null(all);
    for (long i = 0; i < count; i++)
        all[i] = make(&tally_1, i);
    struct k42_upgrade upgrade = upgrade_to(&tally_2, 0);
    assert_int_equal(upgrade.total, count);
    assert_int_equal(upgrade.converted, count);
    long wrong = 0;
    for (long i = 0; i < count; i++) {
        wrong += value(all[i]) != i || version(all[i]) != 2;
        destroy(all[i]);
    }
    assert_int_equal(wrong, 0);
    free(all);
}

static enum k42_verdict count_call(struct k42_hook *hook, struct k42_invocation *call) {
    (void)call;
    ++*(long *)hook->context;
    return K42_PROCEED;
}

static void interposed_instance_is_upgraded_under_its_hook(void **state) {
    (void)state;
    long calls = 0;
    struct k42_hook hook = {.before = count_call, .context = &calls};
    make_refs(2);
    assert_int_equal(k42_interpose(refs[1], &hook), 0);
    struct k42_upgrade upgrade = upgrade_to(&tally_2, 0);
    assert_int_equal(upgrade.converted, 2);
    assert_int_equal(version(refs[1]), 2);
    assert_int_equal(value(refs[1]), 1);
    assert_int_equal(calls, 2);
    assert_int_equal(k42_release(&hook), 0);
    assert_int_equal(version(refs[1]), 2);
    destroy_refs(2);
}

/* ---- progress, abort, what happens between batches ---- */

struct progress {
    int calls, stop_at;
    uint64_t converted[16];
    void (*between)(void);
};

static int note_progress(struct k42_upgrade *upgrade) {
    struct progress *progress = upgrade->context;
    progress->converted[progress->calls++ % 16] = upgrade->converted;
    if (progress->between && progress->calls == 1)
        progress->between();
    return progress->calls == progress->stop_at;
}

static struct k42_upgrade upgrade_in_batches(struct progress *progress, uint32_t batch,
                                             k42_result expected) {
    struct k42_upgrade upgrade = {
        .to = &tally_2, .batch = batch, .progress = note_progress, .context = progress};
    assert_int_equal(k42_upgrade(&upgrade), expected);
    return upgrade;
}

static void progress_is_told_after_each_batch(void **state) {
    (void)state;
    struct progress progress = {0};
    make_refs(25);
    upgrade_in_batches(&progress, 10, 0);
    assert_int_equal(progress.calls, 3);
    assert_int_equal(progress.converted[0], 10);
    assert_int_equal(progress.converted[1], 20);
    assert_int_equal(progress.converted[2], 25);
    destroy_refs(25);
}

static void aborted_upgrade_keeps_what_it_has_converted(void **state) {
    (void)state;
    struct progress progress = {.stop_at = 2};
    make_refs(25);
    struct k42_upgrade upgrade = upgrade_in_batches(&progress, 10, -ECANCELED);
    assert_true(upgrade.aborted);
    assert_int_equal(upgrade.total, 25);
    assert_int_equal(upgrade.converted, 20);
    assert_int_equal(of_version(25, 2), 20);
    assert_int_equal(of_version(25, 1), 5);
    assert_totals(25);
    destroy_refs(25);
}

static void aborted_upgrade_can_be_completed(void **state) {
    (void)state;
    struct progress progress = {.stop_at = 1};
    make_refs(25);
    upgrade_in_batches(&progress, 10, -ECANCELED);
    struct k42_upgrade rest = upgrade_to(&tally_2, 0);
    assert_int_equal(rest.total, 15);
    assert_int_equal(rest.converted, 15);
    assert_totals(25);
    destroy_refs(25);
}

static void destroy_three(void) {
    for (int i = 20; i < 23; i++)
        destroy(refs[i]);
}

static void instance_destroyed_before_its_turn_has_vanished(void **state) {
    (void)state;
    struct progress progress = {.between = destroy_three};
    make_refs(25);
    struct k42_upgrade upgrade = upgrade_in_batches(&progress, 10, 0);
    assert_int_equal(upgrade.total, 25);
    assert_int_equal(upgrade.converted, 22);
    assert_int_equal(upgrade.vanished, 3);
    assert_int_equal(upgrade.failed, 0);
    destroy_refs(20);
    destroy(refs[23]);
    destroy(refs[24]);
}

/*
 * Destroys the last instance, then enough others that its number leaves the queue of whoever freed
 * it, and makes strangers until one has it. Debug builds never use a number again: no stranger has.
 */
#define CROWD 8192
static k42_ref crowd[CROWD];

static void crowd_make(void) {
    for (long i = 0; i < CROWD; i++)
        crowd[i] = make(&tally_other, i);
}

static void crowd_destroy(void) {
    for (long i = 0; i < CROWD; i++)
        destroy(crowd[i]);
    for (int round = 0; round < 3; round++)
        assert_int_equal(k42_defer_flush(), 0);
}

static void replace_last_by_a_stranger(void) {
    crowd_make();
    destroy(refs[24]);
    crowd_destroy();
    crowd_make();
}

static __attribute__((unused)) bool in_crowd(k42_ref ref) {
    for (long i = 0; i < CROWD; i++)
        if (crowd[i] == ref)
            return true;
    return false;
}

static void stranger_under_the_number_of_a_destroyed_instance_stays_what_it_is(void **state) {
    (void)state;
    struct progress progress = {.between = replace_last_by_a_stranger};
    must_register(&tally_other);
    make_refs(25);
    struct k42_upgrade upgrade = upgrade_in_batches(&progress, 10, 0);
#ifndef K42_DEBUG
    assert_true(in_crowd(refs[24]));
#endif
    assert_int_equal(class_info(&tally_other).instances, CROWD);
    assert_int_equal(upgrade.converted, 24);
    assert_int_equal(upgrade.vanished, 1);
    crowd_destroy();
    destroy_refs(24);
}

static struct k42_upgrade second_upgrade;
static k42_result second_result;

static void upgrade_a_second_time(void) {
    second_upgrade = (struct k42_upgrade){.to = &tally_1};
    second_result = k42_upgrade(&second_upgrade);
}

static void second_upgrade_of_a_class_at_once_is_busy(void **state) {
    (void)state;
    struct progress progress = {.between = upgrade_a_second_time};
    make_refs(25);
    struct k42_upgrade upgrade = upgrade_in_batches(&progress, 10, 0);
    assert_int_equal(second_result, -EBUSY);
    assert_int_equal(upgrade.converted, 25);
    upgrade_to(&tally_1, 0);
    destroy_refs(25);
}

static struct k42_class other_2 = {TALLY_PLAIN("tally.other", 2)};

static void upgrade_the_other_class(void) {
    second_upgrade = (struct k42_upgrade){.to = &other_2};
    second_result = k42_upgrade(&second_upgrade);
}

static void upgrade_of_another_class_at_once_is_not_busy(void **state) {
    (void)state;
    struct progress progress = {.between = upgrade_the_other_class};
    must_register(&tally_other);
    must_register(&other_2);
    make_refs(25);
    refs[25] = make(&tally_other, 25);
    struct k42_upgrade upgrade = upgrade_in_batches(&progress, 10, 0);
    assert_int_equal(second_result, 0);
    assert_int_equal(second_upgrade.converted, 1);
    assert_int_equal(upgrade.converted, 25);
    assert_totals(26);
    destroy_refs(26);
}

/* ---- failures ---- */

static void instances_that_fail_are_counted_and_stay_as_they_were(void **state) {
    (void)state;
    must_register(&tally_picky);
    make_refs(25);
    struct k42_upgrade upgrade = upgrade_to(&tally_picky, -EIO);
    assert_int_equal(upgrade.total, 25);
    assert_int_equal(upgrade.converted, 13);
    assert_int_equal(upgrade.failed, 12);
    assert_int_equal(upgrade.last_failure.result, -EIO);
    assert_string_not_equal(upgrade.last_failure.text, "");
    for (long i = 0; i < 25; i++)
        assert_int_equal(version(refs[i]), i % 2 ? 1 : 3);
    assert_totals(25);
    for (long i = 0; i < 25; i++)
        assert_int_equal(add(refs[i], i), 0);
    struct k42_upgrade rest = upgrade_to(&tally_picky, 0);
    assert_int_equal(rest.converted, 12);
    for (long i = 0; i < 25; i++)
        assert_int_equal(value(refs[i]), 2 * i);
    destroy_refs(25);
}

static void upgrade_without_a_common_format_changes_nothing(void **state) {
    (void)state;
    must_register(&tally_alien);
    make_refs(3);
    struct k42_upgrade upgrade = upgrade_to(&tally_alien, -ENOTSUP);
    assert_int_equal(upgrade.converted + upgrade.failed, 0);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_1);
    assert_int_equal(make_by_name("tally.plain", &refs[3]), 0);
    assert_int_equal(version(refs[3]), 1);
    destroy_refs(4);
}

static void new_ones_only_need_no_common_format(void **state) {
    (void)state;
    must_register(&tally_alien);
    make_refs(1);
    struct k42_upgrade upgrade = {.to = &tally_alien, .mode = K42_UPGRADE_NEW_ONLY};
    assert_int_equal(k42_upgrade(&upgrade), 0);
    assert_int_equal(make_by_name("tally.plain", &refs[1]), 0);
    assert_int_equal(version(refs[0]), 1);
    assert_int_equal(version(refs[1]), 4);
    destroy_refs(2);
}

static void unregistered_version_is_not_found(void **state) {
    (void)state;
    make_refs(1);
    upgrade_to(&tally_picky, -ENOENT);
    assert_int_equal(version(refs[0]), 1);
    destroy_refs(1);
}

static void upgrade_from_an_active_thread_is_refused(void **state) {
    (void)state;
    struct k42_upgrade upgrade = {.to = &tally_2};
    k42_enter();
    k42_result result = k42_upgrade(&upgrade);
    k42_exit();
    assert_int_equal(result, -EDEADLK);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_1);
}

static struct { uint32_t inside, go_on; } gate;

static enum k42_verdict hold_call(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook;
    (void)call;
    word_store(&gate.inside, 1);
    word_await(&gate.go_on, 1);
    return K42_PROCEED;
}

static void *add_to_last(void *argument) {
    (void)argument;
    if (add(refs[4], 1) < 0)
        abort();
    return NULL;
}

static void instance_held_up_by_a_call_fails_alone_and_says_by_whom(void **state) {
    (void)state;
    struct k42_hook hook = {.before = hold_call};
    gate.inside = gate.go_on = 0;
    make_refs(5);
    assert_int_equal(k42_interpose(refs[4], &hook), 0);
    pthread_t caller = begin_thread(add_to_last, NULL);
    word_await(&gate.inside, 1);
    struct k42_upgrade upgrade = {.to = &tally_2, .deadline_ns = 1000000, .attempts = 1};
    assert_int_equal(k42_upgrade(&upgrade), -EIO);
    assert_int_equal(upgrade.converted, 4);
    assert_int_equal(upgrade.failed, 1);
    assert_int_equal(upgrade.last_failure.result, -ETIMEDOUT);
    assert_string_equal(upgrade.last_failure.holder_name, "helper");
    assert_int_equal(inspected_version(refs[4]), 1);
    word_store(&gate.go_on, 1);
    end_thread(caller);
    assert_int_equal(k42_release(&hook), 0);
    upgrade_to(&tally_2, 0);
    assert_int_equal(version(refs[4]), 2);
    assert_int_equal(value(refs[4]), 5);
    destroy_refs(5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        UPGRADE_TEST(upgrade_converts_every_instance),
        UPGRADE_TEST(upgrade_of_no_instances_turns_the_factory),
        UPGRADE_TEST(upgrade_to_what_is_there_converts_nothing),
        UPGRADE_TEST(upgrade_leaves_other_families_alone),
        UPGRADE_TEST(downgrade_carries_a_larger_state_back),
        UPGRADE_TEST(hundred_thousand_instances_are_upgraded),
        UPGRADE_TEST(interposed_instance_is_upgraded_under_its_hook),
        UPGRADE_TEST(progress_is_told_after_each_batch),
        UPGRADE_TEST(aborted_upgrade_keeps_what_it_has_converted),
        UPGRADE_TEST(aborted_upgrade_can_be_completed),
        UPGRADE_TEST(instance_destroyed_before_its_turn_has_vanished),
        UPGRADE_TEST(stranger_under_the_number_of_a_destroyed_instance_stays_what_it_is),
        UPGRADE_TEST(second_upgrade_of_a_class_at_once_is_busy),
        UPGRADE_TEST(upgrade_of_another_class_at_once_is_not_busy),
        UPGRADE_TEST(instances_that_fail_are_counted_and_stay_as_they_were),
        UPGRADE_TEST(upgrade_without_a_common_format_changes_nothing),
        UPGRADE_TEST(new_ones_only_need_no_common_format),
        UPGRADE_TEST(unregistered_version_is_not_found),
        UPGRADE_TEST(upgrade_from_an_active_thread_is_refused),
        UPGRADE_TEST(instance_held_up_by_a_call_fails_alone_and_says_by_whom),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
