/*
 * Swaps: the state and the ref stay, callers see at most a short wait; each phase looked at while
 * it is held; deadlines; refusals.
 */
#include "stage.h"

#include "../../core/runtime.h"

static struct k42_swap_report report;

static void a_swap_keeps_the_ref_and_the_state(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(fixture_add(ref, 5), 0);
    assert_int_equal(k42_swap(ref, &counter_second, &report), 0);
    assert_int_equal(fixture_which(ref), fixture_number(&counter_second));
    assert_int_equal(fixture_value(ref), 5);
    assert_int_equal(report.result, 0);
    assert_int_equal(report.phase, K42_SWAP_DONE);
    assert_string_equal(report.format, "counter.value");
    assert_int_equal(report.attempts, 1);
    assert_int_equal(report.holder_thread, 0);
    assert_non_null(strstr(report.text, "counter.second"));
}

static void an_object_that_nobody_ever_called_is_swapped_at_once(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(k42_swap(ref, &counter_percpu, &report), 0);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    assert_int_equal(fixture_which(ref), fixture_number(&counter_percpu));
}

static void an_object_may_be_swapped_to_its_own_class(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(fixture_add(ref, 8), 0);
    assert_int_equal(k42_swap(ref, &counter_plain, NULL), 0);
    assert_int_equal(fixture_value(ref), 8);
    assert_int_equal(fixture_read(&fixture_handed_over), 1);
}

static void swaps_leave_nothing_behind(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    struct k42_stats before = fixture_stats();
    for (int turn = 0; turn < 100; turn++) {
        assert_int_equal(fixture_add(ref, 1), 0);
        assert_int_equal(k42_swap(ref, turn % 2 ? &counter_plain : &counter_second, NULL), 0);
    }
    assert_int_equal(k42_defer_flush(), 0);
    struct k42_stats after = fixture_stats();
    assert_int_equal(after.mediators_live, before.mediators_live);
    assert_int_equal(after.roots_live, before.roots_live);
    assert_int_equal(after.objects, before.objects);
    assert_int_equal(after.swaps, before.swaps + 100);
    assert_int_equal(fixture_read(&fixture_roots), 1);
    assert_int_equal(fixture_value(ref), 100);
}

/* ---- each phase ---- */

static void order_which(struct actor *actor) {
    actor->result = fixture_which(actor->ref);
}

static void in_the_forward_phase_first_calls_go_to_the_old_object(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_plain);
    stage_forward(&stage, &counter_second);
    /* Neither this thread nor `tracked` has called it before. */
    assert_int_equal(fixture_which(stage.ref), fixture_number(&counter_plain));
    actor_do(&stage.tracked, order_which);
    assert_int_equal(stage.tracked.result, fixture_number(&counter_plain));
    assert_int_equal(fixture_add(stage.ref, 100), 0);
    assert_int_equal(swap_phase(stage.ref), FORWARDING);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(fixture_which(stage.ref), fixture_number(&counter_second));
    assert_int_equal(fixture_value(stage.ref), 101);
    stage_close(&stage);
}

static void in_the_block_phase_calls_wait_and_go_to_the_new_object(void **state) {
    (void)state;
    struct stage stage;
    struct actor new, known;
    actor_start(&new, "new");
    actor_start(&known, "known");
    stage_open(&stage, &counter_plain);
    new.ref = known.ref = stage.ref;
    actor_do(&known, order_which);
    stage_forward(&stage, &counter_second);
    stage_block(&stage);
    actor_begin(&new, order_which);
    actor_begin(&known, order_which);
    await_held_back(&new, stage.ref);
    await_held_back(&known, stage.ref);
    assert_int_equal(stage_finish(&stage), 0);
    actor_stop(&new);
    actor_stop(&known);
    assert_int_equal(new.result, fixture_number(&counter_second));
    assert_int_equal(known.result, fixture_number(&counter_second));
    assert_int_equal(fixture_value(stage.ref), 11);
    stage_close(&stage);
}

static struct gate transfer_gate;

static void hold_the_transfer(unsigned part) {
    (void)part;
    gate_pass(&transfer_gate);
}

