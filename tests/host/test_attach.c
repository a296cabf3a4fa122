/*
 * Starting, attaching, detaching, forking, ending; and what is refused.
 */
#define _GNU_SOURCE
#include "stage.h"

#include <asm/prctl.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "../../core/runtime.h"

/* ---- attaching ---- */

static void *say(const char *what) {
    return (void *)(uintptr_t)what;
}

static void *attach_and_call(void *context) {
    k42_ref ref = *(k42_ref *)context;
    if (k42_attached() || k42_active() || k42_cpu() >= 0)
        return say("attached although it only inherited");
    if (k42_detach() != -EINVAL)
        return say("detached without being attached");
    if (k42_attach("second") < 0 || !k42_attached() || k42_cpu() < 0)
        return say("not attached");
    if (fixture_add(ref, 1) < 0)
        return say("its call failed");
    return k42_detach() < 0 ? say("not detached") : NULL;
}

static void a_thread_that_inherits_the_base_register_must_attach_and_can(void **state) {
    (void)state;
    pthread_t thread;
    void *failure;
    k42_ref ref = fixture_create(&counter_percpu);
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, attach_and_call, &ref), 0);
    assert_int_equal(pthread_join(thread, &failure), 0);
    if (failure)
        fail_msg("%s", (const char *)failure);
    /* It found a representative of its own, not its creator's. */
    assert_int_equal(fixture_read(&fixture_reps), 2);
    assert_int_equal(fixture_value(ref), 2);
}

static void attaching_twice_and_detaching_while_active_are_refused(void **state) {
    (void)state;
    assert_int_equal(k42_attach("again"), -EALREADY);
    k42_enter();
    assert_int_equal(k42_active(), 1);
    assert_int_equal(k42_detach(), -EBUSY);
    k42_exit();
    assert_int_equal(k42_active(), 0);
    assert_int_equal(k42_attached(), 1);
}

static void a_cpu_number_is_taken_over_by_the_next_thread(void **state) {
    (void)state;
    struct actor first, second;
    actor_start(&first, "first");
    int cpu = first.cpu;
    first.ref = fixture_create(&counter_percpu);
    first.amount = 1;
    actor_do(&first, order_add);
    actor_stop(&first);
    actor_start(&second, "second");
    assert_int_equal(second.cpu, cpu);
    second.ref = first.ref;
    second.amount = 1;
    actor_do(&second, order_add);
    actor_stop(&second);
    assert_int_equal(fixture_read(&fixture_reps), 1);
    assert_int_equal(fixture_value(first.ref), 2);
}

/* ---- starting ---- */

static char line_logged[512];

static void keep_line(const char *line) {
    snprintf(line_logged, sizeof line_logged, "%s", line);
}

static const struct k42_options quiet = {.max_objects = 1u << 16, .log = keep_line};

static void only_after_init_can_a_thread_attach(void **state) {
    (void)state;
    assert_int_equal(k42_shutdown(), -EINVAL);
    assert_int_equal(k42_attach("early"), -EINVAL);
    assert_int_equal(k42_init(&quiet), 0);
    assert_int_equal(k42_init(&quiet), -EALREADY);
    assert_int_equal(k42_attach("test"), 0);
    assert_int_equal(k42_detach(), 0);
    assert_int_equal(k42_shutdown(), 0);
    assert_int_equal(k42_attach("late"), -EINVAL);
}

static void a_program_of_the_other_flavour_is_refused_by_name(void **state) {
    (void)state;
    assert_int_equal(k42_init_flavour(&quiet, "other"), -ENOSYS);
    assert_non_null(strstr(line_logged, "flavour"));
    assert_int_equal(k42_init(&quiet), 0);
    assert_int_equal(k42_shutdown(), 0);
}

#if !K42_TLS

static uint64_t somebody_elses[8];

static void take_base(void *base) {
    assert_int_equal(syscall(SYS_arch_prctl, ARCH_SET_GS, (uintptr_t)base), 0);
}

