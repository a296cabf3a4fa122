/*
 * Classes: how they come to be known, what is refused and how that is told, and factories.
 */
#include "class_fixture.h"

/* ---- registration ---- */

K42_CLASS(tally_section) = {TALLY_PLAIN("tally.section", 7)};

static void class_of_the_section_is_registered_at_load(void **state) {
    (void)state;
    assert_ptr_equal(k42_class_find("tally.section"), &tally_section);
    struct k42_class_info info = class_info(&tally_section);
    assert_null(info.component);
    assert_true(info.current);
    assert_int_equal(info.instances, 0);
    assert_int_equal(classes_listed(), 1);
}

static void class_is_registered_by_hand(void **state) {
    (void)state;
    k42_ref ref;
    assert_null(k42_class_find("tally.plain"));
    assert_int_equal(k42_create(&tally_1, NULL, &ref), -ENOENT);
    must_register(&tally_1);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_1);
    ref = make(&tally_1, 5);
    assert_int_equal(value(ref), 5);
    destroy(ref);
}

static void class_can_be_registered_without_wanting_to_know_why_not(void **state) {
    (void)state;
    assert_int_equal(k42_class_register(&tally_1, NULL, 0), 0);
    assert_int_equal(k42_class_register(&tally_1, NULL, 0), -EEXIST);
}

static void newer_version_waits_until_an_upgrade_makes_it_current(void **state) {
    (void)state;
    must_register(&tally_1);
    must_register(&tally_2);
    assert_true(class_info(&tally_1).current);
    assert_false(class_info(&tally_2).current);
    upgrade_to(&tally_2, 0);
    assert_false(class_info(&tally_1).current);
    assert_true(class_info(&tally_2).current);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_2);
}

static void listing_stops_when_the_visitor_says_so(void **state) {
    (void)state;
    must_register(&tally_1);
    struct k42_class_info first = class_info(&tally_section);
    assert_ptr_equal(first.class_, &tally_section);
    assert_int_equal(classes_listed(), 2);
}

static void all_is_registered_anew_after_a_restart(void **state) {
    (void)state;
    must_register(&tally_1);
    assert_int_equal(classes_close(state), 0);
    assert_int_equal(classes_open(state), 0);
    assert_ptr_equal(k42_class_find("tally.section"), &tally_section);
    assert_null(k42_class_find("tally.plain"));
    must_register(&tally_1);
}

/* ---- what is refused ---- */

static void same_class_is_refused_twice(void **state) {
    (void)state;
    must_register(&tally_1);
    assert_refused(&tally_1, -EEXIST, "tally.plain version 1 is registered already");
}

static void same_name_and_version_is_refused(void **state) {
    (void)state;
    static struct k42_class twin = {TALLY_PLAIN("tally.plain", 1)};
    must_register(&tally_1);
    assert_refused(&twin, -EEXIST, "class tally.plain version 1 is registered already");
    assert_non_null(strstr(why, "needs another version"));
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_1);
}

static void interface_with_another_number_of_methods_is_refused(void **state) {
    (void)state;
    static struct k42_interface longer;
    longer = tally_interface;
    longer.methods++;
    longer.method_names = NULL;
    static struct k42_class class_ = {TALLY_PLAIN("tally.longer", 1)};
    class_.interface = &longer;
    must_register(&tally_1);
    assert_refused(&class_, -ENOEXEC, "interface tally version 1 has 5 methods there and 4 here");
    assert_non_null(strstr(why, "rebuild"));
    assert_null(k42_class_find("tally.longer"));
}

static void interface_with_other_flags_is_refused(void **state) {
    (void)state;
    static struct k42_interface atomic;
    atomic = tally_interface;
    atomic.flags = K42_INTERFACE_ATOMIC;
    static struct k42_class class_ = {TALLY_PLAIN("tally.atomic", 1)};
    class_.interface = &atomic;
    must_register(&tally_1);
    assert_refused(&class_, -ENOEXEC, "interface tally version 1 has 1 flags there and 0 here");
}