static void in_the_transfer_phase_calls_wait_and_go_to_the_new_object(void **state) {
    (void)state;
    struct stage stage;
    transfer_gate = (struct gate){0};
    stage_open(&stage, &counter_plain);
    fixture_hooks.export_part = hold_the_transfer;
    stage.swapper.to = &counter_second;
    actor_begin(&stage.swapper, order_swap);
    gate_await(&transfer_gate, 1);
    assert_int_equal(swap_phase(stage.ref), CLOSED);
    actor_begin(&stage.tracked, order_which);
    await_held_back(&stage.tracked, stage.ref);
    gate_open(&transfer_gate);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(stage.tracked.result, fixture_number(&counter_second));
    assert_int_equal(transfer_gate.arrived, 1);
    stage_close(&stage);
}

static void a_tracked_call_that_leaves_last_carries_the_transfer(void **state) {
    (void)state;
    struct stage stage;
    transfer_gate = (struct gate){0};
    stage_open(&stage, &counter_plain);
    stage_forward(&stage, &counter_second);
    stage_block(&stage);
    fixture_hooks.export_part = hold_the_transfer;
    gate_open(&stage.tracked_gate);
    gate_await(&transfer_gate, 1);
    /* Its own call is over, and it is busy all the same: with the transfer. */
    assert_true(actor_is_busy(&stage.tracked));
    gate_open(&transfer_gate);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(fixture_value(stage.ref), 11);
    stage_close(&stage);
}

/* What a thread's table holds for an object. */
static void *slot_of(const struct actor *actor, k42_ref ref) {
    return k42_load_acquire((void **)k42_cpus[actor->cpu] + k42_ref_id(ref));
}

/* Its slot leads to the object itself, or to the entry, by which it is found again. */
static int leads_to_the_object(const struct actor *actor, k42_ref ref) {
    struct k42_entry *entry = &k42_entries[k42_ref_id(ref)];
    struct k42_root *root = k42_load_acquire(&entry->root);
    void *slot = slot_of(actor, ref);
    return slot == (void *)entry || slot == (char *)root + root->class_->rep_offset;
}

static void when_a_swap_is_over_no_table_leads_to_its_mediator(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_plain);
    stage_forward(&stage, &counter_second);
    stage_block(&stage);
    assert_false(leads_to_the_object(&stage.tracked, stage.ref));
    assert_int_equal(stage_finish(&stage), 0);
    assert_true(leads_to_the_object(&stage.older, stage.ref));
    assert_true(leads_to_the_object(&stage.tracked, stage.ref));
    stage.swapper.swap =
        (struct k42_swap){.ref = stage.ref, .to = &counter_plain, .deadline_ns = 100000000};
    stage.swapper.to = NULL;
    stage_forward_as_requested(&stage);
    actor_do(&stage.tracked, order_add);
    actor_finish(&stage.swapper);
    assert_int_equal(stage.swapper.result, -ETIMEDOUT);
    assert_true(leads_to_the_object(&stage.tracked, stage.ref));
    gate_open(&stage.older_gate);
    stage_close(&stage);
}

/* ---- deadlines ---- */

static void a_call_that_outlasts_the_deadline_in_the_forward_phase_is_named(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_plain);
    assert_int_equal(fixture_add(stage.ref, 3), 0);
    uint64_t aborts = fixture_stats().swap_aborts;
    stage.swapper.swap =
        (struct k42_swap){.ref = stage.ref, .to = &counter_second, .deadline_ns = 5000000};
    stage_forward_as_requested(&stage);
    actor_finish(&stage.swapper);
    struct k42_swap_report *told = &stage.swapper.swap.report;
    assert_int_equal(stage.swapper.result, -ETIMEDOUT);
    assert_int_equal(told->result, -ETIMEDOUT);
    assert_int_equal(told->phase, K42_SWAP_FORWARD);
    assert_int_equal(told->holder_thread, stage.older.thread_id);
    assert_string_equal(told->holder_name, "older");
    assert_non_null(strstr(told->text, "older"));
    assert_int_equal(fixture_stats().swap_aborts, aborts + 1);
    assert_int_equal(fixture_which(stage.ref), fixture_number(&counter_plain));
    assert_int_equal(fixture_value(stage.ref), 3);
    gate_open(&stage.older_gate);
    stage_close(&stage);
    assert_int_equal(fixture_value(stage.ref), 4);
    assert_int_equal(k42_swap(stage.ref, &counter_second, NULL), 0);
    assert_int_equal(fixture_value(stage.ref), 4);
}

