/*
 * What passes from the old object to the new one: formats, parts, growth, failures; roots of
 * different kinds.
 */
#include "stage.h"

static struct k42_swap_report report;

/* ---- formats ---- */

static void the_cheapest_common_format_is_taken(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_cell);
    assert_int_equal(fixture_add(ref, 7), 0);
    assert_int_equal(k42_swap(ref, &counter_cell2, &report), 0);
    assert_string_equal(report.format, "counter.cell");
    assert_int_equal(k42_swap(ref, &counter_plain, &report), 0);
    assert_string_equal(report.format, "counter.value");
    assert_int_equal(k42_swap(ref, &counter_sharded, &report), 0);
    assert_string_equal(report.format, "counter.value");
    assert_int_equal(k42_swap(ref, &counter_percpu, &report), 0);
    assert_string_equal(report.format, "counter.parts");
    assert_int_equal(fixture_value(ref), 7);
}

static void what_is_handed_over_by_pointer_is_ended_once(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_cell);
    for (int turn = 0; turn < 10; turn++) {
        assert_int_equal(fixture_add(ref, 1), 0);
        assert_int_equal(k42_swap(ref, turn % 2 ? &counter_cell : &counter_cell2, NULL), 0);
    }
    assert_int_equal(fixture_read(&fixture_handed_over), 10);
    assert_int_equal(fixture_value(ref), 10);
    fixture_destroy(ref);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

static void every_class_passes_its_state_to_every_other(void **state) {
    (void)state;
    struct k42_class *const classes[] = {&counter_plain,   &counter_second, &counter_cell,
                                         &counter_cell2,   &counter_percpu, &counter_pairs,
                                         &counter_sharded, &counter_roomy};
    struct actor other;
    actor_start(&other, "other");
    other.amount = 10;
    for (int from = 0; from < 8; from++) {
        for (int to = 0; to < 8; to++) {
            other.ref = fixture_create(classes[from]);
            assert_int_equal(fixture_add(other.ref, 1), 0);
            actor_do(&other, order_add);
            assert_int_equal(k42_swap(other.ref, classes[to], NULL), 0);
            assert_int_equal(fixture_value(other.ref), 11);
            actor_do(&other, order_add);
            assert_int_equal(fixture_value(other.ref), 21);
            assert_int_equal(fixture_which(other.ref), fixture_number(classes[to]));
            assert_int_equal(k42_destroy(other.ref), 0);
        }
    }
    actor_stop(&other);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
    assert_int_equal(fixture_read(&fixture_reps), 0);
}

/* ---- parts ---- */

static struct {
    struct gate gate;
    uint32_t times[FIXTURE_PARTS];
    uint32_t threads[FIXTURE_PARTS];
} parts;

static void note_part(unsigned part) {
    __atomic_fetch_add(&parts.times[part], 1, __ATOMIC_ACQ_REL);
    parts.threads[part] = (uint32_t)k42_cpu();
}

static void each_part_is_transferred_once(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_sharded);
    memset(&parts, 0, sizeof parts);
    fixture_hooks.import_part = note_part;
    assert_int_equal(fixture_add(ref, 3), 0);
    assert_int_equal(k42_swap(ref, &counter_percpu, NULL), 0);
    for (int part = 0; part < FIXTURE_PARTS; part++)
        assert_int_equal(parts.times[part], 1);
    assert_int_equal(fixture_value(ref), 3);
}

/* Holds every part, so that no thread does two of them before the gate opens. */
static void hold_part(unsigned part) {
    note_part(part);
    gate_pass(&parts.gate);
}

static void callers_that_wait_help_with_the_parts(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting[2];
    stage_open(&stage, &counter_sharded);
    memset(&parts, 0, sizeof parts);
    fixture_hooks.import_part = hold_part;
    stage.swapper.to = &counter_percpu;
    for (int i = 0; i < 2; i++) {
        actor_start(&waiting[i], "waiting");
        waiting[i].ref = stage.ref;
        waiting[i].amount = 1;
    }
    actor_begin(&stage.swapper, order_swap);
    gate_await(&parts.gate, 1);
    for (int i = 0; i < 2; i++)
        actor_begin(&waiting[i], order_add);
    /* The swapper is held in one part, so it is they who come for the next two. */
    gate_await(&parts.gate, 3);
    gate_open(&parts.gate);
    assert_int_equal(stage_finish(&stage), 0);
    for (int i = 0; i < 2; i++) {
        actor_stop(&waiting[i]);
        assert_int_equal(waiting[i].result, 0);
    }
    for (int part = 0; part < FIXTURE_PARTS; part++)
        assert_int_equal(parts.times[part], 1);
    assert_int_equal(fixture_value(stage.ref), 2);
    stage_close(&stage);
}

