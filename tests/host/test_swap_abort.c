/*
 * Swaps that fail at any point: a part of the import, any allocation of any swap, of an interposer,
 * of a request. The object goes on as it was, and nothing is left behind.
 *
 * The runtime's allocations come through here (the linker's --wrap); any of them can be made to
 * fail. What fails in a test is counted, so that a test whose failures never happened does not
 * pass.
 */
#include "stage.h"

#include "platform.h"

void *__real_k42_platform_alloc(size_t bytes);
void *__wrap_k42_platform_alloc(size_t bytes);

/* The allocation that fails, counted from here: 1 is the next, 0 none. */
static long failing;
static long failed;

void *__wrap_k42_platform_alloc(size_t bytes) {
    if (__atomic_load_n(&failing, __ATOMIC_ACQUIRE) &&
        __atomic_sub_fetch(&failing, 1, __ATOMIC_ACQ_REL) == 0) {
        __atomic_fetch_add(&failed, 1, __ATOMIC_ACQ_REL);
        return NULL;
    }
    return __real_k42_platform_alloc(bytes);
}

static void fail_allocation(long number) {
    __atomic_store_n(&failed, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&failing, number, __ATOMIC_RELEASE);
}

/* Whether it came to the failure; none is left for what follows. */
static int has_failed(void) {
    __atomic_store_n(&failing, 0, __ATOMIC_RELEASE);
    return __atomic_load_n(&failed, __ATOMIC_ACQUIRE) != 0;
}

static struct k42_class *const classes[] = {&counter_plain,   &counter_second, &counter_cell,
                                            &counter_cell2,   &counter_percpu, &counter_pairs,
                                            &counter_sharded, &counter_roomy};
enum { CLASSES = sizeof classes / sizeof classes[0] };

/* ---- parts ---- */

static unsigned failing_part;

static k42_result fail_part(unsigned part) {
    return part == failing_part ? -EIO : 0;
}

static void an_import_that_fails_in_any_part_leaves_the_old_object(void **state) {
    (void)state;
    struct k42_swap_report report;
    k42_ref ref = fixture_create(&counter_sharded);
    fixture_hooks.import_fails = fail_part;
    for (failing_part = 0; failing_part < FIXTURE_PARTS; failing_part++) {
        assert_int_equal(fixture_add(ref, 1), 0);
        assert_int_equal(k42_swap(ref, &counter_percpu, &report), -EIO);
        assert_int_equal(report.phase, K42_SWAP_TRANSFER);
        assert_int_equal(fixture_which(ref), fixture_number(&counter_sharded));
        assert_int_equal(fixture_value(ref), failing_part + 1);
    }
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 1);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    assert_int_equal(k42_swap(ref, &counter_percpu, NULL), 0);
    assert_int_equal(fixture_value(ref), FIXTURE_PARTS);
    assert_int_equal(fixture_read(&fixture_called_when_gone), 0);
}

static void callers_that_wait_for_a_part_that_fails_go_on_in_the_old_object(void **state) {
    (void)state;
    failing_part = FIXTURE_PARTS / 2;
    fixture_hooks.import_fails = fail_part;
    stage_import_fails(&counter_sharded, &counter_percpu);
}

/* ---- memory ---- */

/* Has each allocation of a swap fail, one after the other, until the swap needs no more of them;
 * returns how many did. */
static int fail_each_allocation(k42_ref ref, struct k42_class *from, struct k42_class *to,
                                long value) {
    struct k42_swap_report report;
    for (int number = 1;; number++) {
        struct k42_stats before = fixture_stats();
        fail_allocation(number);
        k42_result result = k42_swap(ref, to, &report);
        if (!has_failed()) {
            assert_int_equal(result, 0);
            return number - 1;
        }
        assert_int_equal(result, -ENOMEM);
        assert_int_equal(fixture_which(ref), fixture_number(from));
        assert_int_equal(fixture_value(ref), value);
        assert_int_equal(k42_defer_flush(), 0);
        assert_int_equal(fixture_stats().roots_live, before.roots_live);
        assert_int_equal(fixture_stats().mediators_live, before.mediators_live);
    }
}

static void without_memory_at_any_step_of_any_swap_the_old_object_goes_on(void **state) {
    (void)state;
    for (int from = 0; from < CLASSES; from++)
        for (int to = 0; to < CLASSES; to++) {
            k42_ref ref = fixture_create(classes[from]);
            assert_int_equal(fixture_add(ref, 5), 0);
            /* At least the mediator and the new root. */
            assert_true(fail_each_allocation(ref, classes[from], classes[to], 5) >= 2);
            assert_int_equal(fixture_which(ref), fixture_number(classes[to]));
            assert_int_equal(fixture_value(ref), 5);
            fixture_destroy(ref);
        }
    assert_int_equal(fixture_read(&fixture_roots), 0);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    assert_int_equal(fixture_read(&fixture_called_when_gone), 0);
}

