/*
 * Swaps and what happens at the same time: destroying, other swaps, calls that come back into the
 * object, signals, callers at full speed.
 */
#include "stage.h"

#include <signal.h>

#include "../../core/mediator.h"

/* ---- destroying ---- */

static void order_value_of(struct actor *actor) {
    actor->result = fixture_value(actor->ref);
}

/* The object is gone, whichever it was, and its calls were answered before it went. */
static void assert_all_gone(struct stage *stage, struct actor *waiting) {
    actor_stop(waiting);
    stage_close(stage);
    assert_int_equal(fixture_add(stage->ref, 1), -K42_STALE);
    assert_int_equal(k42_destroy(stage->ref), -K42_STALE);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
    assert_int_equal(fixture_stats().mediators_live, 0);
}

static void destroy_in_the_forward_phase_destroys_the_new_object(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    stage_forward(&stage, &counter_percpu);
    assert_int_equal(k42_destroy(stage.ref), 0);
    assert_int_equal(k42_destroy(stage.ref), -K42_STALE);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(stage.older.result, 0);
    assert_int_equal(fixture_read(&fixture_handed_over), 1);
    assert_all_gone(&stage, &waiting);
}

static void destroy_in_the_block_phase_destroys_the_new_object(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    waiting.ref = stage.ref;
    stage_forward(&stage, &counter_second);
    stage_block(&stage);
    actor_begin(&waiting, order_value_of);
    await_held_back(&waiting, stage.ref);
    assert_int_equal(k42_destroy(stage.ref), 0);
    assert_int_equal(stage_finish(&stage), 0);
    actor_finish(&waiting);
    assert_int_equal(waiting.result, -K42_STALE);
    assert_int_equal(stage.tracked.result, 0);
    assert_int_equal(fixture_read(&fixture_handed_over), 1);
    assert_all_gone(&stage, &waiting);
}

static struct gate transfer_gate;

static void hold_the_transfer(unsigned part) {
    (void)part;
    gate_pass(&transfer_gate);
}

static void destroy_in_the_transfer_phase_destroys_the_new_object(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    transfer_gate = (struct gate){0};
    fixture_hooks.export_part = hold_the_transfer;
    stage.swapper.to = &counter_second;
    actor_begin(&stage.swapper, order_swap);
    gate_await(&transfer_gate, 1);
    assert_int_equal(k42_destroy(stage.ref), 0);
    gate_open(&transfer_gate);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(fixture_read(&fixture_handed_over), 1);
    assert_all_gone(&stage, &waiting);
}

static void destroy_during_a_swap_that_fails_destroys_the_old_object(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    waiting.ref = stage.ref;
    stage_forward(&stage, &counter_failing);
    assert_int_equal(k42_destroy(stage.ref), 0);
    assert_int_equal(stage_finish(&stage), -EIO);
    actor_do(&waiting, order_value_of);
    assert_int_equal(waiting.result, -K42_STALE);
    assert_int_equal(fixture_read(&fixture_handed_over), 0);
    assert_all_gone(&stage, &waiting);
}

static void destroy_during_a_swap_that_misses_its_deadline_destroys_the_old_object(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    stage.swapper.swap =
        (struct k42_swap){.ref = stage.ref, .to = &counter_second, .deadline_ns = 100000000};
    stage_forward_as_requested(&stage);
    assert_int_equal(k42_destroy(stage.ref), 0);
    actor_finish(&stage.swapper);
    assert_int_equal(stage.swapper.result, -ETIMEDOUT);
    assert_int_equal(fixture_add(stage.ref, 1), -K42_STALE);
    stage_finish(&stage);
    assert_all_gone(&stage, &waiting);
}

static struct gate prepare_gate;

static void hold_the_preparation(struct k42_state *state) {
    (void)state;
    gate_pass(&prepare_gate);
}

static void destroy_while_a_swap_is_prepared_destroys_the_new_object(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    prepare_gate = (struct gate){0};
    fixture_hooks.prepare = hold_the_preparation;
    stage.swapper.to = &counter_second;
    actor_begin(&stage.swapper, order_swap);
    gate_await(&prepare_gate, 1);
    assert_int_equal(k42_destroy(stage.ref), 0);
    gate_open(&prepare_gate);
    stage_finish(&stage);
    assert_all_gone(&stage, &waiting);
}

/* ---- swapping twice ---- */

