/*
 * Ids and their slots: who gets which, when one is used again, and what happens when all are taken.
 */
#include "actors.h"

#include <stdlib.h>

#define FEW 2048u /* ids, in all; each interface takes whole pages of 512 of them */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define MANY 200000u
#else
#define MANY 1000000u
#endif

static int open_with_few_ids(void **state) {
    (void)state;
    return fixture_open_with(
        &(struct k42_options){.max_objects = FEW, .watchdog_ns = 300000000000ull});
}

static int open_with_many_ids(void **state) {
    (void)state;
    return fixture_open_with(
        &(struct k42_options){.max_objects = MANY + 65536u, .watchdog_ns = 300000000000ull});
}

/* Makes objects until there are no ids left; returns how many. */
static uint32_t create_all(k42_ref *refs) {
    uint32_t made = 0;
    k42_result result;
    while (made < FEW && (result = k42_create(&counter_plain, "", &refs[made])) == 0)
        made++;
    assert_int_equal(result, -ENFILE);
    return made;
}

static void destroy_all(const k42_ref *refs, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(k42_destroy(refs[i]), 0);
    assert_int_equal(k42_defer_flush(), 0);
}

static void a_page_of_slots_belongs_to_one_interface(void **state) {
    (void)state;
    static uint8_t interface_of[(1u << 17) / 512 + 2];
    memset(interface_of, 0, sizeof interface_of);
    for (int i = 0; i < 3000; i++) {
        k42_ref gauge, counter = fixture_create(&counter_plain);
        assert_int_equal(k42_create(&gauge_first, NULL, &gauge), 0);
        interface_of[k42_ref_id(counter) / 512] |= 1;
        interface_of[k42_ref_id(gauge) / 512] |= 2;
        if (i % 2)
            assert_int_equal(k42_destroy(i % 3 ? gauge : counter), 0);
        if (i % 500 == 0)
            assert_int_equal(k42_defer_flush(), 0);
    }
    for (size_t page = 0; page < sizeof interface_of; page++)
        assert_int_not_equal(interface_of[page], 3);
}

