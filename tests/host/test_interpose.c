/*
 * Interposers: what a hook sees and may change, several of them, and what happens beside them.
 */
#include "stage.h"

#include <stdio.h>

/* A hook with what it is to do and what it saw. */
struct probe {
    struct k42_hook hook;
    uint32_t before, after, open; /* calls; those in between */
    k42_ref ref;
    unsigned method;
    char method_name[32];
    uintptr_t args[K42_MAX_ARGS];
    k42_result result;
    uintptr_t word;
    /* To do: */
    char letter; /* appended to the journal: before, and as a capital after */
    int answer;  /* instead of the object */
    k42_result answer_result;
    uintptr_t answer_word;
    long add_to_first; /* to the first argument */
    k42_result replace_result;
    struct gate *gate; /* to stop at, before the call */
};

static char journal[64];

static void note(char letter) {
    size_t length = strlen(journal);
    if (letter && length + 1 < sizeof journal) {
        journal[length] = letter;
        journal[length + 1] = '\0';
    }
}

static enum k42_verdict probe_before(struct k42_hook *hook, struct k42_invocation *call) {
    struct probe *probe = hook->context;
    __atomic_fetch_add(&probe->before, 1, __ATOMIC_ACQ_REL);
    note(probe->letter);
    call->scratch[0] = 77;
    if (probe->letter) {
        probe->ref = call->ref;
        probe->method = call->method;
        snprintf(probe->method_name, sizeof probe->method_name, "%s", call->method_name);
        memcpy(probe->args, call->args, sizeof probe->args);
    }
    if (probe->gate)
        gate_pass(probe->gate);
    if (probe->answer) {
        call->result = probe->answer_result;
        call->word = probe->answer_word;
        return K42_ANSWER;
    }
    call->args[0] += (uintptr_t)probe->add_to_first;
    return K42_PROCEED;
}

static void probe_after(struct k42_hook *hook, struct k42_invocation *call) {
    struct probe *probe = hook->context;
    __atomic_fetch_add(&probe->after, 1, __ATOMIC_ACQ_REL);
    if (call->scratch[0] != 77)
        __atomic_fetch_add(&probe->after, 1000, __ATOMIC_ACQ_REL);
    if (probe->letter) {
        note((char)(probe->letter - 'a' + 'A'));
        probe->result = call->result;
        probe->word = call->word;
    }
    if (probe->replace_result)
        call->result = probe->replace_result;
}

static void probe_open(struct probe *probe, char letter) {
    memset(probe, 0, sizeof *probe);
    probe->hook = (struct k42_hook){.before = probe_before, .after = probe_after, .context = probe};
    probe->letter = letter;
}

static uint32_t interposers_of(k42_ref ref) {
    struct k42_object_info info;
    return k42_inspect(ref, &info) < 0 ? 0 : info.interposers;
}

static struct k42_pair mix(k42_ref ref) {
    k42_enter();
    struct k42_pair answer = k42_call((counter_ref)ref, mix, 1ul, 20ul, 300ul, 4000ul, 50000ul);
    k42_exit();
    return answer;
}

/* ---- what a hook sees and does ---- */

static void a_hook_sees_arguments_before_and_the_result_after(void **state) {
    (void)state;
    struct probe probe;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&probe, 'a');
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(k42_interpose(ref, &probe.hook), 0);
    struct k42_pair answer = mix(ref);
    assert_int_equal(answer.result, 1 + 40 + 900 + 16000 + 250000);
    assert_int_equal(answer.word, COUNTER_MIX_WORD(1ul, 20ul, 300ul, 4000ul, 50000ul));
    const uintptr_t given[K42_MAX_ARGS] = {1, 20, 300, 4000, 50000};
    assert_memory_equal(probe.args, given, sizeof given);
    assert_ptr_equal(probe.ref, ref);
    assert_string_equal(probe.method_name, "mix");
    assert_int_equal(probe.method, offsetof(struct counter_ops, mix) / sizeof(void *));
    assert_int_equal(probe.result, answer.result);
    assert_int_equal(probe.word, answer.word);
    assert_int_equal(probe.before, 1);
    assert_int_equal(probe.after, 1);
    assert_int_equal(k42_release(&probe.hook), 0);
    assert_int_equal(fixture_value(ref), 1);
    assert_int_equal(probe.before, 1);
    assert_int_equal(fixture_stats().interposers_live, 0);
}

