/*
 * Adaptors: a caller compiled against the interface's first version on objects that speak its
 * second.
 */
#include "class_fixture.h"

/* ---- version 1's methods on a version 2 object ---- */

static k42_result adapted_add(struct tally *self, long amount) {
    return k42_call((tally2_ref)k42_adapted(self), add_times, amount, 1);
}
static k42_result adapted_value(struct tally *self) {
    return k42_call((tally2_ref)k42_adapted(self), value);
}
static k42_result adapted_version(struct tally *self) {
    return k42_call((tally2_ref)k42_adapted(self), version);
}
static const struct tally_ops adapted_ops = {
    .add = adapted_add, .value = adapted_value, .version = adapted_version};
K42_ADAPTOR(tally_1_on_2) = {
    .from = &tally_interface, .to = &tally2_interface, .ops = &adapted_ops};

static struct k42_class tally_v2 = {TALLY2_PLAIN("tally.plain", 2)};
static struct k42_class tally_v3 = {TALLY2_PLAIN("tally.plain", 3)};

static k42_result refuse_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    (void)to;
    (void)state;
    (void)part;
    return -EIO;
}
static const struct k42_transfer refusing[] = {
    {.format = &tally_format, .export_state = tally_export, .import_state = refuse_import},
    {.format = NULL},
};
static struct k42_class tally_unwilling = {.name = "tally.plain",
                                           .version = 9,
                                           .interface = &tally2_interface,
                                           .kind = &k42_single,
                                           .root_size = sizeof(struct tally_object),
                                           .rep_offset = offsetof(struct tally_object, rep),
                                           .ops = &tally2_plain_ops,
                                           .transfers = refusing};

static int adaptors_open(void **state) {
    if (classes_open(state) < 0)
        return -1;
    must_register(&tally_1);
    must_register(&tally_v2);
    return 0;
}
#define ADAPTOR_TEST(test) cmocka_unit_test_setup_teardown(test, adaptors_open, classes_close)

static k42_result ref_as(k42_ref ref, const struct k42_interface *interface_, k42_ref *found) {
    k42_enter();
    k42_result result = k42_ref_as(ref, interface_, found);
    k42_exit();
    return result;
}

/* The ref by which a caller of the second version reaches an object. */
static k42_ref second(k42_ref ref) {
    k42_ref found = K42_NULL_REF;
    assert_int_equal(ref_as(ref, &tally2_interface, &found), 0);
    return found;
}

static k42_result add_times(k42_ref ref, long amount, long times) {
    k42_enter();
    k42_result result = k42_call((tally2_ref)ref, add_times, amount, times);
    k42_exit();
    return result;
}

static k42_result value2(k42_ref ref) {
    k42_enter();
    k42_result result = k42_call((tally2_ref)ref, value);
    k42_exit();
    return result;
}

/* ---- across an upgrade ---- */

static void old_caller_goes_on_over_an_upgrade(void **state) {
    (void)state;
    k42_ref ref = make(&tally_1, 10);
    assert_int_equal(add(ref, 1), 0);
    struct k42_upgrade upgrade = upgrade_to(&tally_v2, 0);
    assert_int_equal(upgrade.converted, 1);
    assert_int_equal(value(ref), 11);
    assert_int_equal(add(ref, 1), 0);
    assert_int_equal(value(ref), 12);
    assert_int_equal(version(ref), 2);
    destroy(ref);
}

static void both_callers_reach_the_same_object(void **state) {
    (void)state;
    k42_ref ref = make(&tally_1, 10);
    upgrade_to(&tally_v2, 0);
    k42_ref inner = second(ref);
    assert_ptr_not_equal(inner, ref);
    assert_int_equal(add_times(inner, 5, 3), 0);
    assert_int_equal(add(ref, 1), 0);
    assert_int_equal(value(ref), 26);
    assert_int_equal(value2(inner), 26);
    destroy(ref);
}

static void ref_that_speaks_the_interface_is_the_same(void **state) {
    (void)state;
    k42_ref found, ref = make(&tally_1, 0);
    assert_int_equal(ref_as(ref, &tally_interface, &found), 0);
    assert_ptr_equal(found, ref);
    upgrade_to(&tally_v2, 0);
    assert_int_equal(ref_as(ref, &tally_interface, &found), 0);
    assert_ptr_equal(found, ref);
    destroy(ref);
}