static void a_call_that_outlasts_the_deadline_in_the_block_phase_is_named(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    struct k42_swap_report *told = &stage.swapper.swap.report;
    long expected = 0;
    stage_open(&stage, &counter_plain);
    actor_start(&waiting, "waiting");
    waiting.ref = stage.ref;
    /* However slow the machine is, there is a deadline that it can meet as far as that phase. */
    for (uint64_t deadline_ns = 50000000;; deadline_ns *= 2) {
        stage.swapper.swap =
            (struct k42_swap){.ref = stage.ref, .to = &counter_second, .deadline_ns = deadline_ns};
        stage_forward_as_requested(&stage);
        stage_block(&stage);
        actor_do(&waiting, order_which);
        actor_finish(&stage.swapper);
        expected += 11;
        if (told->phase == K42_SWAP_BLOCK)
            break;
        assert_int_equal(told->phase, K42_SWAP_FORWARD);
        assert_int_equal(stage_finish(&stage), -ETIMEDOUT);
    }
    assert_int_equal(stage.swapper.result, -ETIMEDOUT);
    assert_int_equal(told->holder_thread, stage.tracked.thread_id);
    assert_string_equal(told->holder_name, "tracked");
    assert_int_equal(told->holder_object, k42_ref_id(stage.ref));
    assert_string_equal(told->holder_method, "hold");
    assert_non_null(strstr(told->text, "tracked"));
    assert_non_null(strstr(told->text, "hold"));
    /* The one that waited went on in the old object, and so does everybody. */
    assert_int_equal(waiting.result, fixture_number(&counter_plain));
    assert_true(actor_is_busy(&stage.tracked));
    assert_int_equal(fixture_which(stage.ref), fixture_number(&counter_plain));
    assert_int_equal(stage_finish(&stage), -ETIMEDOUT);
    actor_stop(&waiting);
    stage_close(&stage);
    assert_int_equal(fixture_value(stage.ref), expected);
    assert_int_equal(fixture_read(&fixture_handed_over), 0);
    assert_int_equal(k42_swap(stage.ref, &counter_second, NULL), 0);
    assert_int_equal(fixture_value(stage.ref), expected);
}

static struct gate *opened_at_second_attempt;
static uint32_t prepares;

static void count_attempts(struct k42_state *state) {
    (void)state;
    if (__atomic_add_fetch(&prepares, 1, __ATOMIC_ACQ_REL) == 2)
        gate_open(opened_at_second_attempt);
}

static void after_a_deadline_it_is_tried_again_as_often_as_asked_for(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_plain);
    prepares = 0;
    opened_at_second_attempt = &stage.older_gate;
    fixture_hooks.prepare = count_attempts;
    stage.swapper.swap = (struct k42_swap){
        .ref = stage.ref, .to = &counter_second, .deadline_ns = 2000000, .attempts = 10000};
    stage_forward_as_requested(&stage);
    actor_finish(&stage.swapper);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(stage.swapper.swap.report.attempts, prepares);
    assert_true(prepares >= 2);
    assert_int_equal(stage.swapper.swap.report.phase, K42_SWAP_DONE);
    stage_close(&stage);
    assert_int_equal(fixture_value(stage.ref), 1);
}