static void
a_call_without_memory_for_its_representative_is_told_and_the_next_one_served(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(fixture_add(ref, 5), 0);
    assert_int_equal(k42_swap(ref, &counter_percpu, NULL), 0);
    for (int number = 1;; number++) {
        fail_allocation(number);
        k42_result result = fixture_add(ref, 1);
        if (!has_failed()) {
            assert_int_equal(result, 0);
            assert_true(number > 1);
            break;
        }
        assert_int_equal(result, -ENOMEM);
    }
    assert_int_equal(fixture_value(ref), 6);
}

static void a_request_that_finds_no_memory_is_refused_at_once(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    fail_allocation(1);
    k42_enter();
    k42_result result = k42_swap(ref, &counter_second, NULL);
    k42_exit();
    assert_true(has_failed());
    assert_int_equal(result, -ENOMEM);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(fixture_which(ref), fixture_number(&counter_plain));
}

/* ---- interposers ---- */

static enum k42_verdict pass(struct k42_hook *hook, struct k42_invocation *call) {
    (void)call;
    ++*(int *)hook->context;
    return K42_PROCEED;
}

static void a_hook_without_memory_is_not_placed_and_can_be_later(void **state) {
    (void)state;
    int calls = 0, number = 1;
    struct k42_hook hook = {.before = pass, .context = &calls};
    k42_ref ref = fixture_create(&counter_plain);
    for (;; number++) {
        fail_allocation(number);
        k42_result result = k42_interpose(ref, &hook);
        if (!has_failed()) {
            assert_int_equal(result, 0);
            break;
        }
        assert_int_equal(result, -ENOMEM);
        assert_int_equal(fixture_add(ref, 1), 0);
        assert_int_equal(calls, 0);
        assert_int_equal(fixture_stats().interposers_live, 0);
    }
    assert_true(number > 1);
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(calls, 1);
    assert_int_equal(k42_release(&hook), 0);
}

static void a_hooked_object_without_memory_for_its_swap_keeps_its_hook(void **state) {
    (void)state;
    int calls = 0;
    struct k42_hook hook = {.before = pass, .context = &calls};
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(k42_interpose(ref, &hook), 0);
    assert_int_equal(fixture_add(ref, 5), 0);
    assert_true(fail_each_allocation(ref, &counter_plain, &counter_second, 5) >= 2);
    int before = calls;
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(calls, before + 1);
    assert_int_equal(k42_release(&hook), 0);
    assert_int_equal(fixture_value(ref), 6);
}

/* ---- forwarding until a call comes ---- */

static void a_swap_may_wait_for_a_call_to_meet_it(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    struct k42_swap request = {.ref = ref, .to = &counter_second, .forward_ns = 60000000000ul};
    k42_enter();
    assert_int_equal(k42_swap_submit(&request), K42_QUEUED);
    k42_exit();
    while (fixture_which(ref) != fixture_number(&counter_second))
        assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(k42_swap_flush(), 0);
    assert_int_equal(request.report.result, 0);
    assert_true(request.report.calls > 0);
}

static void a_swap_that_no_call_meets_goes_on_all_the_same(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    struct k42_swap request = {.ref = ref, .to = &counter_second, .forward_ns = 1000000};
    assert_int_equal(k42_swap_run(&request), 0);
    assert_int_equal(request.report.calls, 0);
    assert_true(request.report.forward_ns >= 1000000);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(an_import_that_fails_in_any_part_leaves_the_old_object),
        TEST(callers_that_wait_for_a_part_that_fails_go_on_in_the_old_object),
        TEST(without_memory_at_any_step_of_any_swap_the_old_object_goes_on),
        TEST(a_call_without_memory_for_its_representative_is_told_and_the_next_one_served),
        TEST(a_request_that_finds_no_memory_is_refused_at_once),
        TEST(a_hook_without_memory_is_not_placed_and_can_be_later),
        TEST(a_hooked_object_without_memory_for_its_swap_keeps_its_hook),
        TEST(a_swap_may_wait_for_a_call_to_meet_it),
        TEST(a_swap_that_no_call_meets_goes_on_all_the_same),
    };
    return cmocka_run_group_tests_name("swap_abort", tests, NULL, NULL);
}