static void a_hook_may_change_arguments_and_result(void **state) {
    (void)state;
    struct probe probe;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&probe, 0);
    probe.add_to_first = 100;
    assert_int_equal(k42_interpose(ref, &probe.hook), 0);
    assert_int_equal(fixture_add(ref, 5), 0);
    probe.replace_result = 12345;
    assert_int_equal(fixture_value(ref), 12345);
    assert_int_equal(k42_release(&probe.hook), 0);
    assert_int_equal(fixture_value(ref), 105);
}

static void a_hook_may_answer_instead_of_the_object(void **state) {
    (void)state;
    struct probe probe;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&probe, 0);
    probe.answer = 1;
    probe.answer_result = -EIO;
    probe.answer_word = 9;
    assert_int_equal(k42_interpose(ref, &probe.hook), 0);
    assert_int_equal(fixture_add(ref, 5), -EIO);
    struct k42_pair answer = mix(ref);
    assert_int_equal(answer.result, -EIO);
    assert_int_equal(answer.word, 9);
    assert_int_equal(probe.before, 2);
    assert_int_equal(probe.after, 0);
    assert_int_equal(k42_release(&probe.hook), 0);
    assert_int_equal(fixture_value(ref), 0);
}

static void a_hook_may_delay_a_call(void **state) {
    (void)state;
    struct probe probe;
    struct actor caller;
    struct gate gate = {0};
    actor_start(&caller, "caller");
    caller.ref = fixture_create(&counter_plain);
    caller.amount = 3;
    probe_open(&probe, 0);
    probe.gate = &gate;
    assert_int_equal(k42_interpose(caller.ref, &probe.hook), 0);
    actor_begin(&caller, order_add);
    gate_await(&gate, 1);
    assert_int_equal(k42_swap(caller.ref, &counter_second, NULL), -ETIMEDOUT);
    assert_true(actor_is_busy(&caller));
    gate_open(&gate);
    actor_stop(&caller);
    assert_int_equal(caller.result, 0);
    assert_int_equal(k42_release(&probe.hook), 0);
    assert_int_equal(fixture_value(caller.ref), 3);
}

static void a_hook_without_functions_changes_nothing(void **state) {
    (void)state;
    struct k42_hook hook = {0};
    k42_ref ref = fixture_create(&counter_percpu);
    assert_int_equal(k42_interpose(ref, &hook), 0);
    assert_int_equal(fixture_add(ref, 4), 0);
    assert_int_equal(fixture_value(ref), 4);
    struct k42_pair answer = mix(ref);
    assert_int_equal(answer.word, COUNTER_MIX_WORD(1ul, 20ul, 300ul, 4000ul, 50000ul));
    assert_int_equal(k42_release(&hook), 0);
}

static void a_call_under_way_bypasses_a_hook_placed_meanwhile(void **state) {
    (void)state;
    struct probe probe;
    struct actor caller;
    struct gate gate = {0};
    actor_start(&caller, "caller");
    caller.ref = fixture_create(&counter_plain);
    caller.gate = &gate;
    actor_begin(&caller, order_hold);
    gate_await(&gate, 1);
    probe_open(&probe, 0);
    assert_int_equal(k42_interpose(caller.ref, &probe.hook), 0);
    gate_open(&gate);
    actor_finish(&caller);
    assert_int_equal(probe.before + probe.after, 0);
    actor_do(&caller, order_add);
    assert_int_equal(probe.before, 1);
    actor_stop(&caller);
    assert_int_equal(k42_release(&probe.hook), 0);
}

/* ---- several ---- */

static void hooks_stack_with_the_latest_outermost(void **state) {
    (void)state;
    struct probe a, b, c;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&a, 'a');
    probe_open(&b, 'b');
    probe_open(&c, 'c');
    assert_int_equal(k42_interpose(ref, &a.hook), 0);
    assert_int_equal(k42_interpose(ref, &b.hook), 0);
    assert_int_equal(k42_interpose(ref, &c.hook), 0);
    assert_int_equal(interposers_of(ref), 3);
    journal[0] = '\0';
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_string_equal(journal, "cbaABC");
    /* From the middle, then the outermost, then the last. */
    assert_int_equal(k42_release(&b.hook), 0);
    journal[0] = '\0';
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_string_equal(journal, "caAC");
    assert_int_equal(k42_release(&c.hook), 0);
    journal[0] = '\0';
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_string_equal(journal, "aA");
    assert_int_equal(k42_release(&a.hook), 0);
    assert_int_equal(interposers_of(ref), 0);
    assert_int_equal(fixture_value(ref), 3);
}