static void a_swap_begun_while_an_aborted_ones_call_goes_on_waits_for_that_call(void **state) {
    (void)state;
    struct stage stage;
    struct actor second;
    stage_open(&stage, &counter_plain);
    actor_start(&second, "second");
    stage.swapper.swap =
        (struct k42_swap){.ref = stage.ref, .to = &counter_second, .deadline_ns = 300000000};
    stage_forward_as_requested(&stage);
    actor_begin(&stage.tracked, order_hold);
    gate_await(&stage.tracked_gate, 1);
    gate_open(&stage.older_gate);
    actor_finish(&stage.swapper);
    assert_int_equal(stage.swapper.result, -ETIMEDOUT);
    second.ref = stage.ref;
    second.to = &counter_second;
    actor_begin(&second, order_swap);
    WAIT_UNTIL(swap_phase(stage.ref) == FORWARDING);
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_int_equal(swap_phase(stage.ref), FORWARDING);
    stage_finish(&stage);
    actor_stop(&second);
    stage_close(&stage);
    assert_int_equal(second.result, 0);
    assert_int_equal(fixture_value(stage.ref), 11);
}

/* ---- refusals ---- */

static void a_swap_from_a_class_that_is_no_longer_there_is_refused(void **state) {
    (void)state;
    struct k42_swap request = {
        .ref = fixture_create(&counter_second), .to = &counter_percpu, .from = &counter_plain};
    assert_int_equal(k42_swap_run(&request), -ESTALE);
    assert_non_null(strstr(request.report.text, "counter.second"));
    assert_int_equal(fixture_which(request.ref), fixture_number(&counter_second));
    request.from = &counter_second;
    assert_int_equal(k42_swap_run(&request), 0);
}

static void classes_without_a_common_format_are_refused_by_name(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(k42_swap(ref, &counter_alien, &report), -ENOTSUP);
    assert_non_null(strstr(report.text, "counter.plain"));
    assert_non_null(strstr(report.text, "counter.alien"));
    assert_int_equal(report.phase, K42_SWAP_PREPARE);
    assert_int_equal(k42_swap(ref, &gauge_first, &report), -ENOTSUP);
    assert_int_equal(fixture_add(ref, 1), 0);
}

static void a_dead_object_or_an_unknown_class_is_refused(void **state) {
    (void)state;
    struct k42_class unknown = counter_second;
    k42_ref ref = fixture_create(&counter_plain);
    unknown.record = NULL;
    assert_int_equal(k42_swap(ref, &unknown, &report), -ENOENT);
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(k42_destroy(ref), 0);
    assert_int_equal(k42_swap(ref, &counter_second, &report), -K42_STALE);
    assert_int_equal(report.result, -K42_STALE);
    assert_non_null(strstr(report.text, "dead"));
}

static void an_active_thread_cannot_wait_for_a_swap(void **state) {
    (void)state;
    struct k42_swap request = {.ref = fixture_create(&counter_plain), .to = &counter_second};
    struct k42_swap *requests[] = {&request};
    k42_enter();
    assert_int_equal(k42_swap_run(&request), -EDEADLK);
    assert_int_equal(k42_swap_batch(requests, 1), -EDEADLK);
    k42_exit();
    assert_int_equal(fixture_which(request.ref), fixture_number(&counter_plain));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_swap_keeps_the_ref_and_the_state),
        TEST(an_object_that_nobody_ever_called_is_swapped_at_once),
        TEST(an_object_may_be_swapped_to_its_own_class),
        TEST(swaps_leave_nothing_behind),
        TEST(in_the_forward_phase_first_calls_go_to_the_old_object),
        TEST(in_the_block_phase_calls_wait_and_go_to_the_new_object),
        TEST(in_the_transfer_phase_calls_wait_and_go_to_the_new_object),
        TEST(a_tracked_call_that_leaves_last_carries_the_transfer),
        TEST(when_a_swap_is_over_no_table_leads_to_its_mediator),
        TEST(a_call_that_outlasts_the_deadline_in_the_forward_phase_is_named),
        TEST(a_call_that_outlasts_the_deadline_in_the_block_phase_is_named),
        TEST(after_a_deadline_it_is_tried_again_as_often_as_asked_for),
        TEST(a_swap_begun_while_an_aborted_ones_call_goes_on_waits_for_that_call),
        TEST(a_swap_from_a_class_that_is_no_longer_there_is_refused),
        TEST(classes_without_a_common_format_are_refused_by_name),
        TEST(a_dead_object_or_an_unknown_class_is_refused),
        TEST(an_active_thread_cannot_wait_for_a_swap),
    };
    return cmocka_run_group_tests_name("swap", tests, NULL, NULL);
}