static uint32_t told;
static k42_result told_what;

static void tell(struct k42_swap *swap) {
    told_what = swap->report.result;
    __atomic_fetch_add(&told, 1, __ATOMIC_ACQ_REL);
}

static void of_two_swaps_at_once_the_second_is_refused_and_its_callback_told(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_plain);
    told = 0;
    struct k42_swap second = {.ref = stage.ref, .to = &counter_percpu, .done = tell};
    stage_forward(&stage, &counter_second);
    assert_int_equal(k42_swap_run(&second), -EBUSY);
    assert_non_null(strstr(second.report.text, "already"));
    assert_int_equal(told, 1);
    assert_int_equal(told_what, -EBUSY);
    assert_int_equal(k42_swap_submit(&second), K42_QUEUED);
    WAIT_UNTIL(__atomic_load_n(&told, __ATOMIC_ACQUIRE) == 2);
    assert_int_equal(told_what, -EBUSY);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(fixture_which(stage.ref), fixture_number(&counter_second));
    stage_close(&stage);
}

/* ---- calls that come back ---- */

static void a_call_of_the_same_object_from_inside_it_passes_while_others_wait(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    waiting.ref = stage.tracked.other = stage.ref;
    waiting.amount = 100;
    stage_forward(&stage, &counter_second);
    stage_block_with(&stage, order_hold_then_add);
    actor_begin(&waiting, order_add);
    await_held_back(&waiting, stage.ref);
    assert_int_equal(stage_finish(&stage), 0);
    actor_stop(&waiting);
    assert_int_equal(stage.tracked.result, 0);
    assert_int_equal(fixture_value(stage.ref), 111);
    stage_close(&stage);
}

static void a_call_that_comes_back_through_another_object_passes(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_plain);
    stage.tracked.via = fixture_create(&counter_percpu);
    stage.tracked.other = stage.ref;
    stage_forward(&stage, &counter_second);
    stage_block_with(&stage, order_hold_then_relay);
    assert_int_equal(stage_finish(&stage), 0);
    assert_int_equal(stage.tracked.result, 0);
    assert_int_equal(fixture_value(stage.ref), 11);
    stage_close(&stage);
}

/* Works for a caller that waits inside an object: its chain is this thread's for that time. */
static struct {
    struct gate served;
    struct k42_frame *chain;
    k42_result adopted, adopted_twice, added;
} service;

static void lend_chain(void *context) {
    service.chain = k42_chain();
    gate_pass(context);
    WAIT_UNTIL(__atomic_load_n(&service.served.open, __ATOMIC_ACQUIRE));
}

static void order_run_lending(struct actor *actor) {
    k42_enter();
    actor->result = k42_call((counter_ref)actor->ref, run, lend_chain, actor->gate);
    k42_exit();
}

static void order_serve(struct actor *actor) {
    k42_enter();
    service.adopted = k42_chain_adopt(service.chain);
    service.adopted_twice = k42_chain_adopt(service.chain);
    service.added = k42_call((counter_ref)actor->ref, add, actor->amount);
    k42_chain_return();
    k42_exit();
    gate_open(&service.served);
}

static void a_call_that_comes_back_through_another_thread_passes(void **state) {
    (void)state;
    struct stage stage;
    struct actor server;
    memset(&service, 0, sizeof service);
    actor_start(&server, "server");
    stage_open(&stage, &counter_plain);
    server.ref = stage.ref;
    server.amount = 1000;
    stage_forward(&stage, &counter_second);
    stage_block_with(&stage, order_run_lending);
    assert_non_null(service.chain);
    actor_do(&server, order_serve);
    assert_int_equal(service.adopted, 0);
    assert_int_equal(service.adopted_twice, -EBUSY);
    assert_int_equal(service.added, 0);
    assert_int_equal(stage_finish(&stage), 0);
    actor_stop(&server);
    assert_int_equal(fixture_value(stage.ref), 1001);
    stage_close(&stage);
}

static void a_thread_that_has_given_the_chain_back_waits_like_others(void **state) {
    (void)state;
    struct stage stage;
    struct actor server;
    memset(&service, 0, sizeof service);
    actor_start(&server, "server");
    stage_open(&stage, &counter_plain);
    server.ref = stage.ref;
    server.amount = 1000;
    stage_forward(&stage, &counter_second);
    stage_block_with(&stage, order_run_lending);
    actor_do(&server, order_serve);
    /* The one inside still waits at its own gate, so calls are still blocked. */
    actor_begin(&server, order_add);
    await_held_back(&server, stage.ref);
    assert_int_equal(stage_finish(&stage), 0);
    actor_stop(&server);
    assert_int_equal(fixture_value(stage.ref), 2001);
    stage_close(&stage);
}

