/*
 * Objects: made, called, destroyed, looked at; and what races with destroying.
 */
#include "actors.h"

#include "../../core/entry.h"

static void a_call_reaches_the_object(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(fixture_add(ref, 5), 0);
    assert_int_equal(fixture_value(ref), 5);
}

static void only_the_first_call_of_a_thread_misses(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    uint64_t before = fixture_stats().misses;
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(fixture_stats().misses, before + 1);
    for (int turn = 0; turn < 100; turn++)
        assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(fixture_stats().misses, before + 1);
}

static void all_five_arguments_and_both_results_survive_a_miss(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    for (int turn = 0; turn < 2; turn++) {
        k42_enter();
        struct k42_pair answer = k42_call((counter_ref)ref, mix, 1ul, 20ul, 300ul, 4000ul, 50000ul);
        k42_exit();
        assert_int_equal(answer.result, 1 + 40 + 900 + 16000 + 250000);
        assert_int_equal(answer.word, COUNTER_MIX_WORD(1ul, 20ul, 300ul, 4000ul, 50000ul));
    }
}

static void any_object_describes_itself(void **state) {
    (void)state;
    char text[64];
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(fixture_add(ref, 42), 0);
    k42_enter();
    k42_result length = k42_call_object(ref, describe, text, sizeof text);
    k42_exit();
    assert_int_equal(length, 5);
    assert_string_equal(text, "at 42");
}

static void the_null_ref_is_always_stale(void **state) {
    (void)state;
    struct k42_object_info info;
    assert_int_equal(fixture_add(K42_NULL_REF, 1), -K42_STALE);
    k42_enter();
    struct k42_pair answer = k42_call((counter_ref)K42_NULL_REF, mix, 1ul, 2ul, 3ul, 4ul, 5ul);
    k42_exit();
    assert_int_equal(answer.result, -K42_STALE);
    assert_int_equal(answer.word, 0);
    assert_int_equal(k42_destroy(K42_NULL_REF), -K42_STALE);
    assert_int_equal(k42_inspect(K42_NULL_REF, &info), -K42_STALE);
    assert_int_equal(k42_swap(K42_NULL_REF, &counter_second, NULL), -K42_STALE);
}

static void a_number_that_never_was_an_object_is_stale(void **state) {
    (void)state;
    struct k42_object_info info;
    k42_ref never = k42_id_ref(k42_ref_id(fixture_create(&counter_plain)) + 100000);
    assert_int_equal(k42_destroy(never), -K42_STALE);
    assert_int_equal(k42_inspect(never, &info), -K42_STALE);
    assert_int_equal(k42_swap(never, &counter_second, NULL), -K42_STALE);
}

static void a_destroyed_object_is_stale_before_and_after_its_end(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(k42_destroy(ref), 0);
    assert_int_equal(fixture_add(ref, 1), -K42_STALE);
    assert_int_equal(k42_destroy(ref), -K42_STALE);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
    assert_int_equal(fixture_add(ref, 1), -K42_STALE);
    assert_int_equal(k42_destroy(ref), -K42_STALE);
}

static void a_call_under_way_when_its_object_is_destroyed_finishes(void **state) {
    (void)state;
    struct actor inside;
    struct gate gate = {0};
    actor_start(&inside, "inside");
    inside.ref = fixture_create(&counter_plain);
    inside.gate = &gate;
    actor_begin(&inside, order_hold);
    gate_await(&gate, 1);
    assert_int_equal(k42_destroy(inside.ref), 0);
    assert_int_equal(fixture_add(inside.ref, 1), -K42_STALE);
    /* Time for a reclaimer that does not wait for the thread inside. */
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_int_equal(fixture_read(&fixture_roots), 1);
    gate_open(&gate);
    actor_stop(&inside);
    assert_int_equal(inside.result, 0);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

static void destroy_self(void *context) {
    assert_int_equal(k42_destroy((k42_ref)(uintptr_t)context), 0);
}

static void a_method_may_destroy_its_own_object(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_plain);
    k42_enter();
    k42_result result = k42_call((counter_ref)ref, run, destroy_self, (void *)(uintptr_t)ref);
    k42_exit();
    assert_int_equal(result, 0);
    assert_int_equal(fixture_value(ref), -K42_STALE);
}

static void *make_and_end(void *context) {
    k42_ref *ref = context;
    k42_ref brief;
    if (k42_create(&counter_plain, "", &brief) < 0 || k42_destroy(brief) < 0 ||
        k42_create(&counter_plain, "", ref) < 0)
        return context;
    return NULL;
}