static void ref_of_a_new_object_has_no_old_side(void **state) {
    (void)state;
    k42_ref found, ref = make(&tally_v2, 0);
    assert_int_equal(ref_as(ref, &tally_interface, &found), -ENOTSUP);
    assert_int_equal(ref_as(ref, &tally2_interface, &found), 0);
    assert_ptr_equal(found, ref);
    destroy(ref);
}

static void ref_of_an_old_object_has_no_new_side(void **state) {
    (void)state;
    k42_ref found, ref = make(&tally_1, 0);
    assert_int_equal(ref_as(ref, &tally2_interface, &found), -ENOTSUP);
    destroy(ref);
    assert_int_equal(ref_as(ref, &tally_interface, &found), -K42_STALE);
    assert_int_equal(ref_as(K42_NULL_REF, &tally_interface, &found), -K42_STALE);
}

static void adapted_object_is_upgraded_again(void **state) {
    (void)state;
    must_register(&tally_v3);
    k42_ref ref = make(&tally_1, 10);
    upgrade_to(&tally_v2, 0);
    k42_ref inner = second(ref);
    struct k42_upgrade again = upgrade_to(&tally_v3, 0);
    assert_int_equal(again.total, 1);
    assert_int_equal(again.converted, 1);
    assert_int_equal(version(ref), 3);
    assert_int_equal(value(ref), 10);
    assert_ptr_equal(second(ref), inner);
    destroy(ref);
}

static void adapted_object_is_converted_lazily_too(void **state) {
    (void)state;
    k42_ref ref = make(&tally_1, 10);
    struct k42_upgrade upgrade = {.to = &tally_v2, .mode = K42_UPGRADE_LAZY};
    assert_int_equal(k42_upgrade(&upgrade), 0);
    assert_int_equal(value(ref), 10);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(version(ref), 2);
    assert_int_equal(add_times(second(ref), 1, 2), 0);
    assert_int_equal(value(ref), 12);
    destroy(ref);
}

static enum k42_verdict count_call(struct k42_hook *hook, struct k42_invocation *call) {
    (void)call;
    ++*(long *)hook->context;
    return K42_PROCEED;
}

static void hook_of_an_old_object_stays_before_its_adaptor(void **state) {
    (void)state;
    long calls = 0;
    struct k42_hook hook = {.before = count_call, .context = &calls};
    k42_ref ref = make(&tally_1, 10);
    assert_int_equal(k42_interpose(ref, &hook), 0);
    upgrade_to(&tally_v2, 0);
    assert_int_equal(value(ref), 10);
    assert_int_equal(calls, 1);
    assert_int_equal(value2(second(ref)), 10);
    assert_int_equal(calls, 1);
    assert_int_equal(k42_release(&hook), 0);
    destroy(ref);
}

static void failed_import_leaves_the_old_object_without_an_adaptor(void **state) {
    (void)state;
    must_register(&tally_unwilling);
    k42_ref found, ref = make(&tally_1, 10);
    struct k42_upgrade upgrade = upgrade_to(&tally_unwilling, -EIO);
    assert_int_equal(upgrade.failed, 1);
    assert_int_equal(version(ref), 1);
    assert_int_equal(value(ref), 10);
    assert_int_equal(ref_as(ref, &tally2_interface, &found), -ENOTSUP);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(class_info(&tally_unwilling).instances, 0);
    destroy(ref);
}

static void upgrade_without_an_adaptor_changes_nothing(void **state) {
    (void)state;
    k42_ref ref = make(&tally_v2, 10);
    upgrade_to(&tally_v2, 0);
    /* Nobody brings one from the second version to the first. */
    struct k42_upgrade back = upgrade_to(&tally_1, -ENOTSUP);
    assert_int_equal(back.total, 0);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_v2);
    assert_int_equal(inspected_version(ref), 2);
    assert_int_equal(value2(ref), 10);
    destroy(ref);
}

/* ---- by the factory ---- */

static void old_caller_creates_an_adapted_object(void **state) {
    (void)state;
    k42_ref ref;
    upgrade_to(&tally_v2, 0);
    assert_int_equal(make_by_name("tally.plain", &ref), 0);
    assert_int_equal(version(ref), 2);
    assert_int_equal(add(ref, 4), 0);
    assert_int_equal(value2(second(ref)), 4);
    assert_int_equal(class_info(&tally_v2).instances, 1);
    destroy(ref);
}

static void new_caller_creates_a_plain_object(void **state) {
    (void)state;
    k42_factory_ref factory;
    k42_ref ref;
    upgrade_to(&tally_v2, 0);
    assert_int_equal(k42_factory_find("tally.plain", &factory), 0);
    assert_int_equal(make_by_factory(factory, &tally2_interface, &ref), 0);
    assert_ptr_equal(second(ref), ref);
    destroy(ref);
}