static void two_swaps_whose_callers_call_each_other_both_end(void **state) {
    (void)state;
    struct stage one, two;
    stage_open(&one, &counter_plain);
    stage_open(&two, &counter_plain);
    one.tracked.other = two.ref;
    two.tracked.other = one.ref;
    stage_forward(&one, &counter_second);
    stage_forward(&two, &counter_percpu);
    stage_block_with(&one, order_hold_then_add);
    stage_block_with(&two, order_hold_then_add);
    assert_int_equal(swap_phase(one.ref), BLOCKING);
    assert_int_equal(swap_phase(two.ref), BLOCKING);
    gate_open(&one.tracked_gate);
    gate_open(&two.tracked_gate);
    assert_int_equal(stage_finish(&one), 0);
    assert_int_equal(stage_finish(&two), 0);
    assert_int_equal(one.tracked.result, 0);
    assert_int_equal(two.tracked.result, 0);
    assert_int_equal(fixture_value(one.ref), 11);
    assert_int_equal(fixture_value(two.ref), 11);
    assert_int_equal(fixture_which(one.ref), fixture_number(&counter_second));
    assert_int_equal(fixture_which(two.ref), fixture_number(&counter_percpu));
    stage_close(&one);
    stage_close(&two);
}

static void a_closed_object_lets_nobody_in_from_a_blocking_one_either(void **state) {
    (void)state;
    struct stage one, two;
    stage_open(&one, &counter_plain);
    stage_open(&two, &counter_plain);
    one.tracked.other = two.ref;
    stage_forward(&one, &counter_second);
    stage_block_with(&one, order_hold_then_add);
    transfer_gate = (struct gate){0};
    fixture_hooks.export_part = hold_the_transfer;
    two.swapper.to = &counter_second;
    actor_begin(&two.swapper, order_swap);
    gate_await(&transfer_gate, 1);
    assert_int_equal(swap_phase(two.ref), CLOSED);
    gate_open(&one.tracked_gate);
    await_held_back(&one.tracked, two.ref);
    gate_open(&transfer_gate);
    assert_int_equal(stage_finish(&two), 0);
    assert_int_equal(stage_finish(&one), 0);
    assert_int_equal(fixture_value(two.ref), 10);
    stage_close(&one);
    stage_close(&two);
}

/* ---- signals ---- */

static uint32_t signals;

static void count_signal(int number) {
    (void)number;
    __atomic_fetch_add(&signals, 1, __ATOMIC_ACQ_REL);
}

static void a_signal_to_a_thread_that_waits_leaves_its_call_whole(void **state) {
    (void)state;
    struct stage stage;
    struct actor waiting;
    struct sigaction action = {.sa_handler = count_signal}, before;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    signals = 0;
    actor_start(&waiting, "waiting");
    stage_open(&stage, &counter_plain);
    waiting.ref = stage.ref;
    waiting.amount = 100;
    stage_forward(&stage, &counter_second);
    stage_block(&stage);
    actor_begin(&waiting, order_add);
    for (uint32_t i = 1; i <= 20; i++) {
        await_held_back(&waiting, stage.ref);
        assert_int_equal(pthread_kill(waiting.thread, SIGUSR1), 0);
        WAIT_UNTIL(__atomic_load_n(&signals, __ATOMIC_ACQUIRE) == i);
    }
    assert_true(actor_is_busy(&waiting));
    assert_int_equal(stage_finish(&stage), 0);
    actor_stop(&waiting);
    assert_int_equal(waiting.result, 0);
    assert_int_equal(fixture_value(stage.ref), 111);
    stage_close(&stage);
    assert_int_equal(sigaction(SIGUSR1, &before, NULL), 0);
}

/* ---- at full speed ---- */

#define CALLERS 3
#define OBJECTS 2

static uint32_t callers_stop;