static void threads_that_are_not_attached_make_and_end_objects(void **state) {
    (void)state;
    pthread_t thread;
    k42_ref ref;
    void *failure;
    assert_int_equal(pthread_create(&thread, NULL, make_and_end, &ref), 0);
    assert_int_equal(pthread_join(thread, &failure), 0);
    assert_null(failure);
    assert_int_equal(fixture_add(ref, 3), 0);
    fixture_destroy(ref);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

#define CREATORS 4
#define EACH     500

static void *make_many(void *context) {
    k42_ref *refs = context;
    for (int i = 0; i < EACH; i++)
        if (k42_create(&counter_plain, "", &refs[i]) < 0)
            return context;
    return NULL;
}

static void objects_made_at_once_have_different_refs_and_all_are_counted(void **state) {
    (void)state;
    static k42_ref refs[CREATORS][EACH];
    pthread_t threads[CREATORS];
    uint64_t before = fixture_stats().objects;
    for (int i = 0; i < CREATORS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, refs[i]), 0);
    for (int i = 0; i < CREATORS; i++) {
        void *failure;
        assert_int_equal(pthread_join(threads[i], &failure), 0);
        assert_null(failure);
    }
    for (int i = 0; i < CREATORS * EACH; i++)
        assert_int_equal(fixture_add(refs[i / EACH][i % EACH], 1), 0);
    for (int i = 0; i < CREATORS * EACH; i++)
        assert_int_equal(fixture_value(refs[i / EACH][i % EACH]), 1);
    assert_int_equal(fixture_stats().objects, before + CREATORS * EACH);
}

static void a_class_that_is_not_registered_makes_no_objects(void **state) {
    (void)state;
    struct k42_class unknown = counter_plain;
    k42_ref ref;
    unknown.record = NULL;
    assert_int_equal(k42_create(&unknown, "", &ref), -ENOENT);
}

static void create_returns_what_init_returned_and_leaves_nothing(void **state) {
    (void)state;
    k42_ref ref;
    uint64_t before = fixture_stats().roots_live;
    assert_int_equal(k42_create(&counter_unborn, NULL, &ref), -ENOMEM);
    assert_int_equal(fixture_stats().roots_live, before);
}

/* ---- looking ---- */

static void inspecting_tells_class_interface_and_cpus(void **state) {
    (void)state;
    struct actor other;
    struct k42_object_info info;
    actor_start(&other, "other");
    other.ref = fixture_create(&counter_second);
    other.amount = 1;
    assert_int_equal(k42_inspect(other.ref, &info), 0);
    assert_int_equal(info.cpus, 0);
    assert_int_equal(fixture_add(other.ref, 1), 0);
    actor_do(&other, order_add);
    actor_stop(&other);
    assert_int_equal(k42_inspect(other.ref, &info), 0);
    assert_int_equal(info.id, k42_ref_id(other.ref));
    assert_string_equal(info.class_name, "counter.second");
    assert_string_equal(info.interface_name, "counter");
    assert_int_equal(info.version, 1);
    assert_int_equal(info.interposers, 0);
    assert_int_equal(info.swapping, 0);
    assert_int_equal(info.cpus, 2);
    fixture_destroy(other.ref);
    assert_int_equal(k42_inspect(other.ref, &info), -K42_STALE);
}

static long add_up(const struct k42_object_info *info, void *context) {
    long *sum = context;
    sum[0]++;
    sum[1] += (long)info->id;
    return 0;
}

static long stop_at_third(const struct k42_object_info *info, void *context) {
    (void)info;
    return ++*(long *)context == 3 ? 77 : 0;
}

static void walking_visits_each_live_object_of_the_interface_once(void **state) {
    (void)state;
    long expected[2] = {0}, seen[2] = {0}, visits = 0;
    for (int i = 0; i < 1500; i++) {
        k42_ref ref = fixture_create(&counter_plain), gauge;
        assert_int_equal(k42_create(&gauge_first, NULL, &gauge), 0);
        if (i % 3 == 0) {
            assert_int_equal(k42_destroy(ref), 0);
            continue;
        }
        expected[0]++;
        expected[1] += (long)k42_ref_id(ref);
    }
    assert_int_equal(k42_each_object(&counter_interface, add_up, seen), 0);
    assert_int_equal(seen[0], expected[0]);
    assert_int_equal(seen[1], expected[1]);
    assert_int_equal(k42_each_object(&counter_interface, stop_at_third, &visits), 77);
    assert_int_equal(visits, 3);
}

