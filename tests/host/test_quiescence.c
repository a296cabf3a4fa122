/*
 * Quiescence: what waits for whom, markers, deferred work, the watchdog, many threads.
 */
#include "actors.h"

#include <stdio.h>

#include "../../core/runtime.h"

/* Time for a grace period that wrongly does not wait to pass; a right one is in no hurry. */
static void give_time(void) {
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
}

static void order_synchronize(struct actor *actor) {
    actor->result = k42_synchronize();
}

/* An actor that is active at its gate. */
static void order_stay_active(struct actor *actor) {
    k42_enter();
    gate_pass(actor->gate);
    k42_exit();
}

static void become_active(struct actor *actor, struct gate *gate) {
    *gate = (struct gate){0};
    actor->gate = gate;
    actor_begin(actor, order_stay_active);
    gate_await(gate, 1);
}

/* ---- grace periods ---- */

static void with_nobody_active_a_grace_period_passes(void **state) {
    (void)state;
    uint64_t before = fixture_stats().grace_periods;
    assert_int_equal(k42_synchronize(), 0);
    assert_true(fixture_stats().grace_periods > before);
}

static void a_grace_period_waits_for_a_thread_that_is_active(void **state) {
    (void)state;
    struct actor active, waiter;
    struct gate gate;
    actor_start(&active, "active");
    actor_start(&waiter, "waiter");
    become_active(&active, &gate);
    actor_begin(&waiter, order_synchronize);
    give_time();
    assert_true(actor_is_busy(&waiter));
    gate_open(&gate);
    actor_finish(&waiter);
    assert_int_equal(waiter.result, 0);
    actor_stop(&active);
    actor_stop(&waiter);
}

static void order_enter_and_leave_often(struct actor *actor) {
    while (!__atomic_load_n(&actor->gate->open, __ATOMIC_ACQUIRE)) {
        k42_enter();
        __atomic_store_n(&actor->gate->arrived, 1, __ATOMIC_RELEASE);
        k42_exit();
    }
}

static void a_grace_period_passes_while_threads_keep_entering(void **state) {
    (void)state;
    struct actor busy[3];
    struct gate gates[3] = {0};
    for (int i = 0; i < 3; i++) {
        actor_start(&busy[i], "busy");
        busy[i].gate = &gates[i];
        actor_begin(&busy[i], order_enter_and_leave_often);
        gate_await(&gates[i], 1);
    }
    for (int turn = 0; turn < 50; turn++)
        assert_int_equal(k42_synchronize(), 0);
    for (int i = 0; i < 3; i++) {
        gate_open(&gates[i]);
        actor_stop(&busy[i]);
    }
}

/* Whatever the parity it counted itself in: advances move it on meanwhile. */
static void a_thread_active_across_several_advances_is_still_waited_for(void **state) {
    (void)state;
    struct actor active, waiter;
    struct gate gate;
    actor_start(&active, "active");
    actor_start(&waiter, "waiter");
    for (int turn = 0; turn < 4; turn++) {
        struct k42_cpu_marker marker;
        become_active(&active, &gate);
        assert_int_equal(k42_cpu_mark(&marker, (uint32_t)active.cpu), 0);
        for (int look = 0; look < 100; look++)
            assert_false(k42_cpu_elapsed(&marker));
        actor_begin(&waiter, order_synchronize);
        give_time();
        assert_true(actor_is_busy(&waiter));
        assert_false(k42_cpu_elapsed(&marker));
        gate_open(&gate);
        actor_finish(&active);
        actor_finish(&waiter);
        assert_true(k42_cpu_elapsed(&marker));
        assert_true(k42_cpu_elapsed(&marker));
    }
    actor_stop(&active);
    actor_stop(&waiter);
}

/*
 * A thread that read the generation before it was advanced and counts itself afterwards: the
 * counts are put as its instructions would leave them at each boundary.
 */
static void a_thread_that_counts_itself_late_is_waited_for(void **state) {
    (void)state;
    struct actor late;
    struct k42_cpu_marker marker;
    actor_start(&late, "late");
    struct k42_cpu_head *head = k42_cpu_head_of((uint32_t)late.cpu);
    for (uint64_t parity = 0; parity < 2; parity++) {
        uint64_t generation = k42_load_acquire(&head->generation);
        /* It has read `parity`; the generation then says the other one. */
        k42_store_release(&head->generation, generation + ((generation & 1) == parity));
        k42_store_release(&head->active[parity], 1);
        assert_int_equal(k42_cpu_mark(&marker, (uint32_t)late.cpu), 0);
        for (int look = 0; look < 10; look++)
            assert_false(k42_cpu_elapsed(&marker));
        k42_store_release(&head->active[parity], 0);
        assert_true(k42_cpu_elapsed(&marker));
    }
    actor_stop(&late);
}