static void order_add_until_told(struct actor *actor) {
    const k42_ref *refs = actor->context;
    long made = 0;
    while (!__atomic_load_n(&callers_stop, __ATOMIC_ACQUIRE)) {
        k42_enter();
        k42_ref ref = refs[made % OBJECTS];
        /* Every other call goes through one object into the other. */
        k42_result result = made % 4 < 2
                                ? k42_call((counter_ref)ref, add, 1)
                                : k42_call((counter_ref)ref, relay, refs[(made + 1) % OBJECTS], 1);
        k42_exit();
        if (result < 0)
            actor->result = result;
        made++;
    }
    actor->amount = made;
}

static void under_calls_both_ways_no_call_is_lost_or_made_twice(void **state) {
    (void)state;
    struct k42_class *const classes[] = {&counter_second, &counter_percpu,  &counter_pairs,
                                         &counter_cell,   &counter_sharded, &counter_plain};
    struct actor callers[CALLERS];
    k42_ref refs[OBJECTS] = {fixture_create(&counter_plain), fixture_create(&counter_percpu)};
    long expected = 0, sum = 0, swapped = 0;
    callers_stop = 0;
    for (int i = 0; i < CALLERS; i++) {
        actor_start(&callers[i], "caller");
        callers[i].context = refs;
        actor_begin(&callers[i], order_add_until_told);
    }
    for (int turn = 0; turn < 240; turn++) {
        struct k42_swap request = {.ref = refs[turn % OBJECTS],
                                   .to = classes[turn / 2 % 6],
                                   .deadline_ns = turn % 5 ? NEVER_NS : 20000};
        k42_result result = k42_swap_run(&request);
        assert_true(result == 0 || result == -ETIMEDOUT);
        swapped += result == 0;
    }
    __atomic_store_n(&callers_stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < CALLERS; i++) {
        actor_stop(&callers[i]);
        assert_int_equal(callers[i].result, 0);
        expected += callers[i].amount;
    }
    for (int i = 0; i < OBJECTS; i++)
        sum += fixture_value(refs[i]);
    assert_int_equal(sum, expected);
    assert_true(swapped >= 192);
}

static void destroys_swaps_and_calls_at_once_end_in_nothing_left(void **state) {
    (void)state;
    struct actor caller, swapper;
    actor_start(&caller, "caller");
    actor_start(&swapper, "swapper");
    for (int turn = 0; turn < 300; turn++) {
        k42_ref ref = fixture_create(turn % 2 ? &counter_plain : &counter_percpu);
        caller.ref = swapper.ref = ref;
        caller.amount = 1;
        swapper.to = turn % 3 ? &counter_second : &counter_failing;
        actor_begin(&caller, order_add);
        actor_begin(&swapper, order_swap);
        assert_int_equal(k42_destroy(ref), 0);
        assert_int_equal(k42_destroy(ref), -K42_STALE);
        actor_finish(&caller);
        actor_finish(&swapper);
        assert_true(caller.result == 0 || caller.result == -K42_STALE);
        assert_true(swapper.result == 0 || swapper.result == -K42_STALE || swapper.result == -EIO);
        assert_int_equal(fixture_add(ref, 1), -K42_STALE);
    }
    actor_stop(&caller);
    actor_stop(&swapper);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(destroy_in_the_forward_phase_destroys_the_new_object),
        TEST(destroy_in_the_block_phase_destroys_the_new_object),
        TEST(destroy_in_the_transfer_phase_destroys_the_new_object),
        TEST(destroy_during_a_swap_that_fails_destroys_the_old_object),
        TEST(destroy_during_a_swap_that_misses_its_deadline_destroys_the_old_object),
        TEST(destroy_while_a_swap_is_prepared_destroys_the_new_object),
        TEST(of_two_swaps_at_once_the_second_is_refused_and_its_callback_told),
        TEST(a_call_of_the_same_object_from_inside_it_passes_while_others_wait),
        TEST(a_call_that_comes_back_through_another_object_passes),
        TEST(a_call_that_comes_back_through_another_thread_passes),
        TEST(a_thread_that_has_given_the_chain_back_waits_like_others),
        TEST(two_swaps_whose_callers_call_each_other_both_end),
        TEST(a_closed_object_lets_nobody_in_from_a_blocking_one_either),
        TEST(a_signal_to_a_thread_that_waits_leaves_its_call_whole),
        TEST(under_calls_both_ways_no_call_is_lost_or_made_twice),
        TEST(destroys_swaps_and_calls_at_once_end_in_nothing_left),
    };
    return cmocka_run_group_tests_name("swap_races", tests, NULL, NULL);
}