static long first_of(const struct k42_object_info *info, void *context) {
    *(k42_id *)context = info->id;
    return 1;
}

static void walking_begins_with_the_object_that_is_named(void **state) {
    (void)state;
    k42_id ids[1500], found;
    for (int i = 0; i < 1500; i++) {
        k42_ref gauge;
        ids[i] = k42_ref_id(fixture_create(&counter_plain));
        assert_int_equal(k42_create(&gauge_first, NULL, &gauge), 0);
    }
    for (int i = 0; i < 1500; i += 7) {
        assert_int_equal(k42_each_object_from(ids[i], &counter_interface, first_of, &found), 1);
        assert_int_equal(found, ids[i]);
    }
    assert_int_equal(k42_each_object_from(~0u, &counter_interface, first_of, &found), 0);
}

struct piecewise {
    long seen, refuse_at;
};

static long count_until(const struct k42_object_info *info, void *context) {
    struct piecewise *so_far = context;
    if (so_far->seen == so_far->refuse_at)
        return 1;
    so_far->seen += k42_text_equal(info->interface_name, counter_interface.name);
    return 0;
}

static void walking_piece_by_piece_visits_each_once_and_again_who_was_refused(void **state) {
    (void)state;
    struct piecewise so_far = {.refuse_at = 700};
    k42_id at = 1;
    for (int i = 0; i < 1500; i++)
        (void)fixture_create(&counter_plain);
    do {
        at = k42_objects_from(at, 100, count_until, &so_far);
        if (so_far.seen == so_far.refuse_at)
            so_far.refuse_at = -1;
    } while (at);
    assert_int_equal(so_far.seen, 1500);
    assert_int_equal(k42_objects_from(~0u, 100, count_until, &so_far), 0);
}

/* ---- what several CPUs use ---- */

enum { SHARED = 600 };
static struct {
    k42_ref refs[SHARED];
    long seen, sum;
} shared;

static void order_use_half(struct actor *actor) {
    actor->result = 0;
    for (int i = 0; i < SHARED && !actor->result; i += 2)
        actor->result = fixture_add(shared.refs[i], 1);
}

static void count_shared(k42_id id) {
    shared.seen++;
    shared.sum += (long)id;
}

static void walking_what_several_cpus_use_finds_that_and_nothing_else(void **state) {
    (void)state;
    struct actor actor;
    long expected = 0;
    k42_id at = 1;
    for (int i = 0; i < SHARED; i++) {
        shared.refs[i] = fixture_create(&counter_plain);
        assert_int_equal(fixture_add(shared.refs[i], 1), 0);
        expected += i % 2 ? 0 : (long)k42_ref_id(shared.refs[i]);
    }
    actor_start(&actor, "other");
    actor_do(&actor, order_use_half);
    assert_int_equal(actor.result, 0);
    actor_stop(&actor);
    do
        at = k42_shared_from(at, 100, &counter_interface, count_shared);
    while (at);
    assert_int_equal(shared.seen, SHARED / 2);
    assert_int_equal(shared.sum, expected);
    assert_int_equal(k42_shared_from(1, 1 << 20, &gauge_interface, count_shared), 0);
    assert_int_equal(shared.seen, SHARED / 2);
}

/* ---- races with destroying ---- */

#define ROUNDS 2000

/* Refs that two threads take up at the same time, one after the other. */
static struct {
    k42_ref refs[ROUNDS];
    uint32_t at[2];
    long succeeded, stale, strange;
} race;

static void race_open(void) {
    memset(&race, 0, sizeof race);
    for (int i = 0; i < ROUNDS; i++)
        race.refs[i] = fixture_create(&counter_plain);
}

/* Says that side `me` has come to round i, and waits a moment for the other one. */
static k42_ref race_meet(int me, uint32_t i) {
    __atomic_store_n(&race.at[me], i + 1, __ATOMIC_RELEASE);
    for (int turn = 0; turn < 2000; turn++)
        if (__atomic_load_n(&race.at[!me], __ATOMIC_ACQUIRE) > i)
            break;
    return race.refs[i];
}

static void tally(k42_result result) {
    __atomic_fetch_add(result == 0            ? &race.succeeded
                       : result == -K42_STALE ? &race.stale
                                              : &race.strange,
                       1, __ATOMIC_RELAXED);
}