static void each_of_the_two_counts_must_be_seen_at_zero_but_not_at_once(void **state) {
    (void)state;
    struct actor two;
    struct k42_cpu_marker marker;
    actor_start(&two, "two");
    struct k42_cpu_head *head = k42_cpu_head_of((uint32_t)two.cpu);
    k42_store_release(&head->active[0], 1);
    assert_int_equal(k42_cpu_mark(&marker, (uint32_t)two.cpu), 0);
    assert_false(k42_cpu_elapsed(&marker));
    k42_store_release(&head->active[1], 1);
    k42_store_release(&head->active[0], 0);
    assert_true(k42_cpu_elapsed(&marker));
    k42_store_release(&head->active[1], 0);
    actor_stop(&two);
}

static void order_loop_with_safe_points(struct actor *actor) {
    k42_enter();
    while (!__atomic_load_n(&actor->gate->open, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&actor->gate->arrived, 1, __ATOMIC_RELEASE);
        k42_safe_point();
    }
    actor->result = k42_active();
    k42_exit();
}

static void a_loop_that_never_leaves_lets_grace_periods_pass_at_its_safe_points(void **state) {
    (void)state;
    struct actor looping;
    struct gate gate = {0};
    actor_start(&looping, "looping");
    looping.gate = &gate;
    actor_begin(&looping, order_loop_with_safe_points);
    gate_await(&gate, 1);
    for (int turn = 0; turn < 20; turn++)
        assert_int_equal(k42_synchronize(), 0);
    assert_true(actor_is_busy(&looping));
    gate_open(&gate);
    actor_stop(&looping);
    assert_int_equal(looping.result, 1);
}

static void an_active_thread_cannot_wait(void **state) {
    (void)state;
    k42_enter();
    assert_int_equal(k42_synchronize(), -EDEADLK);
    assert_int_equal(k42_defer_flush(), -EDEADLK);
    k42_exit();
    assert_int_equal(k42_synchronize(), 0);
}

static void *synchronize_unattached(void *context) {
    *(k42_result *)context = k42_synchronize();
    return NULL;
}