static void what_one_hook_answers_the_outer_ones_see(void **state) {
    (void)state;
    struct probe inner, outer;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&inner, 'i');
    probe_open(&outer, 'o');
    inner.answer = 1;
    inner.answer_result = 4;
    assert_int_equal(k42_interpose(ref, &inner.hook), 0);
    assert_int_equal(k42_interpose(ref, &outer.hook), 0);
    assert_int_equal(fixture_value(ref), 4);
    assert_int_equal(outer.result, 4);
    assert_int_equal(inner.after, 0);
    assert_int_equal(k42_release(&inner.hook), 0);
    assert_int_equal(k42_release(&outer.hook), 0);
}

/* ---- placing and releasing ---- */

static void a_hook_is_in_one_place_at_a_time(void **state) {
    (void)state;
    struct probe probe;
    k42_ref one = fixture_create(&counter_plain), two = fixture_create(&counter_plain);
    probe_open(&probe, 0);
    assert_int_equal(k42_release(&probe.hook), -EINVAL);
    assert_int_equal(k42_interpose(one, &probe.hook), 0);
    assert_int_equal(k42_interpose(two, &probe.hook), -EALREADY);
    assert_int_equal(k42_interpose(one, &probe.hook), -EALREADY);
    assert_int_equal(k42_release(&probe.hook), 0);
    assert_int_equal(k42_release(&probe.hook), -EINVAL);
    assert_int_equal(k42_interpose(two, &probe.hook), 0);
    assert_int_equal(fixture_add(two, 1), 0);
    assert_int_equal(probe.before, 1);
    assert_int_equal(k42_release(&probe.hook), 0);
}

static void dead_and_atomic_objects_take_no_hooks(void **state) {
    (void)state;
    struct probe probe;
    k42_ref gauge, ref = fixture_create(&counter_plain);
    probe_open(&probe, 0);
    assert_int_equal(k42_create(&gauge_first, NULL, &gauge), 0);
    assert_int_equal(k42_interpose(gauge, &probe.hook), -ENOTSUP);
    assert_int_equal(k42_interpose(K42_NULL_REF, &probe.hook), -K42_STALE);
    assert_int_equal(k42_destroy(ref), 0);
    assert_int_equal(k42_interpose(ref, &probe.hook), -K42_STALE);
    assert_int_equal(fixture_stats().interposers_live, 0);
    /* Refused, it is free for another object. */
    assert_int_equal(k42_interpose(fixture_create(&counter_plain), &probe.hook), 0);
    assert_int_equal(k42_release(&probe.hook), 0);
}

static void order_release(struct actor *actor) {
    actor->result = k42_release(actor->context);
}

static void release_waits_until_no_call_is_inside_the_hook(void **state) {
    (void)state;
    struct probe probe;
    struct actor caller, releaser;
    struct gate gate = {0};
    actor_start(&caller, "caller");
    actor_start(&releaser, "releaser");
    caller.ref = fixture_create(&counter_plain);
    caller.amount = 1;
    probe_open(&probe, 0);
    probe.gate = &gate;
    assert_int_equal(k42_interpose(caller.ref, &probe.hook), 0);
    actor_begin(&caller, order_add);
    gate_await(&gate, 1);
    releaser.context = &probe.hook;
    actor_begin(&releaser, order_release);
    WAIT_UNTIL(interposers_of(caller.ref) == 0);
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_true(actor_is_busy(&releaser));
    /* New calls do not see it any more. */
    assert_int_equal(fixture_add(caller.ref, 10), 0);
    assert_int_equal(probe.before, 1);
    gate_open(&gate);
    actor_stop(&caller);
    actor_stop(&releaser);
    assert_int_equal(releaser.result, 0);
    assert_int_equal(probe.after, 1);
    assert_int_equal(fixture_value(caller.ref), 11);
}

static uint32_t given_back;
static struct k42_hook *given_back_hook;

static void note_given_back(struct k42_hook *hook) {
    given_back_hook = hook;
    __atomic_fetch_add(&given_back, 1, __ATOMIC_ACQ_REL);
}