static void order_destroy_all(struct actor *actor) {
    for (uint32_t i = 0; i < ROUNDS; i++)
        tally(k42_destroy(race_meet((int)actor->amount, i)));
}

static void order_call_all(struct actor *actor) {
    for (uint32_t i = 0; i < ROUNDS; i++) {
        k42_result result = fixture_add(race_meet((int)actor->amount, i), 1);
        tally(result ? result : 0);
    }
}

static void race_run(void (*one)(struct actor *), void (*two)(struct actor *)) {
    struct actor actors[2];
    race_open();
    for (int i = 0; i < 2; i++) {
        actor_start(&actors[i], i ? "two" : "one");
        actors[i].amount = i;
    }
    actor_begin(&actors[0], one);
    actor_begin(&actors[1], two);
    for (int i = 0; i < 2; i++)
        actor_stop(&actors[i]);
    assert_int_equal(race.strange, 0);
    assert_int_equal(race.succeeded + race.stale, 2 * ROUNDS);
}

static void of_two_destroyers_exactly_one_succeeds(void **state) {
    (void)state;
    race_run(order_destroy_all, order_destroy_all);
    assert_int_equal(race.succeeded, ROUNDS);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

static void a_miss_that_races_with_destroy_finds_the_object_or_stale(void **state) {
    (void)state;
    race_run(order_call_all, order_destroy_all);
    assert_true(race.succeeded >= ROUNDS); /* the destroys at least */
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

static struct gate miss_gate;

static k42_result hold_the_miss(unsigned cpu) {
    (void)cpu;
    gate_pass(&miss_gate);
    return 0;
}

static void order_destroy(struct actor *actor) {
    actor->result = k42_destroy(actor->ref);
}

static void destroy_waits_for_a_miss_that_is_being_answered(void **state) {
    (void)state;
    struct actor caller, destroyer;
    actor_start(&caller, "caller");
    actor_start(&destroyer, "destroyer");
    miss_gate = (struct gate){0};
    fixture_hooks.init_rep = hold_the_miss;
    caller.ref = destroyer.ref = fixture_create(&counter_percpu);
    caller.amount = 1;
    actor_begin(&caller, order_add);
    gate_await(&miss_gate, 1);
    actor_begin(&destroyer, order_destroy);
    /* Time for a destroyer that does not wait. */
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    assert_true(actor_is_busy(&destroyer));
    /* New misses find it dead already; the one under way is waited for. */
    uint64_t word = k42_load_acquire(&k42_entries[k42_ref_id(caller.ref)].state);
    assert_false(k42_entry_usable(word));
    gate_open(&miss_gate);
    actor_stop(&caller);
    actor_stop(&destroyer);
    assert_int_equal(caller.result, 0);
    assert_int_equal(destroyer.result, 0);
    assert_int_equal(fixture_add(caller.ref, 1), -K42_STALE);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(a_call_reaches_the_object),
        TEST(only_the_first_call_of_a_thread_misses),
        TEST(all_five_arguments_and_both_results_survive_a_miss),
        TEST(any_object_describes_itself),
        TEST(the_null_ref_is_always_stale),
        TEST(a_number_that_never_was_an_object_is_stale),
        TEST(a_destroyed_object_is_stale_before_and_after_its_end),
        TEST(a_call_under_way_when_its_object_is_destroyed_finishes),
        TEST(a_method_may_destroy_its_own_object),
        TEST(threads_that_are_not_attached_make_and_end_objects),
        TEST(objects_made_at_once_have_different_refs_and_all_are_counted),
        TEST(a_class_that_is_not_registered_makes_no_objects),
        TEST(create_returns_what_init_returned_and_leaves_nothing),
        TEST(inspecting_tells_class_interface_and_cpus),
        TEST(walking_visits_each_live_object_of_the_interface_once),
        TEST(walking_begins_with_the_object_that_is_named),
        TEST(walking_piece_by_piece_visits_each_once_and_again_who_was_refused),
        TEST(walking_what_several_cpus_use_finds_that_and_nothing_else),
        TEST(of_two_destroyers_exactly_one_succeeds),
        TEST(a_miss_that_races_with_destroy_finds_the_object_or_stale),
        TEST(destroy_waits_for_a_miss_that_is_being_answered),
    };
    return cmocka_run_group_tests_name("objects", tests, NULL, NULL);
}
