/*
 * Ways of asking for a swap: from inside a method, by a request with a callback, many at once.
 */
#include "stage.h"

/* ---- from active threads ---- */

static void swap_self(void *context) {
    k42_ref ref = (k42_ref)(uintptr_t)context;
    assert_int_equal(k42_swap(ref, &counter_second, NULL), K42_QUEUED);
    /* The call that asked goes on in the old version. */
    assert_int_equal(k42_call((counter_ref)ref, which), fixture_number(&counter_plain));
}

static void an_object_may_ask_for_its_own_swap(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(fixture_add(ref, 2), 0);
    k42_enter();
    k42_result result = k42_call((counter_ref)ref, run, swap_self, (void *)(uintptr_t)ref);
    k42_exit();
    assert_int_equal(result, 0);
    WAIT_UNTIL(fixture_which(ref) == fixture_number(&counter_second));
    assert_int_equal(fixture_value(ref), 2);
}

/* ---- with a callback ---- */

static struct {
    uint32_t calls, active;
    k42_result result;
    enum k42_swap_phase phase;
} done;

static void note_done(struct k42_swap *swap) {
    done.active += (uint32_t)k42_active();
    done.result = swap->report.result;
    done.phase = swap->report.phase;
    *(uint32_t *)swap->context += 1;
    __atomic_fetch_add(&done.calls, 1, __ATOMIC_ACQ_REL);
}

static void a_requests_callback_is_told_the_end_once_and_inactive(void **state) {
    (void)state;
    uint32_t own = 0;
    struct k42_swap request = {.ref = fixture_create(&counter_plain),
                               .to = &counter_second,
                               .deadline_ns = NEVER_NS,
                               .done = note_done,
                               .context = &own};
    memset(&done, 0, sizeof done);
    k42_enter();
    assert_int_equal(k42_swap_submit(&request), K42_QUEUED);
    k42_exit();
    WAIT_UNTIL(__atomic_load_n(&done.calls, __ATOMIC_ACQUIRE) == 1);
    assert_int_equal(done.result, 0);
    assert_int_equal(done.phase, K42_SWAP_DONE);
    assert_int_equal(done.active, 0);
    assert_int_equal(own, 1);
    assert_int_equal(fixture_which(request.ref), fixture_number(&counter_second));
    request.to = &counter_failing;
    assert_int_equal(k42_swap_run(&request), -EIO);
    assert_int_equal(done.calls, 2);
    assert_int_equal(done.result, -EIO);
}

#define MANY 100

static void many_requests_are_each_carried_out(void **state) {
    (void)state;
    static struct k42_swap requests[MANY];
    uint32_t own = 0;
    memset(&done, 0, sizeof done);
    for (int i = 0; i < MANY; i++) {
        requests[i] = (struct k42_swap){.ref = fixture_create(&counter_plain),
                                        .to = i % 2 ? &counter_second : &counter_percpu,
                                        .deadline_ns = NEVER_NS,
                                        .done = note_done,
                                        .context = &own};
        assert_int_equal(fixture_add(requests[i].ref, i), 0);
        assert_int_equal(k42_swap_submit(&requests[i]), K42_QUEUED);
    }
    WAIT_UNTIL(__atomic_load_n(&done.calls, __ATOMIC_ACQUIRE) == MANY);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(requests[i].report.result, 0);
        assert_int_equal(fixture_value(requests[i].ref), i);
    }
}

/* ---- batches ---- */

static void a_batch_swaps_each_and_tells_each_its_own(void **state) {
    (void)state;
    struct k42_swap one = {.ref = fixture_create(&counter_plain), .to = &counter_second};
    struct k42_swap two = {.ref = fixture_create(&counter_plain), .to = &counter_failing};
    struct k42_swap three = {.ref = K42_NULL_REF, .to = &counter_second};
    struct k42_swap four = {.ref = fixture_create(&counter_percpu), .to = &counter_plain};
    struct k42_swap *requests[] = {&one, &two, &three, &four};
    assert_int_equal(fixture_add(four.ref, 4), 0);
    assert_int_equal(k42_swap_batch(requests, 4), 2);
    assert_int_equal(one.report.result, 0);
    assert_int_equal(two.report.result, -EIO);
    assert_int_equal(three.report.result, -K42_STALE);
    assert_int_equal(four.report.result, 0);
    assert_int_equal(fixture_which(one.ref), fixture_number(&counter_second));
    assert_int_equal(fixture_which(two.ref), fixture_number(&counter_plain));
    assert_int_equal(fixture_value(four.ref), 4);
}

static void an_object_that_is_twice_in_a_batch_is_swapped_once(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    struct k42_swap one = {.ref = ref, .to = &counter_second};
    struct k42_swap two = {.ref = ref, .to = &counter_percpu};
    struct k42_swap *requests[] = {&one, &two};
    assert_int_equal(k42_swap_batch(requests, 2), 1);
    assert_int_equal(one.report.result, 0);
    assert_int_equal(two.report.result, -EBUSY);
    assert_int_equal(fixture_which(ref), fixture_number(&counter_second));
}

static void an_empty_batch_succeeds(void **state) {
    (void)state;
    assert_int_equal(k42_swap_batch(NULL, 0), 0);
}

/* Two objects, each held by calls of its own, swapped in one batch with different deadlines. */
struct pair {
    struct stage patient, hasty;
    struct k42_swap *requests[2];
    struct actor swapper;
};

static void order_batch(struct actor *actor) {
    actor->result = k42_swap_batch(actor->context, 2);
}

