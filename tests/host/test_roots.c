/*
 * Roots: which thread finds which representative, and that it may lose it at any time.
 */
#include "actors.h"

#include "../../core/runtime.h"

#define ACTORS 5

static void start_all(struct actor *actors, int count, k42_ref ref) {
    for (int i = 0; i < count; i++) {
        actor_start(&actors[i], "caller");
        actors[i].ref = ref;
        actors[i].amount = 1;
    }
}

static void stop_all(struct actor *actors, int count) {
    for (int i = 0; i < count; i++)
        actor_stop(&actors[i]);
}

static void threads_share_the_representative_of_a_single_root(void **state) {
    (void)state;
    struct actor actors[ACTORS];
    k42_ref ref = fixture_create(&counter_plain);
    start_all(actors, ACTORS, ref);
    for (int i = 0; i < ACTORS; i++)
        actor_do(&actors[i], order_add);
    stop_all(actors, ACTORS);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    assert_int_equal(fixture_value(ref), ACTORS);
}

static void each_cpu_that_calls_gets_a_representative_of_its_own(void **state) {
    (void)state;
    struct actor actors[ACTORS];
    k42_ref ref = fixture_create(&counter_percpu);
    start_all(actors, ACTORS, ref);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    for (int i = 0; i < ACTORS; i++) {
        actor_do(&actors[i], order_add);
        actor_do(&actors[i], order_add);
        assert_int_equal(fixture_read(&fixture_reps), i + 1);
    }
    stop_all(actors, ACTORS);
    assert_int_equal(fixture_value(ref), 2 * ACTORS);
    fixture_destroy(ref);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    assert_int_equal(fixture_read(&fixture_roots), 0);
}

static void two_cpus_of_a_cluster_share_a_representative(void **state) {
    (void)state;
    struct actor actors[ACTORS];
    uint32_t clusters = 0;
    k42_ref ref = fixture_create(&counter_pairs);
    start_all(actors, ACTORS, ref);
    for (int i = 0; i < ACTORS; i++) {
        actor_do(&actors[i], order_add);
        clusters |= 1u << actors[i].cpu / 2;
        assert_int_equal(fixture_read(&fixture_reps), __builtin_popcount(clusters));
    }
    stop_all(actors, ACTORS);
    assert_true(__builtin_popcount(clusters) < ACTORS);
    assert_int_equal(fixture_value(ref), ACTORS);
}

static struct gate reps_gate;

static k42_result hold_rep(unsigned cpu) {
    (void)cpu;
    gate_pass(&reps_gate);
    return 0;
}

static void first_calls_of_a_cluster_at_once_make_one_representative(void **state) {
    (void)state;
    struct actor actors[4], *pair[2] = {NULL, NULL};
    k42_ref ref = fixture_create(&counter_pairs);
    start_all(actors, 4, ref);
    for (int i = 0; i < 4 && !pair[1]; i++)
        for (int j = i + 1; j < 4; j++)
            if (actors[i].cpu / 2 == actors[j].cpu / 2) {
                pair[0] = &actors[i];
                pair[1] = &actors[j];
            }
    assert_non_null(pair[1]);
    reps_gate = (struct gate){0};
    fixture_hooks.init_rep = hold_rep;
    actor_begin(pair[0], order_add);
    gate_await(&reps_gate, 1);
    actor_begin(pair[1], order_add);
    for (int turn = 0; turn < 20; turn++)
        usleep(1000);
    gate_open(&reps_gate);
    stop_all(actors, 4);
    assert_int_equal(reps_gate.arrived, 1);
    assert_int_equal(fixture_read(&fixture_reps), 1);
    fixture_hooks.init_rep = NULL;
    assert_int_equal(fixture_value(ref), 2);
}

static k42_result refuse_rep(unsigned cpu) {
    (void)cpu;
    return -ENOMEM;
}

static void a_representative_that_cannot_be_made_fails_the_call_and_is_tried_again(void **state) {
    (void)state;
    k42_ref ref = fixture_create(&counter_percpu);
    fixture_hooks.init_rep = refuse_rep;
    assert_int_equal(fixture_add(ref, 1), -ENOMEM);
    assert_int_equal(fixture_add(ref, 1), -ENOMEM);
    fixture_hooks.init_rep = NULL;
    assert_int_equal(fixture_add(ref, 1), 0);
    assert_int_equal(fixture_value(ref), 1);
}

static void order_create(struct actor *actor) {
    actor->ref = fixture_create(&counter_percpu);
}

static void order_destroy(struct actor *actor) {
    actor->result = k42_destroy(actor->ref);
}

static void made_on_one_cpu_used_on_another_destroyed_on_a_third(void **state) {
    (void)state;
    struct actor maker, user, ender;
    actor_start(&maker, "maker");
    actor_start(&user, "user");
    actor_start(&ender, "ender");
    actor_do(&maker, order_create);
    user.ref = ender.ref = maker.ref;
    user.amount = 1;
    actor_do(&user, order_add);
    assert_int_equal(fixture_read(&fixture_reps), 1);
    actor_do(&ender, order_destroy);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(fixture_read(&fixture_reps), 0);
    assert_int_equal(fixture_last_fini_cpu, user.cpu);
    assert_int_equal(fixture_read(&fixture_roots), 0);
    actor_do(&user, order_add);
    assert_int_equal(user.result, -K42_STALE);
    actor_stop(&maker);
    actor_stop(&user);
    actor_stop(&ender);
}

/* ---- slots may be lost ---- */