static void another_interface_under_the_same_class_name_is_refused(void **state) {
    (void)state;
    static struct k42_interface stranger;
    stranger = tally_interface;
    stranger.name = "stranger";
    static struct k42_class class_ = {TALLY_PLAIN("tally.plain", 2)};
    class_.interface = &stranger;
    must_register(&tally_1);
    assert_refused(&class_, -ENOEXEC, "class tally.plain implements interface tally, not stranger");
}

static void newer_interface_without_an_adaptor_is_refused(void **state) {
    (void)state;
    static struct k42_class class_ = {TALLY2_PLAIN("tally.plain", 2)};
    must_register(&tally_1);
    assert_refused(&class_, -ENOEXEC,
                   "class tally.plain version 2 speaks interface tally version 2");
    assert_non_null(strstr(why, "bring an adaptor, or rebuild against version 1"));
}

static void interface_of_a_refused_class_leaves_no_trace(void **state) {
    (void)state;
    static struct k42_interface wrong;
    wrong = tally2_interface;
    wrong.methods += 3;
    wrong.method_names = NULL;
    static struct k42_class class_ = {TALLY2_PLAIN("tally.plain", 2)};
    class_.interface = &wrong;
    must_register(&tally_1);
    assert_refused(&class_, -ENOEXEC, "bring an adaptor");
    static struct k42_class right = {TALLY2_PLAIN("tally.right", 1)};
    must_register(&right);
}

static void interface_with_too_many_methods_is_refused(void **state) {
    (void)state;
    static struct k42_interface wide = {
        .name = "wide", .version = 1, .methods = K42_MAX_METHODS + 1};
    static struct k42_class class_ = {TALLY_PLAIN("tally.wide", 1)};
    class_.interface = &wide;
    assert_refused(&class_, -ENOEXEC, "interface wide version 1 has 129 methods; 1 to 128");
    wide.methods = K42_MAX_METHODS;
    must_register(&class_);
}

static void interface_without_methods_is_refused(void **state) {
    (void)state;
    static struct k42_interface empty = {.name = "empty", .version = 1};
    static struct k42_class class_ = {TALLY_PLAIN("tally.empty", 1)};
    class_.interface = &empty;
    assert_refused(&class_, -ENOEXEC, "interface empty version 1 has 0 methods");
}

#define LACKING(name_, says_, ...)                                                                 \
    static void class_without_##name_##_is_refused(void **state) {                                 \
        (void)state;                                                                               \
        static struct k42_class class_ = {TALLY_PLAIN("tally.lacking", 1)};                        \
        __VA_ARGS__;                                                                               \
        assert_refused(&class_, -ENOEXEC, says_);                                                  \
    }
LACKING(a_name, "class (unnamed) needs a name", class_.name = NULL)
LACKING(an_interface, "class tally.lacking needs an interface", class_.interface = NULL)
LACKING(a_kind, "class tally.lacking needs a kind of root", class_.kind = NULL)
LACKING(operations, "class tally.lacking needs operations", class_.ops = NULL)
LACKING(a_size, "class tally.lacking needs a root_size", class_.root_size = 0)
LACKING(a_rep_size, "class tally.lacking needs a rep_size", class_.kind = &k42_clustered)
LACKING(a_short_name, "needs a shorter name",
        class_.name = "tally.this-name-is-longer-than-the-47-characters-allowed")

static void refused_class_can_be_registered_once_it_is_complete(void **state) {
    (void)state;
    static struct k42_class class_ = {TALLY_PLAIN("tally.complete", 1)};
    class_.ops = NULL;
    assert_refused(&class_, -ENOEXEC, "needs operations");
    class_.ops = &tally_plain_ops;
    must_register(&class_);
}

/* ---- factories ---- */

static void factory_makes_the_current_version(void **state) {
    (void)state;
    k42_ref first, second;
    must_register(&tally_1);
    must_register(&tally_2);
    assert_int_equal(make_by_name("tally.plain", &first), 0);
    assert_int_equal(version(first), 1);
    struct k42_upgrade upgrade = {.to = &tally_2, .mode = K42_UPGRADE_NEW_ONLY};
    assert_int_equal(k42_upgrade(&upgrade), 0);
    assert_int_equal(make_by_name("tally.plain", &second), 0);
    assert_int_equal(version(second), 2);
    assert_int_equal(version(first), 1);
    destroy(first);
    destroy(second);
}

