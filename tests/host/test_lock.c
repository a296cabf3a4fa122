/*
 * An object's lock: excludes, sleeps, tells of contention, counts in debug builds.
 */
#define K42_DEBUG 1 /* locks count who holds them */
#include <k42/lock.h>

#include "../../core/runtime.h"
#include "platform_fixture.h"

struct guarded {
    struct k42_lock lock;
    uint64_t counter;
    uint32_t taken, contended;
};

static void count_under_lock(void *argument) {
    struct guarded *guarded = argument;
    for (int round = 0; round < 100000; round++) {
        (void)k42_lock(&guarded->lock);
        guarded->counter++;
        k42_unlock(&guarded->lock);
    }
}

static void lock_excludes(void **state) {
    (void)state;
    struct guarded guarded = {0};
    struct k42_platform_thread *first = k42_platform_spawn("locks", count_under_lock, &guarded);
    struct k42_platform_thread *second = k42_platform_spawn("locks", count_under_lock, &guarded);
    count_under_lock(&guarded);
    k42_platform_join(first);
    k42_platform_join(second);
    assert_int_equal(guarded.counter, 300000);
    assert_int_equal(guarded.lock.word, 0);
}

static void take_once(void *argument) {
    struct guarded *guarded = argument;
    int contended = k42_lock(&guarded->lock);
    store(&guarded->contended, (uint32_t)contended);
    store(&guarded->taken, 1);
    k42_unlock(&guarded->lock);
}

static void waiter_sleeps_and_is_told_of_contention(void **state) {
    (void)state;
    struct guarded guarded = {0};
    assert_int_equal(k42_lock(&guarded.lock), 0);
    struct k42_platform_thread *thread = k42_platform_spawn("waits", take_once, &guarded);
    wait_for(&guarded.lock.word, 2);
    uint32_t taken = load(&guarded.taken);
    k42_unlock(&guarded.lock);
    k42_platform_join(thread);
    assert_int_equal(taken, 0);
    assert_int_equal(guarded.taken, 1);
    assert_int_equal(guarded.contended, 1);
}

static void trylock_takes_a_free_lock_only(void **state) {
    (void)state;
    struct k42_lock lock = {0};
    assert_int_equal(k42_trylock(&lock), 1);
    assert_int_equal(k42_trylock(&lock), 0);
    k42_unlock(&lock);
    assert_int_equal(k42_trylock(&lock), 1);
    k42_unlock(&lock);
}

static void attached_thread_counts_the_locks_it_holds(void **state) {
    (void)state;
    struct k42_lock first = {0}, second = {0};
    struct k42_calls calls = {.locks = 0};
    fixture_attach(0)->calls = &calls;
    (void)k42_lock(&first);
    assert_int_equal(k42_trylock(&second), 1);
    uint32_t both = calls.locks;
    k42_unlock(&first);
    uint32_t one = calls.locks;
    k42_unlock(&second);
    uint32_t none = calls.locks;
    fixture_detach();
    assert_int_equal(both, 2);
    assert_int_equal(one, 1);
    assert_int_equal(none, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lock_excludes),
        cmocka_unit_test(waiter_sleeps_and_is_told_of_contention),
        cmocka_unit_test(trylock_takes_a_free_lock_only),
        cmocka_unit_test(attached_thread_counts_the_locks_it_holds),
    };
    return cmocka_run_group_tests_name("lock", tests, fixture_open, fixture_close);
}