static void the_swapper_helps_when_a_caller_carries_the_transfer(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_sharded);
    memset(&parts, 0, sizeof parts);
    stage_forward(&stage, &counter_percpu);
    stage_block(&stage);
    fixture_hooks.import_part = hold_part;
    gate_open(&stage.tracked_gate);
    gate_await(&parts.gate, 2);
    gate_open(&parts.gate);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(fixture_value(stage.ref), 11);
    stage_close(&stage);
}

/* ---- growth ---- */

static k42_ref growing;
static uint32_t growths;

static void grow_after_measuring(struct k42_state *state) {
    (void)state;
    /* Calls go on while it is prepared: more comes than was measured. */
    growths++;
    (void)!fixture_add(growing, 5);
}

static void a_state_that_keeps_growing_is_overtaken(void **state) {
    (void)state;
    growing = fixture_create(&counter_plain);
    growths = 0;
    fixture_hooks.prepare = grow_after_measuring;
    assert_int_equal(k42_swap(growing, &counter_roomy, &report), 0);
    assert_int_equal(report.attempts, 2);
    assert_int_equal(fixture_value(growing), 10);
    assert_int_equal(fixture_which(growing), fixture_number(&counter_roomy));
}

static void grow_beyond(struct k42_state *state) {
    (void)!fixture_add(growing, (long)k42_state_room(state, state->measured) + 1);
    growths++;
}

static void a_state_that_always_outgrows_its_room_stays_where_it_is(void **state) {
    (void)state;
    growing = fixture_create(&counter_plain);
    growths = 0;
    fixture_hooks.prepare = grow_beyond;
    assert_int_equal(k42_swap(growing, &counter_roomy, &report), -ENOSPC);
    assert_int_equal(report.result, -ENOSPC);
    assert_int_equal(report.attempts, growths);
    assert_true(fixture_value(growing) > growths);
    assert_int_equal(fixture_which(growing), fixture_number(&counter_plain));
}

/* ---- failures ---- */

static void assert_old_object_goes_on(struct k42_class *to, k42_result with,
                                      enum k42_swap_phase in) {
    k42_ref ref = fixture_create(&counter_plain);
    struct k42_stats before = fixture_stats();
    assert_int_equal(fixture_add(ref, 6), 0);
    assert_int_equal(k42_swap(ref, to, &report), with);
    assert_int_equal(report.result, with);
    assert_int_equal(report.phase, in);
    assert_true(report.text[0] != '\0');
    assert_int_equal(fixture_which(ref), fixture_number(&counter_plain));
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(fixture_value(ref), 7);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_stats().roots_live, before.roots_live);
    assert_int_equal(fixture_stats().mediators_live, before.mediators_live);
    assert_int_equal(fixture_read(&fixture_handed_over), 0);
    assert_int_equal(k42_swap(ref, &counter_second, NULL), 0);
    assert_int_equal(fixture_value(ref), 7);
}

static void when_the_import_fails_the_old_object_goes_on(void **state) {
    (void)state;
    assert_old_object_goes_on(&counter_failing, -EIO, K42_SWAP_TRANSFER);
    assert_non_null(strstr(report.text, "-EIO"));
}

static void when_preparing_fails_the_old_object_goes_on(void **state) {
    (void)state;
    assert_old_object_goes_on(&counter_unready, -ENOMEM, K42_SWAP_PREPARE);
}

static void when_the_new_object_cannot_be_made_the_old_one_goes_on(void **state) {
    (void)state;
    assert_old_object_goes_on(&counter_unborn, -ENOMEM, K42_SWAP_PREPARE);
}

static void callers_that_waited_for_a_failed_import_go_on_in_the_old_object(void **state) {
    (void)state;
    stage_import_fails(&counter_plain, &counter_failing);
}

/* ---- roots of different kinds ---- */

static void from_one_representative_to_one_per_cpu_and_back(void **state) {
    (void)state;
    struct actor actors[4];
    k42_ref ref = fixture_create(&counter_plain);
    for (int i = 0; i < 4; i++) {
        actor_start(&actors[i], "caller");
        actors[i].ref = ref;
        actors[i].amount = 1;
        actor_do(&actors[i], order_add);
    }
    assert_int_equal(k42_swap(ref, &counter_percpu, NULL), 0);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    for (int i = 0; i < 4; i++)
        actor_do(&actors[i], order_add);
    assert_int_equal(fixture_read(&fixture_reps), 4);
    assert_int_equal(k42_swap(ref, &counter_plain, NULL), 0);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    for (int i = 0; i < 4; i++) {
        actor_do(&actors[i], order_add);
        actor_stop(&actors[i]);
        assert_int_equal(actors[i].result, 0);
    }
    assert_int_equal(fixture_value(ref), 12);
}