static void a_trimmed_table_finds_its_representatives_again(void **state) {
    (void)state;
    k42_ref single = fixture_create(&counter_plain), percpu = fixture_create(&counter_percpu);
    assert_int_equal(fixture_add(single, 1), 0);
    assert_int_equal(fixture_add(percpu, 1), 0);
    uint64_t before = fixture_stats().misses;
    assert_int_equal(k42_trim((uint32_t)k42_cpu()), 0);
    assert_int_equal(fixture_add(single, 1), 0);
    assert_int_equal(fixture_add(percpu, 1), 0);
    assert_int_equal(fixture_stats().misses, before + 2);
    assert_int_equal(fixture_value(single), 2);
    assert_int_equal(fixture_value(percpu), 2);
    assert_int_equal(fixture_read(&fixture_reps), 1);
    assert_int_equal(k42_trim(k42_cpu_limit()), -EINVAL);
}

#define LOADED 3
#define CALLS  20000

static uint32_t calls_ended;

static void order_call_often(struct actor *actor) {
    k42_ref *refs = actor->context;
    for (int i = 0; i < CALLS; i++) {
        k42_result result = fixture_add(refs[i % LOADED], 1);
        if (!result && i % 50 == 0)
            result = k42_trim((uint32_t)k42_cpu());
        if (result < 0)
            actor->result = result;
    }
    __atomic_fetch_add(&calls_ended, 1, __ATOMIC_ACQ_REL);
}

static void tables_are_trimmed_under_load_and_no_call_goes_wrong(void **state) {
    (void)state;
    struct actor actors[LOADED];
    k42_ref refs[LOADED] = {fixture_create(&counter_plain), fixture_create(&counter_percpu),
                            fixture_create(&counter_pairs)};
    calls_ended = 0;
    start_all(actors, LOADED, K42_NULL_REF);
    for (int i = 0; i < LOADED; i++) {
        actors[i].context = refs;
        actor_begin(&actors[i], order_call_often);
    }
    /* Swaps empty slots, and must not be misled by a table that is being given back. */
    struct k42_class *const turns[] = {&counter_percpu, &counter_plain};
    for (int i = 0; __atomic_load_n(&calls_ended, __ATOMIC_ACQUIRE) < LOADED; i++)
        (void)!k42_swap(refs[0], turns[i % 2], NULL);
    stop_all(actors, LOADED);
    long sum = 0;
    for (int i = 0; i < LOADED; i++) {
        assert_int_equal(actors[i].result, 0);
        sum += fixture_value(refs[i]);
    }
    assert_int_equal(sum, LOADED * CALLS);
}

static void a_table_in_use_is_trimmed_by_its_own_thread_only(void **state) {
    (void)state;
    struct actor actor;
    actor_start(&actor, "owner");
    uint32_t cpu = (uint32_t)actor.cpu;
    assert_int_equal(k42_trim(cpu), -EBUSY);
    actor_stop(&actor);
    assert_int_equal(k42_trim(cpu), 0);
}

/* ---- gathering from all representatives ---- */

struct gathered {
    uint32_t count, last;
    int in_order;
};

static void gather(void *rep, unsigned first_cpu, void *context) {
    struct gathered *gathered = context;
    assert_non_null(rep);
    gathered->in_order &= !gathered->count || first_cpu > gathered->last;
    gathered->count++;
    gathered->last = first_cpu;
}

#define CROWD 70 /* more than a chunk of representatives */

static void representatives_are_visited_in_order_however_many_cpus_there_are(void **state) {
    (void)state;
    static struct actor actors[CROWD];
    struct gathered gathered = {.in_order = 1};
    k42_ref ref = fixture_create(&counter_percpu);
    start_all(actors, CROWD, ref);
    for (int i = CROWD; i-- > 0;)
        actor_do(&actors[i], order_add);
    assert_int_equal(fixture_value(ref), CROWD);
    k42_each_rep((struct k42_clustered_root *)k42_entries[k42_ref_id(ref)].root, gather, &gathered);
    assert_int_equal(gathered.count, CROWD + 1);
    assert_true(gathered.in_order);
    stop_all(actors, CROWD);
}

static void visiting_while_first_calls_come_in_sees_whole_representatives(void **state) {
    (void)state;
    struct actor actors[ACTORS];
    k42_ref ref = fixture_create(&counter_percpu);
    start_all(actors, ACTORS, ref);
    for (int i = 0; i < ACTORS; i++)
        actor_begin(&actors[i], order_add);
    long seen = 0;
    while (seen < ACTORS) {
        long now = fixture_value(ref);
        assert_true(now >= seen && now <= ACTORS);
        seen = now;
    }
    stop_all(actors, ACTORS);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)
    const struct CMUnitTest tests[] = {
        TEST(threads_share_the_representative_of_a_single_root),
        TEST(each_cpu_that_calls_gets_a_representative_of_its_own),
        TEST(two_cpus_of_a_cluster_share_a_representative),
        TEST(first_calls_of_a_cluster_at_once_make_one_representative),
        TEST(a_representative_that_cannot_be_made_fails_the_call_and_is_tried_again),
        TEST(made_on_one_cpu_used_on_another_destroyed_on_a_third),
        TEST(a_trimmed_table_finds_its_representatives_again),
        TEST(tables_are_trimmed_under_load_and_no_call_goes_wrong),
        TEST(a_table_in_use_is_trimmed_by_its_own_thread_only),
        TEST(representatives_are_visited_in_order_however_many_cpus_there_are),
        TEST(visiting_while_first_calls_come_in_sees_whole_representatives),
    };
    return cmocka_run_group_tests_name("roots", tests, NULL, NULL);
}
