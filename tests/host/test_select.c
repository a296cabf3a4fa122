/*
 * Choosing a class by what it is good at.
 */
#include "class_fixture.h"

#define WITH_TRAITS(symbol, name_, traits_)                                                        \
    static struct k42_class symbol = {TALLY_PLAIN(name_, 1), .traits = traits_}

WITH_TRAITS(plain, "tally.none", NULL);
WITH_TRAITS(stream, "tally.stream", "access=stream sharing=low");
WITH_TRAITS(shared, "tally.shared", "access=random sharing=high");
WITH_TRAITS(special, "tally.special", "access=stream sharing=low size=small");
WITH_TRAITS(late, "tally.late", "sharing=low access=stream");

static int choose_open(void **state) {
    if (classes_open(state) < 0)
        return -1;
    must_register(&plain);
    must_register(&special);
    must_register(&stream);
    must_register(&shared);
    must_register(&late);
    return 0;
}
#define CHOICE_TEST(test) cmocka_unit_test_setup_teardown(test, choose_open, classes_close)

static struct k42_class *chosen(const char *traits) {
    struct k42_class *found = NULL;
    assert_int_equal(k42_select(&tally_interface, traits, &found), 0);
    return found;
}

static k42_result not_chosen(const char *traits) {
    struct k42_class *found = NULL;
    return k42_select(&tally_interface, traits, &found);
}

static void class_that_agrees_is_chosen(void **state) {
    (void)state;
    assert_ptr_equal(chosen("sharing=high"), &shared);
    assert_ptr_equal(chosen("size=small"), &special);
}

static void order_of_traits_does_not_matter(void **state) {
    (void)state;
    assert_ptr_equal(chosen("access=random sharing=high"), &shared);
    assert_ptr_equal(chosen("sharing=high access=random"), &shared);
}

static void spaces_around_traits_do_not_matter(void **state) {
    (void)state;
    assert_ptr_equal(chosen("  sharing=high   access=random "), &shared);
}

static void contradiction_rules_out_whatever_else_agrees(void **state) {
    (void)state;
    assert_int_equal(not_chosen("access=stream sharing=high"), -ENOENT);
    assert_int_equal(not_chosen("access=stream sharing=low size=large access=random"), -ENOENT);
    assert_ptr_equal(chosen("access=stream sharing=low size=large"), &stream);
}

static void more_agreement_wins_over_fewer_further_traits(void **state) {
    (void)state;
    assert_ptr_equal(chosen("access=stream sharing=low size=small"), &special);
}

static void among_equals_fewer_further_traits_win(void **state) {
    (void)state;
    assert_ptr_equal(chosen("access=stream sharing=low"), &stream);
    assert_ptr_equal(chosen("sharing=low"), &stream);
}

static void among_equals_the_earlier_registered_wins(void **state) {
    (void)state;
    assert_ptr_equal(chosen("access=stream"), &stream);
    struct k42_class_info info = class_info(&late);
    assert_true(info.current);
}

static void trait_nobody_speaks_of_finds_nothing(void **state) {
    (void)state;
    assert_int_equal(not_chosen("colour=red"), -ENOENT);
}

static void no_wishes_find_the_plainest(void **state) {
    (void)state;
    assert_ptr_equal(chosen(""), &plain);
    assert_ptr_equal(chosen("   "), &plain);
}

static void key_or_value_that_only_begins_alike_does_not_agree(void **state) {
    (void)state;
    assert_int_equal(not_chosen("sharing=hi"), -ENOENT);
    assert_int_equal(not_chosen("sharing=higher"), -ENOENT);
    assert_int_equal(not_chosen("share=high"), -ENOENT);
}

static void malformed_traits_are_refused(void **state) {
    (void)state;
    assert_int_equal(not_chosen("sharing"), -EINVAL);
    assert_int_equal(not_chosen("sharing="), -EINVAL);
    assert_int_equal(not_chosen("=high"), -EINVAL);
    assert_int_equal(not_chosen("sharing=high access"), -EINVAL);
    assert_int_equal(not_chosen("sharing = high"), -EINVAL);
}

static void class_of_another_interface_is_not_chosen(void **state) {
    (void)state;
    struct k42_class *found;
    assert_int_equal(k42_select(&k42_factory_interface, "sharing=high", &found), -ENOENT);
    assert_int_equal(k42_select(&k42_factory_interface, "", &found), -ENOENT);
}

static void only_the_current_version_is_chosen(void **state) {
    (void)state;
    static struct k42_class newer = {TALLY_PLAIN("tally.shared", 2),
                                     .traits = "access=random sharing=high"};
    must_register(&newer);
    assert_ptr_equal(chosen("sharing=high"), &shared);
    upgrade_to(&newer, 0);
    assert_ptr_equal(chosen("sharing=high"), &newer);
}

static void current_version_without_the_trait_hides_the_older_with_it(void **state) {
    (void)state;
    static struct k42_class newer = {TALLY_PLAIN("tally.shared", 2), .traits = "sharing=low"};
    must_register(&newer);
    upgrade_to(&newer, 0);
    assert_int_equal(not_chosen("sharing=high"), -ENOENT);
}

static void nothing_registered_finds_nothing(void **state) {
    (void)state;
    assert_int_equal(not_chosen(""), -ENOENT);
    assert_int_equal(not_chosen("sharing=high"), -ENOENT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CHOICE_TEST(class_that_agrees_is_chosen),
        CHOICE_TEST(order_of_traits_does_not_matter),
        CHOICE_TEST(spaces_around_traits_do_not_matter),
        CHOICE_TEST(contradiction_rules_out_whatever_else_agrees),
        CHOICE_TEST(more_agreement_wins_over_fewer_further_traits),
        CHOICE_TEST(among_equals_fewer_further_traits_win),
        CHOICE_TEST(among_equals_the_earlier_registered_wins),
        CHOICE_TEST(trait_nobody_speaks_of_finds_nothing),
        CHOICE_TEST(no_wishes_find_the_plainest),
        CHOICE_TEST(key_or_value_that_only_begins_alike_does_not_agree),
        CHOICE_TEST(malformed_traits_are_refused),
        CHOICE_TEST(class_of_another_interface_is_not_chosen),
        CHOICE_TEST(only_the_current_version_is_chosen),
        CHOICE_TEST(current_version_without_the_trait_hides_the_older_with_it),
        CLASS_TEST(nothing_registered_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