/* ---- an atomic interface ---- */

static k42_ref gauge;
static uint32_t atomic_stop;
static struct gate atomic_gate;

static void order_raise(struct actor *actor) {
    while (!__atomic_load_n(&atomic_stop, __ATOMIC_ACQUIRE)) {
        k42_enter();
        k42_atomic_begin();
        k42_result result = k42_call((gauge_ref)gauge, raise);
        k42_atomic_end();
        k42_exit();
        if (result < 0)
            actor->result = result;
        actor->amount++;
    }
}

static k42_result gauge_which(void) {
    k42_enter();
    k42_atomic_begin();
    k42_result result = k42_call((gauge_ref)gauge, which);
    k42_atomic_end();
    k42_exit();
    return result;
}

static struct k42_pair gauge_words(void) {
    k42_enter();
    k42_atomic_begin();
    struct k42_pair words = k42_call((gauge_ref)gauge, read);
    k42_atomic_end();
    k42_exit();
    return words;
}

static void an_atomic_object_is_swapped_under_its_callers_without_losing_a_call(void **state) {
    (void)state;
    struct actor callers[3];
    long expected = 0;
    assert_int_equal(k42_create(&gauge_first, NULL, &gauge), 0);
    atomic_stop = 0;
    for (int i = 0; i < 3; i++) {
        actor_start(&callers[i], "caller");
        actor_begin(&callers[i], order_raise);
    }
    for (int turn = 0; turn < 200; turn++) {
        assert_int_equal(k42_swap(gauge, turn % 2 ? &gauge_first : &gauge_second, NULL), 0);
        assert_int_equal(gauge_which(), turn % 2 ? 1 : 2);
    }
    __atomic_store_n(&atomic_stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 3; i++) {
        actor_stop(&callers[i]);
        assert_int_equal(callers[i].result, 0);
        expected += callers[i].amount;
    }
    struct k42_pair words = gauge_words();
    assert_int_equal(words.result, expected);
    assert_int_equal(words.word, (uintptr_t)expected);
}

static void order_stay_in_section(struct actor *actor) {
    k42_enter();
    k42_atomic_begin();
    gate_pass(&atomic_gate);
    actor->result = k42_call((gauge_ref)gauge, raise);
    k42_atomic_end();
    k42_exit();
}

static void an_atomic_object_is_not_swapped_under_a_section(void **state) {
    (void)state;
    struct actor caller, swapper;
    assert_int_equal(k42_create(&gauge_first, NULL, &gauge), 0);
    atomic_gate = (struct gate){0};
    actor_start(&caller, "caller");
    actor_start(&swapper, "swapper");
    swapper.ref = gauge;
    swapper.to = &gauge_second;
    actor_begin(&caller, order_stay_in_section);
    gate_await(&atomic_gate, 1);
    actor_begin(&swapper, order_swap);
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_true(actor_is_busy(&swapper));
    gate_open(&atomic_gate);
    actor_stop(&caller);
    actor_stop(&swapper);
    assert_int_equal(swapper.result, 0);
    assert_int_equal(gauge_which(), 2);
    assert_int_equal(gauge_words().result, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(the_cheapest_common_format_is_taken),
        TEST(what_is_handed_over_by_pointer_is_ended_once),
        TEST(every_class_passes_its_state_to_every_other),
        TEST(each_part_is_transferred_once),
        TEST(callers_that_wait_help_with_the_parts),
        TEST(the_swapper_helps_when_a_caller_carries_the_transfer),
        TEST(a_state_that_keeps_growing_is_overtaken),
        TEST(a_state_that_always_outgrows_its_room_stays_where_it_is),
        TEST(when_the_import_fails_the_old_object_goes_on),
        TEST(when_preparing_fails_the_old_object_goes_on),
        TEST(when_the_new_object_cannot_be_made_the_old_one_goes_on),
        TEST(callers_that_waited_for_a_failed_import_go_on_in_the_old_object),
        TEST(from_one_representative_to_one_per_cpu_and_back),
        TEST(an_atomic_object_is_swapped_under_its_callers_without_losing_a_call),
        TEST(an_atomic_object_is_not_swapped_under_a_section),
    };
    return cmocka_run_group_tests_name("swap_transfer", tests, NULL, NULL);
}