static void new_caller_cannot_create_the_old_version(void **state) {
    (void)state;
    k42_factory_ref factory;
    k42_ref ref;
    assert_int_equal(k42_factory_find("tally.plain", &factory), 0);
    assert_int_equal(make_by_factory(factory, &tally2_interface, &ref), -ENOTSUP);
}

static k42_result fail_init(struct k42_root *root, const void *args) {
    (void)root;
    (void)args;
    return -EPERM;
}

static void adaptor_is_not_left_behind_when_the_object_cannot_be_made(void **state) {
    (void)state;
    static struct k42_class unborn = {TALLY2_PLAIN("tally.plain", 4)};
    k42_ref ref;
    unborn.init = fail_init;
    must_register(&unborn);
    upgrade_to(&unborn, 0);
    uint64_t roots = stats_now().roots_live;
    assert_int_equal(make_by_name("tally.plain", &ref), -EPERM);
    assert_int_equal(stats_now().roots_live, roots);
}

/* ---- ends ---- */

static void destroying_the_adaptor_destroys_the_object_behind_it(void **state) {
    (void)state;
    k42_ref ref;
    upgrade_to(&tally_v2, 0);
    assert_int_equal(make_by_name("tally.plain", &ref), 0);
    k42_ref inner = second(ref);
    destroy(ref);
    assert_int_equal(value(ref), -K42_STALE);
    for (int round = 0; round < 2; round++)
        assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(value2(inner), -K42_STALE);
    assert_int_equal(class_info(&tally_v2).instances, 0);
}

static void adaptor_of_a_destroyed_object_answers_stale(void **state) {
    (void)state;
    k42_ref ref, found;
    upgrade_to(&tally_v2, 0);
    assert_int_equal(make_by_name("tally.plain", &ref), 0);
    destroy(second(ref));
    assert_int_equal(add(ref, 1), -K42_STALE);
    assert_int_equal(value(ref), -K42_STALE);
    assert_int_equal(ref_as(ref, &tally2_interface, &found), -K42_STALE);
    destroy(ref);
}

/* Destroys the adaptor of `ref` when the number of the object behind it is a stranger's. */
#define CROWD 8192
static k42_ref crowd[CROWD];

static void adaptor_does_not_destroy_a_stranger_under_a_reused_number(void **state) {
    (void)state;
    k42_ref ref;
    upgrade_to(&tally_v2, 0);
    assert_int_equal(make_by_name("tally.plain", &ref), 0);
    destroy(second(ref));
    assert_int_equal(k42_defer_flush(), 0);
    for (int i = 0; i < CROWD; i++)
        crowd[i] = make(&tally_v2, 0);
    destroy(ref);
    for (int round = 0; round < 2; round++)
        assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(class_info(&tally_v2).instances, CROWD);
    for (int i = 0; i < CROWD; i++)
        destroy(crowd[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        ADAPTOR_TEST(old_caller_goes_on_over_an_upgrade),
        ADAPTOR_TEST(both_callers_reach_the_same_object),
        ADAPTOR_TEST(ref_that_speaks_the_interface_is_the_same),
        ADAPTOR_TEST(ref_of_a_new_object_has_no_old_side),
        ADAPTOR_TEST(ref_of_an_old_object_has_no_new_side),
        ADAPTOR_TEST(adapted_object_is_upgraded_again),
        ADAPTOR_TEST(adapted_object_is_converted_lazily_too),
        ADAPTOR_TEST(hook_of_an_old_object_stays_before_its_adaptor),
        ADAPTOR_TEST(failed_import_leaves_the_old_object_without_an_adaptor),
        ADAPTOR_TEST(upgrade_without_an_adaptor_changes_nothing),
        ADAPTOR_TEST(old_caller_creates_an_adapted_object),
        ADAPTOR_TEST(new_caller_creates_a_plain_object),
        ADAPTOR_TEST(new_caller_cannot_create_the_old_version),
        ADAPTOR_TEST(adaptor_is_not_left_behind_when_the_object_cannot_be_made),
        ADAPTOR_TEST(destroying_the_adaptor_destroys_the_object_behind_it),
        ADAPTOR_TEST(adaptor_of_a_destroyed_object_answers_stale),
        ADAPTOR_TEST(adaptor_does_not_destroy_a_stranger_under_a_reused_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