static void when_no_id_is_left_create_says_so_and_nothing_is_lost(void **state) {
    (void)state;
    static k42_ref refs[FEW], more;
    uint32_t made = create_all(refs);
    assert_true(made >= 512);
    uint64_t roots = fixture_stats().roots_live;
    long begun = fixture_read(&fixture_begun);
    assert_int_equal(k42_create(&counter_plain, "", &more), -ENFILE);
    assert_int_equal(fixture_read(&fixture_begun), begun); /* what it was given is the caller's */
    assert_int_equal(fixture_stats().roots_live, roots);
    for (uint32_t i = 0; i < made; i++)
        assert_int_equal(fixture_add(refs[i], i), 0);
    for (uint32_t i = 0; i < made; i++)
        assert_int_equal(fixture_value(refs[i]), i);
    destroy_all(refs, made);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

#ifndef K42_DEBUG

static void order_create_all(struct actor *actor) {
    actor->amount = create_all(actor->context);
}

static void all_ids_can_be_used_again_by_any_thread(void **state) {
    (void)state;
    static k42_ref refs[FEW];
    struct actor other;
    uint32_t made = create_all(refs);
    destroy_all(refs, made);
    assert_int_equal(create_all(refs), made);
    destroy_all(refs, made);
    actor_start(&other, "other");
    other.context = refs;
    actor_do(&other, order_create_all);
    assert_int_equal(other.amount, made);
    actor_stop(&other);
    destroy_all(refs, made);
    assert_int_equal(create_all(refs), made);
}

static void ids_that_another_thread_keeps_in_store_are_not_out_of_reach(void **state) {
    (void)state;
    static k42_ref refs[FEW];
    struct actor other;
    actor_start(&other, "other");
    uint32_t made = create_all(refs);
    destroy_all(refs, made);
    /* This thread takes a store of ids for itself and uses one of them. */
    refs[0] = fixture_create(&counter_plain);
    other.context = refs + 1;
    actor_do(&other, order_create_all);
    actor_stop(&other);
    assert_int_equal(other.amount, made - 1);
}

static void ids_are_used_again_oldest_first(void **state) {
    (void)state;
    static k42_ref refs[FEW], again[FEW];
    uint32_t made = create_all(refs), seen = 0;
    k42_id order[3] = {k42_ref_id(refs[300]), k42_ref_id(refs[7]), k42_ref_id(refs[99])};
    for (int i = 0; i < 3; i++)
        fixture_destroy(k42_id_ref(order[i]));
    assert_int_equal(create_all(again), 3);
    for (int i = 0; i < 3; i++)
        seen += k42_ref_id(again[i]) == order[i];
    assert_int_equal(seen, 3);
    assert_int_equal(made, create_all(refs) + made);
}

static void an_id_is_used_again_only_after_a_grace_period(void **state) {
    (void)state;
    static k42_ref refs[FEW], again[FEW];
    struct actor active;
    struct gate gate = {0};
    uint32_t made = create_all(refs);
    actor_start(&active, "active");
    active.ref = refs[0];
    active.gate = &gate;
    actor_begin(&active, order_hold);
    gate_await(&gate, 1);
    assert_int_equal(k42_destroy(refs[1]), 0);
    /* Time for a reclaimer that does not wait. */
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_int_equal(create_all(again), 0);
    gate_open(&gate);
    actor_stop(&active);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(create_all(again), 1);
    assert_ptr_equal(again[0], refs[1]);
    assert_true(made > 1);
}

static void a_ref_kept_too_long_reaches_at_worst_an_object_of_the_same_interface(void **state) {
    (void)state;
    static k42_ref refs[FEW], again[FEW];
    k42_ref gauge;
    uint32_t made = create_all(refs);
    k42_ref kept = refs[made / 2];
    fixture_destroy(kept);
    assert_int_equal(k42_create(&gauge_first, NULL, &gauge), -ENFILE);
    assert_int_equal(create_all(again), 1);
    assert_int_equal(fixture_add(again[0], 4), 0);
    assert_int_equal(fixture_value(kept), 4);
}

#else

static void debug_builds_use_no_id_twice(void **state) {
    (void)state;
    static k42_ref refs[FEW];
    uint32_t made = create_all(refs);
    destroy_all(refs, made);
    assert_int_equal(create_all(refs + made), 0);
    for (uint32_t i = 0; i < made; i++)
        assert_int_equal(fixture_value(refs[i]), -K42_STALE);
}

#endif

/* ---- very many ---- */

struct grain {
    struct k42_root root;
    struct counter rep;
};

static k42_result grain_add(struct counter *self, long amount) {
    return (k42_result)k42_container(self, struct grain, rep)->root.id + amount;
}

static const struct counter_ops grain_ops = {.add = grain_add};
K42_CLASS(counter_grain) = {
    .name = "counter.grain",
    .interface = &counter_interface,
    .version = 1,
    .kind = &k42_single,
    .root_size = sizeof(struct grain),
    .rep_offset = offsetof(struct grain, rep),
    .ops = &grain_ops,
};

static void there_may_be_a_million_objects(void **state) {
    (void)state;
    k42_ref *refs = calloc(MANY, sizeof *refs);
    assert_non_null(refs);
    uint64_t before = fixture_stats().objects;
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(k42_create(&counter_grain, NULL, &refs[i]), 0);
    assert_int_equal(fixture_stats().objects, before + MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(fixture_add(refs[i], 7), k42_ref_id(refs[i]) + 7);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(k42_destroy(refs[i]), 0);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_stats().objects, before);
    assert_int_equal(fixture_add(refs[MANY - 1], 1), -K42_STALE);
    free(refs);
}

int main(void) {
#define TEST(name)     cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
#define TEST_FEW(name) cmocka_unit_test_setup_teardown(name, open_with_few_ids, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_page_of_slots_belongs_to_one_interface),
        TEST_FEW(when_no_id_is_left_create_says_so_and_nothing_is_lost),
#ifndef K42_DEBUG
        TEST_FEW(all_ids_can_be_used_again_by_any_thread),
        TEST_FEW(ids_that_another_thread_keeps_in_store_are_not_out_of_reach),
        TEST_FEW(ids_are_used_again_oldest_first),
        TEST_FEW(an_id_is_used_again_only_after_a_grace_period),
        TEST_FEW(a_ref_kept_too_long_reaches_at_worst_an_object_of_the_same_interface),
#else
        TEST_FEW(debug_builds_use_no_id_twice),
#endif
        cmocka_unit_test_setup_teardown(there_may_be_a_million_objects, open_with_many_ids,
                                        fixture_close),
    };
    return cmocka_run_group_tests_name("ids", tests, NULL, NULL);
}