static void a_thread_that_is_not_attached_may_wait(void **state) {
    (void)state;
    pthread_t thread;
    k42_result result = -1;
    assert_int_equal(pthread_create(&thread, NULL, synchronize_unattached, &result), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(result, 0);
}

#define WAITERS 6

static void waiters_that_come_together_share_grace_periods(void **state) {
    (void)state;
    struct actor active, waiters[WAITERS];
    struct gate gate;
    actor_start(&active, "active");
    for (int i = 0; i < WAITERS; i++)
        actor_start(&waiters[i], "waiter");
    become_active(&active, &gate);
    k42_marker idle = k42_mark();
    actor_begin(&waiters[0], order_synchronize);
    WAIT_UNTIL(k42_mark() > idle);
    uint64_t before = fixture_stats().grace_periods;
    for (int i = 1; i < WAITERS; i++)
        actor_begin(&waiters[i], order_synchronize);
    give_time();
    gate_open(&gate);
    for (int i = 0; i < WAITERS; i++) {
        actor_finish(&waiters[i]);
        assert_int_equal(waiters[i].result, 0);
    }
    /* The one under way and one more for those who came during it; and what the reclaimer needs. */
    assert_true(fixture_stats().grace_periods - before < WAITERS);
    for (int i = 0; i < WAITERS; i++)
        actor_stop(&waiters[i]);
    actor_stop(&active);
}

/* ---- markers ---- */

static void a_marker_elapses_with_the_next_full_grace_period(void **state) {
    (void)state;
    struct actor active, waiter;
    struct gate gate;
    actor_start(&active, "active");
    actor_start(&waiter, "waiter");
    k42_marker idle = k42_mark();
    assert_false(k42_elapsed(idle));
    assert_int_equal(k42_synchronize(), 0);
    assert_true(k42_elapsed(idle));

    become_active(&active, &gate);
    idle = k42_mark();
    actor_begin(&waiter, order_synchronize);
    WAIT_UNTIL(k42_mark() > idle);
    /* One is under way that began before this marker: it is not enough. */
    k42_marker during = k42_mark();
    gate_open(&gate);
    actor_finish(&waiter);
    assert_false(k42_elapsed(during));
    assert_int_equal(k42_synchronize(), 0);
    assert_true(k42_elapsed(during));
    actor_stop(&active);
    actor_stop(&waiter);
}

static void a_cpu_marker_waits_for_that_cpu_alone(void **state) {
    (void)state;
    struct actor active, idle;
    struct gate gate;
    struct k42_cpu_marker of_active, of_idle;
    actor_start(&active, "active");
    actor_start(&idle, "idle");
    become_active(&active, &gate);
    assert_int_equal(k42_cpu_mark(&of_active, (uint32_t)active.cpu), 0);
    assert_int_equal(k42_cpu_mark(&of_idle, (uint32_t)idle.cpu), 0);
    assert_true(k42_cpu_elapsed(&of_idle));
    assert_false(k42_cpu_elapsed(&of_active));
    gate_open(&gate);
    actor_finish(&active);
    assert_true(k42_cpu_elapsed(&of_active));
    assert_int_equal(k42_cpu_mark(&of_active, k42_cpu_limit()), -EINVAL);
    actor_stop(&active);
    actor_stop(&idle);
}

static void a_cpu_that_comes_during_a_grace_period_does_not_hold_it_up(void **state) {
    (void)state;
    struct actor active, waiter, later;
    struct gate gate, later_gate;
    actor_start(&active, "active");
    actor_start(&waiter, "waiter");
    become_active(&active, &gate);
    k42_marker marker = k42_mark();
    actor_begin(&waiter, order_synchronize);
    WAIT_UNTIL(k42_mark() > marker);
    actor_start(&later, "later");
    assert_true(later.cpu > active.cpu);
    become_active(&later, &later_gate);
    gate_open(&gate);
    actor_finish(&waiter);
    assert_true(k42_elapsed(marker));
    assert_true(actor_is_busy(&later));
    gate_open(&later_gate);
    actor_stop(&active);
    actor_stop(&waiter);
    actor_stop(&later);
}

/* ---- deferred work ---- */

static struct { uint32_t runs, active, attached; } deferred;

static void note_deferred(struct k42_defer *defer) {
    (void)defer;
    deferred.active += (uint32_t)k42_active();
    deferred.attached += (uint32_t)k42_attached();
    __atomic_fetch_add(&deferred.runs, 1, __ATOMIC_ACQ_REL);
}

static uint32_t deferred_runs(void) {
    return __atomic_load_n(&deferred.runs, __ATOMIC_ACQUIRE);
}

static void deferred_work_runs_after_a_grace_period_and_inactive(void **state) {
    (void)state;
    static struct k42_defer defer;
    struct actor active;
    struct gate gate;
    memset(&deferred, 0, sizeof deferred);
    actor_start(&active, "active");
    become_active(&active, &gate);
    k42_defer(&defer, note_deferred);
    give_time();
    assert_int_equal(deferred_runs(), 0);
    assert_true(fixture_stats().defers_pending >= 1);
    gate_open(&gate);
    actor_stop(&active);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(deferred_runs(), 1);
    assert_int_equal(deferred.active, 0);
    assert_int_equal(deferred.attached, 1);
}

#define DEFERS 1000

static struct k42_defer many_defers[WAITERS][DEFERS];

static void order_defer_many(struct actor *actor) {
    for (int i = 0; i < DEFERS; i++) {
        if (i % 2)
            k42_enter();
        k42_defer(&many_defers[actor->amount][i], note_deferred);
        if (i % 2)
            k42_exit();
    }
}

static void flushing_waits_for_everything_deferred_before(void **state) {
    (void)state;
    struct actor actors[WAITERS];
    memset(&deferred, 0, sizeof deferred);
    for (int i = 0; i < WAITERS; i++) {
        actor_start(&actors[i], "defers");
        actors[i].amount = i;
        actor_begin(&actors[i], order_defer_many);
    }
    for (int i = 0; i < WAITERS; i++)
        actor_stop(&actors[i]);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(deferred_runs(), WAITERS * DEFERS);
    assert_int_equal(fixture_stats().defers_pending, 0);
}

/* ---- the watchdog ---- */

static int open_with_watchdog(void **state) {
    (void)state;
    return fixture_open_with(
        &(struct k42_options){.max_objects = 1u << 17, .watchdog_ns = 1000000});
}

static void the_watchdog_names_the_thread_and_the_wait_goes_on(void **state) {
    (void)state;
    struct actor forgetful, waiter;
    struct gate gate;
    char thread[32];
    actor_start(&forgetful, "forgetful");
    actor_start(&waiter, "waiter");
    become_active(&forgetful, &gate);
    actor_begin(&waiter, order_synchronize);
    snprintf(thread, sizeof thread, "thread %u", forgetful.thread_id);
    WAIT_UNTIL(fixture_logged("forgetful"));
    assert_true(fixture_logged(thread));
    assert_true(actor_is_busy(&waiter));
    gate_open(&gate);
    actor_finish(&waiter);
    assert_int_equal(waiter.result, 0);
    assert_int_equal(k42_synchronize(), 0);
    actor_stop(&forgetful);
    actor_stop(&waiter);
}

static void the_watchdog_names_the_method_of_an_interposed_object(void **state) {
    (void)state;
    struct actor forgetful, waiter;
    struct gate gate = {0};
    struct k42_hook hook = {0};
    char object[32];
    actor_start(&forgetful, "forgetful");
    actor_start(&waiter, "waiter");
    forgetful.ref = fixture_create(&counter_plain);
    forgetful.gate = &gate;
    assert_int_equal(k42_interpose(forgetful.ref, &hook), 0);
    actor_begin(&forgetful, order_hold);
    gate_await(&gate, 1);
    actor_begin(&waiter, order_synchronize);
    snprintf(object, sizeof object, "object %u", k42_ref_id(forgetful.ref));
    WAIT_UNTIL(fixture_logged("forgetful"));
    assert_true(fixture_logged("hold"));
    assert_true(fixture_logged(object));
    gate_open(&gate);
    actor_stop(&forgetful);
    actor_stop(&waiter);
    assert_int_equal(k42_release(&hook), 0);
}

/* ---- more threads than one level of the tree has, and than two have ---- */

static void assert_each_of_many_is_waited_for(int count) {
    static struct actor many[300];
    struct actor waiter;
    struct gate gate;
    const int chosen[] = {0, count / 2, count - 1};
    for (int i = 0; i < count; i++)
        actor_start(&many[i], "one of many");
    actor_start(&waiter, "waiter");
    assert_true(k42_cpu_limit() > (uint32_t)count);
    assert_int_equal(k42_synchronize(), 0);
    for (int i = 0; i < 3; i++) {
        struct actor *active = &many[chosen[i]];
        become_active(active, &gate);
        actor_begin(&waiter, order_synchronize);
        give_time();
        assert_true(actor_is_busy(&waiter));
        gate_open(&gate);
        actor_finish(&waiter);
        actor_finish(active);
    }
    for (int i = 0; i < count; i++)
        actor_stop(&many[i]);
    actor_stop(&waiter);
    assert_int_equal(k42_synchronize(), 0);
}

static void a_grace_period_waits_for_each_of_more_than_16_threads(void **state) {
    (void)state;
    assert_each_of_many_is_waited_for(40);
}

static void a_grace_period_waits_for_each_of_more_than_256_threads(void **state) {
    (void)state;
    assert_each_of_many_is_waited_for(280);
}

int main(void) {
#define TEST(name)         cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
#define TEST_WATCHED(name) cmocka_unit_test_setup_teardown(name, open_with_watchdog, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(with_nobody_active_a_grace_period_passes),
        TEST(a_grace_period_waits_for_a_thread_that_is_active),
        TEST(a_grace_period_passes_while_threads_keep_entering),
        TEST(a_thread_active_across_several_advances_is_still_waited_for),
        TEST(a_thread_that_counts_itself_late_is_waited_for),
        TEST(each_of_the_two_counts_must_be_seen_at_zero_but_not_at_once),
        TEST(a_loop_that_never_leaves_lets_grace_periods_pass_at_its_safe_points),
        TEST(an_active_thread_cannot_wait),
        TEST(a_thread_that_is_not_attached_may_wait),
        TEST(waiters_that_come_together_share_grace_periods),
        TEST(a_marker_elapses_with_the_next_full_grace_period),
        TEST(a_cpu_marker_waits_for_that_cpu_alone),
        TEST(a_cpu_that_comes_during_a_grace_period_does_not_hold_it_up),
        TEST(deferred_work_runs_after_a_grace_period_and_inactive),
        TEST(flushing_waits_for_everything_deferred_before),
        TEST_WATCHED(the_watchdog_names_the_thread_and_the_wait_goes_on),
        TEST_WATCHED(the_watchdog_names_the_method_of_an_interposed_object),
        TEST(a_grace_period_waits_for_each_of_more_than_16_threads),
        TEST(a_grace_period_waits_for_each_of_more_than_256_threads),
    };
    return cmocka_run_group_tests_name("quiescence", tests, NULL, NULL);
}