static void init_is_refused_when_the_base_register_is_taken(void **state) {
    (void)state;
    take_base(somebody_elses);
    k42_result result = k42_init(&quiet);
    take_base(NULL);
    assert_int_equal(result, -EBUSY);
    assert_non_null(strstr(line_logged, "%gs"));
    assert_non_null(strstr(line_logged, "tls"));
    assert_int_equal(k42_init(&quiet), 0);
    assert_int_equal(k42_shutdown(), 0);
}

static void *attach_with_base_taken(void *context) {
    uintptr_t base = 0;
    take_base(somebody_elses);
    *(k42_result *)context = k42_attach("taken");
    (void)syscall(SYS_arch_prctl, ARCH_GET_GS, &base);
    return (void *)base;
}

static void attach_is_refused_when_the_base_register_is_taken(void **state) {
    (void)state;
    pthread_t thread;
    k42_result result = 0;
    void *base;
    assert_int_equal(pthread_create(&thread, NULL, attach_with_base_taken, &result), 0);
    assert_int_equal(pthread_join(thread, &base), 0);
    assert_int_equal(result, -EBUSY);
    assert_ptr_equal(base, somebody_elses);
    assert_true(fixture_logged("%gs"));
}

#endif

/* ---- ending ---- */

static void shutdown_is_refused_while_threads_are_attached(void **state) {
    (void)state;
    struct actor still;
    actor_start(&still, "still");
    assert_int_equal(k42_detach(), 0);
    assert_int_equal(k42_shutdown(), -EBUSY);
    assert_true(fixture_logged("attached"));
    assert_int_equal(k42_attach("test"), 0);
    still.ref = fixture_create(&counter_plain);
    still.amount = 1;
    actor_do(&still, order_add);
    assert_int_equal(still.result, 0);
    actor_stop(&still);
}

static struct k42_defer deferred, queued;
static uint32_t deferred_runs;

static void note_deferred(struct k42_defer *defer) {
    (void)defer;
    deferred_runs++;
}

static struct k42_swap submitted;