static void an_active_thread_releases_later(void **state) {
    (void)state;
    struct probe probe;
    k42_ref ref = fixture_create(&counter_plain);
    given_back = 0;
    probe_open(&probe, 0);
    assert_int_equal(k42_interpose(ref, &probe.hook), 0);
    k42_enter();
    assert_int_equal(k42_release(&probe.hook), -EDEADLK);
    assert_int_equal(k42_release_later(&probe.hook, note_given_back), 0);
    assert_int_equal(k42_release_later(&probe.hook, note_given_back), -EINVAL);
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    /* This thread might be inside the hook, for all that the runtime knows. */
    assert_int_equal(given_back, 0);
    k42_exit();
    WAIT_UNTIL(__atomic_load_n(&given_back, __ATOMIC_ACQUIRE) == 1);
    assert_ptr_equal(given_back_hook, &probe.hook);
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(probe.before, 0);
    assert_int_equal(fixture_stats().interposers_live, 0);
}

static void destroying_takes_hooks_away_and_release_says_so(void **state) {
    (void)state;
    struct probe a, b;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&a, 0);
    probe_open(&b, 0);
    assert_int_equal(k42_interpose(ref, &a.hook), 0);
    assert_int_equal(k42_interpose(ref, &b.hook), 0);
    assert_int_equal(k42_destroy(ref), 0);
    assert_int_equal(fixture_add(ref, 1), -K42_STALE);
    assert_int_equal(k42_release(&a.hook), -K42_STALE);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(k42_release(&b.hook), -K42_STALE);
    assert_int_equal(fixture_read(&fixture_roots), 0);
    assert_int_equal(fixture_stats().interposers_live, 0);
}

static void a_hook_of_a_destroyed_object_is_given_back_later_too(void **state) {
    (void)state;
    struct probe probe;
    k42_ref ref = fixture_create(&counter_plain);
    given_back = 0;
    probe_open(&probe, 0);
    assert_int_equal(k42_interpose(ref, &probe.hook), 0);
    assert_int_equal(k42_destroy(ref), 0);
    assert_int_equal(k42_release_later(&probe.hook, note_given_back), 0);
    WAIT_UNTIL(__atomic_load_n(&given_back, __ATOMIC_ACQUIRE) == 1);
    assert_int_equal(fixture_stats().interposers_live, 0);
}

static void release_of_a_destroyed_object_waits_for_a_call_inside(void **state) {
    (void)state;
    struct probe probe;
    struct actor caller, releaser;
    struct gate gate = {0};
    actor_start(&caller, "caller");
    actor_start(&releaser, "releaser");
    caller.ref = fixture_create(&counter_plain);
    probe_open(&probe, 0);
    probe.gate = &gate;
    assert_int_equal(k42_interpose(caller.ref, &probe.hook), 0);
    actor_begin(&caller, order_add);
    gate_await(&gate, 1);
    assert_int_equal(k42_destroy(caller.ref), 0);
    releaser.context = &probe.hook;
    actor_begin(&releaser, order_release);
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_true(actor_is_busy(&releaser));
    gate_open(&gate);
    actor_stop(&caller);
    actor_stop(&releaser);
    assert_int_equal(caller.result, 0);
    assert_int_equal(releaser.result, -K42_STALE);
}

/* ---- and swaps ---- */

static void an_interposed_object_is_swapped_and_keeps_its_hooks(void **state) {
    (void)state;
    struct probe a, b;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&a, 'a');
    probe_open(&b, 'b');
    assert_int_equal(k42_interpose(ref, &a.hook), 0);
    assert_int_equal(k42_interpose(ref, &b.hook), 0);
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(k42_swap(ref, &counter_percpu, NULL), 0);
    assert_int_equal(interposers_of(ref), 2);
    journal[0] = '\0';
    assert_int_equal(fixture_which(ref), fixture_number(&counter_percpu));
    assert_string_equal(journal, "baAB");
    assert_int_equal(k42_release(&a.hook), 0);
    assert_int_equal(k42_swap(ref, &counter_plain, NULL), 0);
    assert_int_equal(k42_release(&b.hook), 0);
    assert_int_equal(fixture_value(ref), 1);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 1);
    assert_int_equal(fixture_read(&fixture_reps), 0);
}

static void during_a_swap_no_hook_is_placed_and_release_waits(void **state) {
    (void)state;
    struct probe placed, refused;
    struct stage stage;
    struct actor releaser;
    stage_open(&stage, &counter_plain);
    actor_start(&releaser, "releaser");
    probe_open(&placed, 0);
    probe_open(&refused, 0);
    assert_int_equal(k42_interpose(stage.ref, &placed.hook), 0);
    stage_forward(&stage, &counter_second);
    assert_int_equal(k42_interpose(stage.ref, &refused.hook), -EBUSY);
    releaser.context = &placed.hook;
    actor_begin(&releaser, order_release);
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_true(actor_is_busy(&releaser));
    assert_int_equal(interposers_of(stage.ref), 1);
    stage_block(&stage);
    assert_int_equal(stage_finish(&stage), 0);
    actor_stop(&releaser);
    assert_int_equal(releaser.result, 0);
    assert_int_equal(interposers_of(stage.ref), 0);
    assert_int_equal(fixture_value(stage.ref), 11);
    assert_int_equal(placed.before, 2);
    assert_int_equal(placed.after, 2);
    assert_int_equal(k42_interpose(stage.ref, &refused.hook), 0);
    assert_int_equal(k42_release(&refused.hook), 0);
    stage_close(&stage);
}