static void versions_share_one_factory_for_ever(void **state) {
    (void)state;
    k42_factory_ref before, after;
    must_register(&tally_1);
    must_register(&tally_2);
    assert_int_equal(k42_factory_find("tally.plain", &before), 0);
    upgrade_to(&tally_2, 0);
    assert_int_equal(k42_factory_find("tally.plain", &after), 0);
    assert_ptr_equal(before, after);
    assert_ptr_equal(class_info(&tally_1).factory, class_info(&tally_2).factory);
}

static void factory_of_an_unknown_name_is_not_found(void **state) {
    (void)state;
    k42_factory_ref factory;
    assert_int_equal(k42_factory_find("tally.unknown", &factory), -ENOENT);
    assert_int_equal(k42_factory_find("k42.factory", &factory), 0);
}

static void factory_says_what_it_makes(void **state) {
    (void)state;
    k42_factory_ref factory;
    struct k42_class *makes = NULL;
    char text[64];
    must_register(&tally_1);
    assert_int_equal(k42_factory_find("tally.plain", &factory), 0);
    k42_enter();
    k42_result current = k42_call(factory, current, &makes);
    k42_result length = k42_call_object(factory, describe, text, sizeof text);
    k42_exit();
    assert_int_equal(current, 0);
    assert_ptr_equal(makes, &tally_1);
    assert_string_equal(text, "makes tally.plain version 1");
    assert_int_equal(length, strlen(text));
}

static void factory_refuses_an_interface_that_nothing_bridges(void **state) {
    (void)state;
    k42_factory_ref factory;
    k42_ref ref;
    must_register(&tally_1);
    assert_int_equal(k42_factory_find("tally.plain", &factory), 0);
    assert_int_equal(make_by_factory(factory, &tally2_interface, &ref), -ENOTSUP);
    assert_int_equal(class_info(&tally_1).instances, 0);
}

static void listing_counts_instances(void **state) {
    (void)state;
    k42_ref refs[3];
    must_register(&tally_1);
    must_register(&tally_other);
    for (int i = 0; i < 3; i++)
        assert_int_equal(make_by_name("tally.plain", &refs[i]), 0);
    assert_int_equal(class_info(&tally_1).instances, 3);
    assert_int_equal(class_info(&tally_other).instances, 0);
    destroy(refs[1]);
    assert_int_equal(class_info(&tally_1).instances, 2);
    destroy(refs[0]);
    destroy(refs[2]);
    assert_int_equal(class_info(&tally_1).instances, 0);
}

static void unattached_thread_may_look_at_classes(void **state) {
    (void)state;
    must_register(&tally_1);
    k42_ref ref = make(&tally_1, 0);
    assert_int_equal(k42_detach(), 0);
    assert_int_equal(class_info(&tally_1).instances, 1);
    assert_false(k42_attached());
    assert_int_equal(k42_attach("test"), 0);
    destroy(ref);
}

/* ---- creating while the factory is being swapped ---- */

static struct { uint32_t inside, go_on; } slow;

/* Holds the factory's create until the test lets it go on. */
static k42_result slow_init(struct k42_root *root, const void *args) {
    if (!args) {
        word_store(&slow.inside, 1);
        word_await(&slow.go_on, 1);
    }
    return tally_init(root, args);
}

static void *create_one(void *argument) {
    if (make_by_name("tally.slow", argument) < 0)
        abort();
    return NULL;
}

static void *upgrade_slow(void *argument) {
    struct k42_upgrade *upgrade = argument;
    if (k42_upgrade(upgrade) < 0)
        abort();
    return NULL;
}

static void await_swap_of(k42_ref ref) {
    struct k42_object_info info = {0};
    while (!info.swapping)
        assert_int_equal(k42_inspect(ref, &info), 0);
}