static void shutdown_finishes_what_was_begun_and_ends_every_object(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    deferred_runs = 0;
    for (int i = 0; i < 1000; i++)
        assert_int_equal(fixture_add(fixture_create(i % 2 ? &counter_percpu : &counter_cell), 1),
                         0);
    submitted = (struct k42_swap){.ref = ref, .to = &counter_second};
    assert_int_equal(k42_swap_submit(&submitted), K42_QUEUED);
    k42_defer(&deferred, note_deferred);
    assert_int_equal(k42_detach(), 0);
    assert_int_equal(k42_shutdown(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    assert_int_equal(deferred_runs, 1);
    assert_int_equal(submitted.report.result, 0);
    assert_int_equal(fixture_read(&fixture_handed_over), 1);
    assert_int_equal(fixture_open(NULL), 0);
}

static long descriptors_open(void) {
    DIR *folder = opendir("/proc/self/fd");
    long count = 0;
    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static long address_space_kb(void) {
    char line[128];
    long kb = 0;
    FILE *file = fopen("/proc/self/status", "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (sscanf(line, "VmSize: %ld kB", &kb) == 1)
            break;
    fclose(file);
    return kb;
}

static void start_use_and_end(void) {
    k42_ref ref;
    struct actor actor;
    assert_int_equal(k42_init(&quiet), 0);
    assert_int_equal(k42_create(&counter_plain, "", &ref), 0);
    actor_start(&actor, "actor");
    actor.ref = ref;
    actor.amount = 1;
    actor_do(&actor, order_add);
    actor_stop(&actor);
    /* Right after the first destroy, when the reclaimer is just being started. */
    assert_int_equal(k42_destroy(ref), 0);
    assert_int_equal(k42_shutdown(), 0);
}

static void starting_and_ending_again_and_again_takes_no_more(void **state) {
    (void)state;
    for (int turn = 0; turn < 20; turn++)
        start_use_and_end();
    long descriptors = descriptors_open(), kb = address_space_kb();
    for (int turn = 0; turn < 200; turn++)
        start_use_and_end();
    assert_int_equal(descriptors_open(), descriptors);
    /* A table alone is half a megabyte; allocators and cached stacks may move a little. */
    assert_true(address_space_kb() < kb + 100 * 512);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

/* ---- the child of a fork ---- */

static k42_ref forked_ref;

static void require(int condition, const char *what) {
    if (condition)
        return;
    fprintf(stderr, "in the child: %s\n", what);
    _exit(1);
}

__attribute__((unused)) static void use_in_child(void) {
    k42_ref ref;
    struct k42_stats stats;
    struct k42_swap_report report;
    require(k42_attached() && !k42_active(), "attached and inactive");
    require(fixture_add(forked_ref, 1) == 0, "a call of an inherited object");
    require(fixture_value(forked_ref) == 6, "the inherited state");
    require(k42_synchronize() == 0, "a grace period");
    require(k42_create(&counter_plain, "", &ref) == 0, "a new object");
    require(fixture_add(ref, 1) == 0, "its call");
    require(k42_swap(forked_ref, &counter_second, &report) == 0, "a swap");
    require(fixture_value(forked_ref) == 6, "the state after the swap");
    require(k42_destroy(ref) == 0 && k42_defer_flush() == 0, "a destroy");
    k42_stats(&stats);
    require(stats.defers_pending == 0, "no deferred work inherited");
    require(k42_detach() == 0 && k42_shutdown() == 0, "an end");
    require(deferred_runs == 0, "the parent's deferred work stays the parent's");
}

__attribute__((unused)) static void
a_forks_child_starts_clean_though_others_were_active(void **state) {
    (void)state;
    struct actor active;
    struct gate gate = {0};
    forked_ref = fixture_create(&counter_percpu);
    deferred_runs = 0;
    assert_int_equal(fixture_add(forked_ref, 5), 0);
    actor_start(&active, "active");
    active.ref = fixture_create(&counter_plain);
    active.gate = &gate;
    actor_begin(&active, order_hold);
    gate_await(&gate, 1);
    k42_marker idle = k42_mark();
    k42_defer(&deferred, note_deferred);
    assert_int_equal(k42_destroy(fixture_create(&counter_plain)), 0);
    WAIT_UNTIL(k42_mark() > idle);
    /* The reclaimer waits for the thread in the object; what comes now it has not taken up yet. */
    k42_defer(&queued, note_deferred);
    assert_int_equal(k42_destroy(fixture_create(&counter_plain)), 0);
    fixture_assert_child_succeeds(use_in_child);
    gate_open(&gate);
    actor_stop(&active);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(deferred_runs, 2);
    assert_int_equal(fixture_value(forked_ref), 5);
}

static long child_expects;

__attribute__((unused)) static void use_swapped_in_child(void) {
    require(fixture_value(forked_ref) == child_expects,
            "a call of an object that was being swapped");
    require(fixture_which(forked_ref) == fixture_number(&counter_plain), "the old object");
    require(k42_swap(forked_ref, &counter_percpu, NULL) == 0, "another swap");
    require(fixture_value(forked_ref) == child_expects, "the state after it");
    require(k42_destroy(forked_ref) == 0 && k42_defer_flush() == 0, "a destroy");
    require(k42_detach() == 0 && k42_shutdown() == 0, "an end");
}

__attribute__((unused)) static void
a_forks_child_has_the_old_object_of_a_swap_under_way(void **state) {
    (void)state;
    struct stage stage;
    stage_open(&stage, &counter_plain);
    forked_ref = stage.ref;
    assert_int_equal(fixture_add(forked_ref, 5), 0);
    stage_forward(&stage, &counter_second);
    child_expects = 5;
    fixture_assert_child_succeeds(use_swapped_in_child);
    stage_block(&stage);
    assert_int_equal(swap_phase(stage.ref), BLOCKING);
    /* older has added 1 by now, tracked has not added yet. */
    child_expects = 6;
    fixture_assert_child_succeeds(use_swapped_in_child);
    assert_int_equal(stage_finish(&stage), 0);
    stage_close(&stage);
    assert_int_equal(fixture_value(stage.ref), 16);
    assert_int_equal(fixture_which(stage.ref), fixture_number(&counter_second));
}

static void leave_in_child(void) {
    require(k42_active(), "still active");
    k42_exit();
    require(k42_synchronize() == 0, "a grace period");
    require(fixture_add(forked_ref, 1) == 0, "a call");
}

static void a_fork_from_an_active_thread_leaves_the_child_active(void **state) {
    (void)state;
    forked_ref = fixture_create(&counter_plain);
    k42_enter();
    fixture_assert_child_succeeds(leave_in_child);
    k42_exit();
    assert_int_equal(k42_synchronize(), 0);
}

/* ---- misuse, in builds that check ---- */

#ifdef K42_DEBUG

static void enter_unattached(void) {
    (void)!k42_detach();
    k42_enter();
}

static void enter_twice(void) {
    k42_enter();
    k42_enter();
}

static void leave_twice(void) {
    k42_enter();
    k42_exit();
    k42_exit();
}

static void call_inactive(void) {
    (void)!k42_call((counter_ref)forked_ref, add, 1l);
}

static void call_holding_a_lock(void) {
    struct k42_lock lock = {0};
    k42_enter();
    k42_lock(&lock);
    (void)!k42_call((counter_ref)forked_ref, add, 1l);
}

static struct stage stage;

static void leave_inside(void *context) {
    (void)context;
    k42_exit();
}

/* A tracked call: the object is being swapped, since `older` holds the swap in its forward phase.
 */
static void leave_inside_a_tracked_call(void) {
    stage_open(&stage, &counter_plain);
    stage_forward(&stage, &counter_second);
    k42_enter();
    (void)!k42_call((counter_ref)stage.ref, run, leave_inside, NULL);
}

static void checked_builds_name_each_misuse_and_abort(void **state) {
    (void)state;
    forked_ref = fixture_create(&counter_plain);
    fixture_assert_panics(enter_unattached, "not attached");
    fixture_assert_panics(enter_twice, "does not nest");
    fixture_assert_panics(leave_twice, "is not active");
    fixture_assert_panics(call_inactive, "call of add");
    fixture_assert_panics(call_holding_a_lock, "holds a lock");
    fixture_assert_panics(leave_inside_a_tracked_call, "being swapped");
}

#endif

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_after_init_can_a_thread_attach),
        cmocka_unit_test(a_program_of_the_other_flavour_is_refused_by_name),
#if !K42_TLS
        cmocka_unit_test(init_is_refused_when_the_base_register_is_taken),
        TEST(attach_is_refused_when_the_base_register_is_taken),
#endif
        TEST(a_thread_that_inherits_the_base_register_must_attach_and_can),
        TEST(attaching_twice_and_detaching_while_active_are_refused),
        TEST(a_cpu_number_is_taken_over_by_the_next_thread),
        TEST(shutdown_is_refused_while_threads_are_attached),
        TEST(shutdown_finishes_what_was_begun_and_ends_every_object),
        cmocka_unit_test(starting_and_ending_again_and_again_takes_no_more),
#ifndef __SANITIZE_THREAD__ /* which lets the child of a program with threads start none */
        TEST(a_forks_child_starts_clean_though_others_were_active),
        TEST(a_forks_child_has_the_old_object_of_a_swap_under_way),
#endif
        TEST(a_fork_from_an_active_thread_leaves_the_child_active),
#ifdef K42_DEBUG
        TEST(checked_builds_name_each_misuse_and_abort),
#endif
    };
    return cmocka_run_group_tests_name("attach", tests, NULL, NULL);
}
