/*
 * Upgrade while other threads call, create and destroy: nothing lost, nothing counted twice.
 *
 * The threads work until the upgrades are over; each upgrade waits until every thread has got
 * somewhere since the one before, so that they do meet.
 */
#include "class_fixture.h"

#define THREADS  3
#define SHARED   200
#define UPGRADES 10

/* However busy the machine is, no swap here may fail for it. */
#define PATIENCE_NS 60000000000ull

static k42_ref shared[SHARED];
static uint32_t stop;
static struct worker {
    uint32_t turns; /* written by the thread */
    long added;
} workers[THREADS];

static int load_open(void **state) {
    if (classes_open(state) < 0)
        return -1;
    must_register(&tally_1);
    must_register(&tally_2);
    for (long i = 0; i < SHARED; i++)
        shared[i] = make(&tally_1, 0);
    memset(workers, 0, sizeof workers);
    stop = 0;
    return 0;
}
#define LOAD_TEST(test) cmocka_unit_test_setup_teardown(test, load_open, classes_close)

/* Threads have no assertions of cmocka's: what must hold ends the program. */
static void insist(int holds, const char *what) {
    if (holds)
        return;
    print_error("%s\n", what);
    abort();
}

/* An object of one's own: created through the factory, used, destroyed. */
static void live_one_life(void) {
    k42_ref own;
    insist(make_by_name("tally.plain", &own) == 0, "create failed");
    insist(add(own, 2) == 0 && add(own, 3) == 0, "call of an own object failed");
    insist(value(own) == 5, "an own object lost a call");
    insist(k42_destroy(own) == 0, "destroy failed");
}

static void *work(void *argument) {
    struct worker *worker = argument;
    for (uint32_t turn = 0; !word_load(&stop); turn++) {
        for (int i = 0; i < 16; i++) {
            insist(add(shared[(turn * 16 + (uint32_t)i) % SHARED], 1) == 0, "call failed");
            worker->added++;
        }
        live_one_life();
        word_store(&worker->turns, turn + 1);
    }
    return NULL;
}

static void await_progress(void) {
    for (int i = 0; i < THREADS; i++)
        word_await(&workers[i].turns, word_load(&workers[i].turns) + 1);
}

static void upgrade_back_and_forth(enum k42_upgrade_mode mode) {
    for (int i = 0; i < UPGRADES; i++) {
        struct k42_upgrade upgrade = {
            .to = i % 2 ? &tally_1 : &tally_2, .mode = mode, .deadline_ns = PATIENCE_NS};
        assert_int_equal(k42_upgrade(&upgrade), 0);
        assert_int_equal(upgrade.failed, 0);
        if (mode == K42_UPGRADE_EAGER)
            assert_int_equal(upgrade.converted + upgrade.vanished, upgrade.total);
        await_progress();
    }
}

static long shared_total(void) {
    long total = 0;
    for (long i = 0; i < SHARED; i++)
        total += value(shared[i]);
    return total;
}

static void run_under_load(enum k42_upgrade_mode mode) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        threads[i] = begin_thread(work, &workers[i]);
    upgrade_back_and_forth(mode);
    word_store(&stop, 1);
    long added = 0;
    for (int i = 0; i < THREADS; i++) {
        end_thread(threads[i]);
        added += workers[i].added;
    }
    assert_int_equal(shared_total(), added);
    for (long i = 0; i < SHARED; i++)
        destroy(shared[i]);
}

static void eager_upgrades_under_load_lose_no_call(void **state) {
    (void)state;
    run_under_load(K42_UPGRADE_EAGER);
}

static void lazy_upgrades_under_load_lose_no_call(void **state) {
    (void)state;
    run_under_load(K42_UPGRADE_LAZY);
}

/* ---- destroying what is being converted ---- */

#define DOOMED 3000
static k42_ref doomed[DOOMED];

static void *destroy_backwards(void *argument) {
    (void)argument;
    for (long i = DOOMED; i-- > 0;) {
        insist(k42_destroy(doomed[i]) == 0, "destroy failed");
        word_store(&workers[0].turns, (uint32_t)(DOOMED - i));
    }
    return NULL;
}

static int begin_destroying_after_first_batch(struct k42_upgrade *upgrade) {
    pthread_t *destroyer = upgrade->context;
    if (!*destroyer)
        *destroyer = begin_thread(destroy_backwards, NULL);
    word_await(&workers[0].turns, 1);
    return 0;
}

static void instances_destroyed_while_being_converted_are_all_accounted_for(void **state) {
    (void)state;
    pthread_t destroyer = 0;
    for (long i = 0; i < DOOMED; i++)
        doomed[i] = make(&tally_1, i);
    struct k42_upgrade upgrade = {.to = &tally_2,
                                  .batch = 16,
                                  .deadline_ns = PATIENCE_NS,
                                  .progress = begin_destroying_after_first_batch,
                                  .context = &destroyer};
    assert_int_equal(k42_upgrade(&upgrade), 0);
    end_thread(destroyer);
    assert_int_equal(upgrade.total, DOOMED + SHARED);
    assert_int_equal(upgrade.failed, 0);
    assert_int_equal(upgrade.converted + upgrade.vanished, upgrade.total);
    assert_true(upgrade.converted >= SHARED);
    for (long i = 0; i < DOOMED; i++)
        assert_int_equal(value(doomed[i]), -K42_STALE);
    assert_int_equal(class_info(&tally_1).instances, 0);
    assert_int_equal(class_info(&tally_2).instances, SHARED);
    for (long i = 0; i < SHARED; i++)
        destroy(shared[i]);
}

/* ---- two upgrades at once ---- */

static void *upgrade_many_times(void *argument) {
    (void)argument;
    for (int i = 0; i < UPGRADES; i++) {
        struct k42_upgrade upgrade = {.to = i % 2 ? &tally_2 : &tally_1,
                                      .deadline_ns = PATIENCE_NS};
        k42_result result = k42_upgrade(&upgrade);
        insist(result == 0 || result == -EBUSY, "an upgrade beside another failed");
    }
    return NULL;
}

static void upgrades_at_once_end_or_are_busy(void **state) {
    (void)state;
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        threads[i] = begin_thread(upgrade_many_times, NULL);
    for (int i = 0; i < 2; i++)
        end_thread(threads[i]);
    upgrade_to(&tally_2, 0);
    assert_int_equal(class_info(&tally_2).instances, SHARED);
    assert_int_equal(shared_total(), 0);
    for (long i = 0; i < SHARED; i++)
        destroy(shared[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        LOAD_TEST(eager_upgrades_under_load_lose_no_call),
        LOAD_TEST(lazy_upgrades_under_load_lose_no_call),
        LOAD_TEST(instances_destroyed_while_being_converted_are_all_accounted_for),
        LOAD_TEST(upgrades_at_once_end_or_are_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