static void create_under_way_ends_in_the_old_version_and_is_upgraded_too(void **state) {
    (void)state;
    static struct k42_class first = {TALLY_PLAIN("tally.slow", 1)};
    static struct k42_class second = {TALLY_PLAIN("tally.slow", 2)};
    k42_ref early, late;
    first.init = slow_init;
    must_register(&first);
    must_register(&second);
    slow.inside = slow.go_on = 0;
    struct k42_upgrade upgrade = {.to = &second, .deadline_ns = 60000000000ull};
    pthread_t creator = begin_thread(create_one, &early);
    word_await(&slow.inside, 1);
    pthread_t upgrader = begin_thread(upgrade_slow, &upgrade);
    await_swap_of(class_info(&first).factory);
    word_store(&slow.go_on, 1);
    end_thread(creator);
    end_thread(upgrader);
    assert_int_equal(make_by_name("tally.slow", &late), 0);
    assert_int_equal(inspected_version(late), 2);
    assert_int_equal(upgrade.converted, 1);
    assert_int_equal(inspected_version(early), 2);
    destroy(early);
    destroy(late);
}

static void create_that_holds_the_factory_up_stops_an_upgrade_with_a_deadline(void **state) {
    (void)state;
    static struct k42_class first = {TALLY_PLAIN("tally.slow", 1)};
    static struct k42_class second = {TALLY_PLAIN("tally.slow", 2)};
    k42_ref early;
    first.init = slow_init;
    must_register(&first);
    must_register(&second);
    slow.inside = slow.go_on = 0;
    pthread_t creator = begin_thread(create_one, &early);
    word_await(&slow.inside, 1);
    struct k42_upgrade upgrade = {.to = &second, .deadline_ns = 1000000, .attempts = 1};
    assert_int_equal(k42_upgrade(&upgrade), -ETIMEDOUT);
    assert_string_equal(upgrade.last_failure.holder_name, "helper");
    assert_ptr_equal(k42_class_find("tally.slow"), &first);
    word_store(&slow.go_on, 1);
    end_thread(creator);
    assert_int_equal(inspected_version(early), 1);
    upgrade_to(&second, 0);
    assert_int_equal(inspected_version(early), 2);
    destroy(early);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CLASS_TEST(class_of_the_section_is_registered_at_load),
        CLASS_TEST(class_is_registered_by_hand),
        CLASS_TEST(class_can_be_registered_without_wanting_to_know_why_not),
        CLASS_TEST(newer_version_waits_until_an_upgrade_makes_it_current),
        CLASS_TEST(listing_stops_when_the_visitor_says_so),
        CLASS_TEST(all_is_registered_anew_after_a_restart),
        CLASS_TEST(same_class_is_refused_twice),
        CLASS_TEST(same_name_and_version_is_refused),
        CLASS_TEST(interface_with_another_number_of_methods_is_refused),
        CLASS_TEST(interface_with_other_flags_is_refused),
        CLASS_TEST(another_interface_under_the_same_class_name_is_refused),
        CLASS_TEST(newer_interface_without_an_adaptor_is_refused),
        CLASS_TEST(interface_of_a_refused_class_leaves_no_trace),
        CLASS_TEST(interface_with_too_many_methods_is_refused),
        CLASS_TEST(interface_without_methods_is_refused),
        CLASS_TEST(class_without_a_name_is_refused),
        CLASS_TEST(class_without_an_interface_is_refused),
        CLASS_TEST(class_without_a_kind_is_refused),
        CLASS_TEST(class_without_operations_is_refused),
        CLASS_TEST(class_without_a_size_is_refused),
        CLASS_TEST(class_without_a_rep_size_is_refused),
        CLASS_TEST(class_without_a_short_name_is_refused),
        CLASS_TEST(refused_class_can_be_registered_once_it_is_complete),
        CLASS_TEST(factory_makes_the_current_version),
        CLASS_TEST(versions_share_one_factory_for_ever),
        CLASS_TEST(factory_of_an_unknown_name_is_not_found),
        CLASS_TEST(factory_says_what_it_makes),
        CLASS_TEST(factory_refuses_an_interface_that_nothing_bridges),
        CLASS_TEST(listing_counts_instances),
        CLASS_TEST(unattached_thread_may_look_at_classes),
        CLASS_TEST(create_under_way_ends_in_the_old_version_and_is_upgraded_too),
        CLASS_TEST(create_that_holds_the_factory_up_stops_an_upgrade_with_a_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