static void a_swap_of_an_interposed_object_that_fails_keeps_old_object_and_hooks(void **state) {
    (void)state;
    struct probe probe;
    k42_ref ref = fixture_create(&counter_plain);
    probe_open(&probe, 0);
    assert_int_equal(k42_interpose(ref, &probe.hook), 0);
    assert_int_equal(k42_swap(ref, &counter_failing, NULL), -EIO);
    assert_int_equal(fixture_add(ref, 2), 0);
    assert_int_equal(probe.before, 1);
    assert_int_equal(fixture_which(ref), fixture_number(&counter_plain));
    assert_int_equal(k42_release(&probe.hook), 0);
    assert_int_equal(fixture_value(ref), 2);
}

/* ---- at full speed ---- */

#define CALLERS 3

static uint32_t callers_stop;

static void order_add_until_told(struct actor *actor) {
    while (!__atomic_load_n(&callers_stop, __ATOMIC_ACQUIRE)) {
        k42_result result = fixture_add(actor->ref, 1);
        if (result < 0)
            actor->result = result;
        actor->amount++;
    }
}

static void under_calls_and_swaps_hooks_come_and_go_and_no_call_is_lost(void **state) {
    (void)state;
    struct actor callers[CALLERS];
    struct probe probes[2];
    long expected = 0;
    k42_ref ref = fixture_create(&counter_plain);
    callers_stop = 0;
    for (int i = 0; i < 2; i++)
        probe_open(&probes[i], 0);
    for (int i = 0; i < CALLERS; i++) {
        actor_start(&callers[i], "caller");
        callers[i].ref = ref;
        actor_begin(&callers[i], order_add_until_told);
    }
    for (int turn = 0; turn < 100; turn++) {
        struct k42_swap request = {
            .ref = ref, .to = turn % 2 ? &counter_plain : &counter_percpu, .deadline_ns = NEVER_NS};
        assert_int_equal(k42_interpose(ref, &probes[turn % 2].hook), 0);
        assert_int_equal(k42_swap_run(&request), 0);
        if (turn > 0)
            assert_int_equal(k42_release(&probes[(turn + 1) % 2].hook), 0);
    }
    assert_int_equal(k42_release(&probes[1].hook), 0);
    __atomic_store_n(&callers_stop, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < CALLERS; i++) {
        actor_stop(&callers[i]);
        assert_int_equal(callers[i].result, 0);
        expected += callers[i].amount;
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(probes[i].before, probes[i].after);
    assert_int_equal(fixture_value(ref), expected);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_hook_sees_arguments_before_and_the_result_after),
        TEST(a_hook_may_change_arguments_and_result),
        TEST(a_hook_may_answer_instead_of_the_object),
        TEST(a_hook_may_delay_a_call),
        TEST(a_hook_without_functions_changes_nothing),
        TEST(a_call_under_way_bypasses_a_hook_placed_meanwhile),
        TEST(hooks_stack_with_the_latest_outermost),
        TEST(what_one_hook_answers_the_outer_ones_see),
        TEST(a_hook_is_in_one_place_at_a_time),
        TEST(dead_and_atomic_objects_take_no_hooks),
        TEST(release_waits_until_no_call_is_inside_the_hook),
        TEST(an_active_thread_releases_later),
        TEST(destroying_takes_hooks_away_and_release_says_so),
        TEST(a_hook_of_a_destroyed_object_is_given_back_later_too),
        TEST(release_of_a_destroyed_object_waits_for_a_call_inside),
        TEST(an_interposed_object_is_swapped_and_keeps_its_hooks),
        TEST(during_a_swap_no_hook_is_placed_and_release_waits),
        TEST(a_swap_of_an_interposed_object_that_fails_keeps_old_object_and_hooks),
        TEST(under_calls_and_swaps_hooks_come_and_go_and_no_call_is_lost),
    };
    return cmocka_run_group_tests_name("interpose", tests, NULL, NULL);
}