static void pair_open(struct pair *pair, int hasty_first, uint64_t hasty_deadline_ns) {
    memset(pair, 0, sizeof *pair);
    /* The order of attaching decides whose CPU is looked at first. */
    stage_open(hasty_first ? &pair->hasty : &pair->patient, &counter_plain);
    stage_open(hasty_first ? &pair->patient : &pair->hasty, &counter_plain);
    actor_start(&pair->swapper, "swapper");
    pair->patient.swapper.swap =
        (struct k42_swap){.ref = pair->patient.ref, .to = &counter_second, .deadline_ns = NEVER_NS};
    pair->hasty.swapper.swap = (struct k42_swap){
        .ref = pair->hasty.ref, .to = &counter_second, .deadline_ns = hasty_deadline_ns};
    pair->requests[0] = &pair->patient.swapper.swap;
    pair->requests[1] = &pair->hasty.swapper.swap;
    pair->swapper.context = pair->requests;
}

static void pair_hold(struct stage *stage) {
    stage->older_gate = stage->tracked_gate = (struct gate){0};
    actor_begin(&stage->older, order_hold);
    gate_await(&stage->older_gate, 1);
}

static void pair_close(struct pair *pair) {
    stage_finish(&pair->patient);
    stage_finish(&pair->hasty);
    actor_stop(&pair->swapper);
    stage_close(&pair->patient);
    stage_close(&pair->hasty);
}

static void assert_deadlines_are_kept_in_the_forward_phase(int hasty_first) {
    struct pair pair;
    pair_open(&pair, hasty_first, 5000000);
    pair_hold(&pair.patient);
    pair_hold(&pair.hasty);
    actor_begin(&pair.swapper, order_batch);
    WAIT_UNTIL(swap_phase(pair.patient.ref) == FORWARDING);
    WAIT_UNTIL(swap_phase(pair.hasty.ref) == NO_SWAP);
    assert_int_equal(swap_phase(pair.patient.ref), FORWARDING);
    /* The patient one waits for its own callers only. */
    gate_open(&pair.patient.older_gate);
    actor_finish(&pair.swapper);
    assert_int_equal(pair.swapper.result, 1);
    assert_int_equal(pair.requests[0]->report.result, 0);
    assert_int_equal(pair.requests[1]->report.result, -ETIMEDOUT);
    assert_int_equal(pair.requests[1]->report.holder_thread, pair.hasty.older.thread_id);
    pair_close(&pair);
}

static void each_of_a_batch_keeps_its_own_deadline_in_the_forward_phase(void **state) {
    (void)state;
    assert_deadlines_are_kept_in_the_forward_phase(0);
    assert_deadlines_are_kept_in_the_forward_phase(1);
}

static void one_of_a_batch_that_nobody_holds_up_does_not_wait_for_the_others(void **state) {
    (void)state;
    struct pair pair;
    pair_open(&pair, 0, NEVER_NS);
    pair_hold(&pair.patient);
    actor_begin(&pair.swapper, order_batch);
    WAIT_UNTIL(fixture_which(pair.hasty.ref) == fixture_number(&counter_second));
    assert_int_equal(swap_phase(pair.patient.ref), FORWARDING);
    gate_open(&pair.patient.older_gate);
    actor_finish(&pair.swapper);
    assert_int_equal(pair.swapper.result, 2);
    pair_close(&pair);
}

static void order_which(struct actor *actor) {
    actor->result = fixture_which(actor->ref);
}

static void each_of_a_batch_keeps_its_own_deadline_in_the_block_phase(void **state) {
    (void)state;
    struct pair pair;
    struct actor waiting;
    actor_start(&waiting, "waiting");
    /* However slow the machine is, there is a deadline that it can meet as far as that phase. */
    for (uint64_t deadline_ns = 100000000;; deadline_ns *= 2) {
        pair_open(&pair, 0, deadline_ns);
        pair_hold(&pair.patient);
        pair_hold(&pair.hasty);
        actor_begin(&pair.swapper, order_batch);
        WAIT_UNTIL(swap_phase(pair.patient.ref) == FORWARDING);
        stage_block(&pair.patient);
        stage_block(&pair.hasty);
        waiting.ref = pair.hasty.ref;
        actor_do(&waiting, order_which);
        assert_int_equal(waiting.result, fixture_number(&counter_plain));
        WAIT_UNTIL(swap_phase(pair.patient.ref) == BLOCKING);
        gate_open(&pair.patient.tracked_gate);
        actor_finish(&pair.swapper);
        int blocked = pair.requests[1]->report.phase == K42_SWAP_BLOCK;
        assert_int_equal(pair.requests[0]->report.result, 0);
        assert_int_equal(pair.requests[1]->report.result, -ETIMEDOUT);
        pair_close(&pair);
        if (blocked)
            break;
    }
    actor_stop(&waiting);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(an_object_may_ask_for_its_own_swap),
        TEST(a_requests_callback_is_told_the_end_once_and_inactive),
        TEST(many_requests_are_each_carried_out),
        TEST(a_batch_swaps_each_and_tells_each_its_own),
        TEST(an_object_that_is_twice_in_a_batch_is_swapped_once),
        TEST(an_empty_batch_succeeds),
        TEST(each_of_a_batch_keeps_its_own_deadline_in_the_forward_phase),
        TEST(one_of_a_batch_that_nobody_holds_up_does_not_wait_for_the_others),
        TEST(each_of_a_batch_keeps_its_own_deadline_in_the_block_phase),
    };
    return cmocka_run_group_tests_name("swap_requests", tests, NULL, NULL);
}
