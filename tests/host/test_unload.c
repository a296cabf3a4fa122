/*
 * Unloading: what keeps a component, what is waited for, and that a refusal changes nothing.
 */
#include "class_fixture.h"

#include <sched.h>

#include "../components/parts.h"

static struct workshop_signs signs;
static struct k42_component *component;
static const struct workshop_tools *tools;

static int unload_open(void **state) {
    k42_ref ref;
    if (classes_open(state) < 0)
        return -1;
    memset(&signs, 0, sizeof signs);
    must_register(&tally_1);
    component = must_load("workshop");
    if (k42_create(k42_component_class(component, "workshop"), NULL, &ref) < 0)
        return -1;
    k42_enter();
    k42_result result = k42_call((workshop_ref)ref, tools, &tools);
    k42_exit();
    return result < 0 || k42_destroy(ref) < 0 ? -1 : 0;
}
/* Where a test holds another thread, and what that has seen. */
static struct { uint32_t inside, go_on, returned; } other;

/* A test that failed half-way must not keep the teardown waiting. */
static int unload_close(void **state) {
    word_store(&signs.defer_again, 0);
    word_store(&other.go_on, 1);
    return classes_close(state);
}
#define UNLOAD_TEST(test) cmocka_unit_test_setup_teardown(test, unload_open, unload_close)

static struct k42_ledger ledger_now(void) {
    struct k42_ledger ledger;
    k42_component_ledger(component, &ledger);
    return ledger;
}

/* Everything the component brought still works. */
static void assert_usable(void) {
    k42_ref ref;
    assert_ptr_equal(k42_component_find("workshop"), component);
    assert_ptr_equal(k42_class_find("tally.workshop"),
                     k42_component_class(component, "tally.workshop"));
    assert_int_equal(make_by_name("tally.workshop", &ref), 0);
    assert_int_equal(add(ref, 3), 0);
    assert_int_equal(value(ref), 3);
    destroy(ref);
}

/* ---- instances ---- */

static void instance_keeps_its_component(void **state) {
    (void)state;
    char expected[128];
    k42_ref ref = make(k42_component_class(component, "tally.workshop"), 1);
    snprintf(expected, sizeof expected,
             "component workshop still has 1 instances of class tally.workshop version 1, the "
             "first is object %u",
             k42_id_of(ref));
    assert_busy(component, expected);
    assert_int_equal(value(ref), 1);
    assert_usable();
    destroy(ref);
    must_unload(component);
}

static void every_instance_is_counted(void **state) {
    (void)state;
    k42_ref refs[600]; /* more than a page of slots */
    for (int i = 0; i < 600; i++)
        refs[i] = make(k42_component_class(component, "tally.workshop"), i);
    assert_busy(component, "600 instances");
    for (int i = 0; i < 600; i++)
        destroy(refs[i]);
    must_unload(component);
}

static void instance_swapped_away_keeps_nothing(void **state) {
    (void)state;
    must_register(&tally_other);
    k42_ref ref = make(k42_component_class(component, "tally.workshop"), 9);
    assert_int_equal(k42_swap(ref, &tally_other, NULL), 0);
    must_unload(component);
    assert_int_equal(value(ref), 9);
    destroy(ref);
}

static void instance_swapped_in_keeps_its_component(void **state) {
    (void)state;
    must_register(&tally_other);
    k42_ref ref = make(&tally_other, 9);
    assert_int_equal(k42_swap(ref, k42_component_class(component, "tally.workshop"), NULL), 0);
    assert_busy(component, "1 instances of class tally.workshop");
    assert_int_equal(value(ref), 9);
    destroy(ref);
    must_unload(component);
}

static enum k42_verdict let_pass(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook;
    (void)call;
    return K42_PROCEED;
}

static void instance_under_a_hook_keeps_its_component(void **state) {
    (void)state;
    struct k42_hook hook = {.before = let_pass};
    k42_ref ref = make(k42_component_class(component, "tally.workshop"), 9);
    assert_int_equal(k42_interpose(ref, &hook), 0);
    assert_busy(component, "1 instances of class tally.workshop");
    assert_int_equal(k42_release(&hook), 0);
    destroy(ref);
    must_unload(component);
}

/* ---- hooks ---- */

static void hook_keeps_its_component(void **state) {
    (void)state;
    k42_ref ref = make(&tally_1, 0);
    assert_int_equal(tools->interpose(ref, &signs), 0);
    assert_int_equal(ledger_now().hooks, 1);
    assert_busy(component, "component workshop still has 1 hooks");
    assert_int_equal(add(ref, 1), 0);
    assert_int_equal(signs.hook_called, 1);
    assert_usable();
    assert_int_equal(tools->release(), 0);
    assert_int_equal(ledger_now().hooks, 0);
    must_unload(component);
    assert_int_equal(value(ref), 1);
    destroy(ref);
}

/* ---- deferred calls ---- */

static void *stay_active(void *argument) {
    (void)argument;
    k42_enter();
    word_store(&other.inside, 1);
    word_await(&other.go_on, 1);
    k42_exit();
    return NULL;
}

static void *unload_now(void *argument) {
    const uint32_t *seen = argument;
    if (k42_component_unload(component, NULL, 0) < 0)
        abort();
    /* What had come about when unloading returned, and not later. */
    word_store(&other.returned, word_load(seen));
    return NULL;
}

static void unloading_waits_for_deferred_calls(void **state) {
    (void)state;
    memset(&other, 0, sizeof other);
    pthread_t holder = begin_thread(stay_active, NULL);
    word_await(&other.inside, 1);
    tools->defer(&signs);
    assert_int_equal(ledger_now().defers, 1);
    pthread_t unloader = begin_thread(unload_now, &signs.defers_run);
    word_store(&other.go_on, 1);
    end_thread(unloader);
    end_thread(holder);
    assert_int_equal(other.returned, 1);
}

static void end_deferring(void) {
    word_store(&signs.defer_again, 0);
    while (ledger_now().defers)
        assert_int_equal(k42_defer_flush(), 0);
}

static void endless_deferring_keeps_its_component(void **state) {
    (void)state;
    word_store(&signs.defer_again, 1);
    tools->defer(&signs);
    assert_busy(component, "deferred calls");
    assert_usable();
    end_deferring();
    must_unload(component);
}

static void refused_unload_leaves_the_current_version_current(void **state) {
    (void)state;
    k42_ref ref;
    static struct k42_class older = {TALLY_PLAIN("tally.workshop", 0)};
    must_register(&older);
    word_store(&signs.defer_again, 1);
    tools->defer(&signs);
    assert_busy(component, "deferred calls");
    assert_ptr_equal(k42_class_find("tally.workshop"),
                     k42_component_class(component, "tally.workshop"));
    assert_int_equal(make_by_name("tally.workshop", &ref), 0);
    assert_int_equal(version(ref), 1);
    destroy(ref);
    end_deferring();
    must_unload(component);
    assert_ptr_equal(k42_class_find("tally.workshop"), &older);
}

/* ---- threads ---- */

static void unloading_stops_its_threads(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_non_null(tools->start_thread(&signs));
    word_await(&signs.thread_started, 2);
    assert_int_equal(ledger_now().threads, 2);
    must_unload(component);
    assert_int_equal(signs.thread_ended, 2);
}

static void ending_thread_may_look_for_components(void **state) {
    (void)state;
    assert_non_null(tools->start_thread(&signs));
    word_await(&signs.thread_started, 1);
    must_unload(component);
    assert_int_equal(signs.thread_found_itself, 1);
}

static void joined_thread_is_off_the_ledger(void **state) {
    (void)state;
    struct k42_thread *thread = tools->start_thread(&signs);
    assert_non_null(thread);
    k42_thread_join(thread);
    assert_int_equal(signs.thread_ended, signs.thread_started);
    assert_int_equal(ledger_now().threads, 0);
    must_unload(component);
}

/* ---- swaps and upgrades under way ---- */

/* A class of the test's whose state comes and goes when the test says so. */
static k42_result slow_export(struct k42_root *from, struct k42_state *state, unsigned part) {
    word_store(&other.inside, 1);
    word_await(&other.go_on, 1);
    return tally_export(from, state, part);
}
static k42_result slow_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    word_store(&other.inside, 1);
    word_await(&other.go_on, 1);
    return tally_import(to, state, part);
}
static const struct k42_transfer slow_transfers[] = {
    {.format = &tally_format, .export_state = slow_export, .import_state = slow_import},
    {.format = NULL},
};
static struct k42_class slow = {.name = "tally.slow",
                                .version = 1,
                                .interface = &tally_interface,
                                .kind = &k42_single,
                                .root_size = sizeof(struct tally_object),
                                .rep_offset = offsetof(struct tally_object, rep),
                                .init = tally_init,
                                .ops = &tally_plain_ops,
                                .transfers = slow_transfers};

static void unloading_waits_for_swaps_it_has_asked_for(void **state) {
    (void)state;
    memset(&other, 0, sizeof other);
    other.returned = 99;
    must_register(&slow);
    k42_ref ref = make(&tally_1, 5);
    assert_int_equal(tools->swap(ref, &slow, &signs), K42_QUEUED);
    word_await(&other.inside, 1);
    pthread_t unloader = begin_thread(unload_now, &signs.swap_done);
    /* Time for a wrong one to return; a right one is never in a hurry. */
    for (int turn = 0; turn < 20000 && word_load(&other.returned) == 99; turn++)
        sched_yield();
    word_store(&other.go_on, 1);
    end_thread(unloader);
    assert_int_equal(other.returned, 1);
    assert_int_equal(value(ref), 5);
    destroy(ref);
}

/* Swaps that some thread performs itself, of which the runtime's worker knows nothing. */
struct swaps {
    struct k42_swap *requests[2];
    size_t count;
    k42_result made;
};

static void *swap_all(void *argument) {
    struct swaps *swaps = argument;
    swaps->made = k42_swap_batch(swaps->requests, swaps->count);
    return NULL;
}

static void swap_under_way_keeps_the_component_it_leads_to(void **state) {
    (void)state;
    memset(&other, 0, sizeof other);
    must_register(&slow);
    k42_ref ref = make(&slow, 5);
    struct k42_swap swap = {.ref = ref, .to = k42_component_class(component, "tally.workshop")};
    struct swaps swaps = {.requests = {&swap}, .count = 1};
    pthread_t swapper = begin_thread(swap_all, &swaps);
    word_await(&other.inside, 1);
    assert_busy(component, "component workshop still has 1 swaps under way");
    word_store(&other.go_on, 1);
    end_thread(swapper);
    assert_int_equal(swaps.made, 1);
    assert_busy(component, "1 instances of class tally.workshop");
    assert_int_equal(value(ref), 5);
    assert_usable();
    destroy(ref);
    must_unload(component);
}

/* Another swap of the same batch takes its time, and what the first has replaced is still to end.
 */
static void swap_under_way_keeps_the_component_it_leaves(void **state) {
    (void)state;
    memset(&other, 0, sizeof other);
    must_register(&slow);
    must_register(&tally_other);
    k42_ref left = make(k42_component_class(component, "tally.workshop"), 9);
    k42_ref ref = make(&tally_1, 5);
    struct k42_swap away = {.ref = left, .to = &tally_other}, long_one = {.ref = ref, .to = &slow};
    struct swaps swaps = {.requests = {&away, &long_one}, .count = 2};
    pthread_t swapper = begin_thread(swap_all, &swaps);
    word_await(&other.inside, 1);
    assert_int_equal(ledger_now().instances, 0);
    assert_busy(component, "component workshop still has 1 swaps under way");
    word_store(&other.go_on, 1);
    end_thread(swapper);
    assert_int_equal(swaps.made, 2);
    must_unload(component);
    assert_int_equal(value(left), 9);
    assert_int_equal(value(ref), 5);
    destroy(left);
    destroy(ref);
}

static void swap_to_a_class_that_has_gone_is_refused(void **state) {
    (void)state;
    struct k42_swap_report report;
    struct k42_class *gone = k42_component_class(component, "tally.workshop");
    struct k42_upgrade upgrade = {.to = gone};
    k42_ref ref = make(&tally_1, 5);
    must_unload(component);
    assert_int_equal(k42_swap(ref, gone, &report), -ENOENT);
    assert_non_null(strstr(report.text, "not registered"));
    assert_int_equal(k42_upgrade(&upgrade), -ENOENT);
    assert_int_equal(value(ref), 5);
    destroy(ref);
}

static struct {
    k42_ref ref;
    struct k42_class *to;
    uint32_t swapped, stop;
} race;

static void *swap_to_and_fro(void *unused) {
    (void)unused;
    while (!word_load(&race.stop)) {
        k42_result there = k42_swap(race.ref, __atomic_load_n(&race.to, __ATOMIC_ACQUIRE), NULL);
        if (there < 0 && there != -ENOENT)
            abort();
        if (k42_swap(race.ref, &tally_1, NULL) < 0)
            abort();
        if (!there)
            __atomic_fetch_add(&race.swapped, 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* The component goes and comes again while another thread swaps an object to its class. */
static void unload_below(void *(*swaps)(void *), k42_result (*unload)(void)) {
    memset(&race, 0, sizeof race);
    race.ref = make(&tally_1, 7);
    race.to = k42_component_class(component, "tally.workshop");
    pthread_t swapper = begin_thread(swaps, NULL);
    for (int round = 0; round < 20; round++) {
        word_await(&race.swapped, word_load(&race.swapped) + 1);
        if (unload() < 0)
            fail_msg("round %d: %s", round, why);
        component = must_load("workshop");
        __atomic_store_n(&race.to, k42_component_class(component, "tally.workshop"),
                         __ATOMIC_RELEASE);
    }
    word_store(&race.stop, 1);
    end_thread(swapper);
    assert_int_equal(value(race.ref), 7);
    destroy(race.ref);
    must_unload(component);
}

static k42_result unload_when_unused(void) {
    k42_result result;
    while ((result = k42_component_unload(component, why, sizeof why)) == -EBUSY)
        sched_yield();
    return result;
}

/* Who swaps keeps the address of a class all the time, also while that is not there. */
static void components_come_and_go_below_swaps(void **state) {
    (void)state;
    unload_below(swap_to_and_fro, unload_when_unused);
}

/* ---- unloading to another class ---- */

static void instances_become_of_another_class(void **state) {
    (void)state;
    k42_ref refs[600]; /* more than a page of slots, and than a batch */
    for (int i = 0; i < 600; i++)
        refs[i] = make(k42_component_class(component, "tally.workshop"), i);
    assert_int_equal(k42_component_unload_to(component, &tally_1, why, sizeof why), 0);
    assert_null(k42_component_find("workshop"));
    for (int i = 0; i < 600; i++) {
        assert_int_equal(value(refs[i]), i);
        destroy(refs[i]);
    }
}

static void what_does_not_become_of_that_class_keeps_its_component(void **state) {
    (void)state;
    k42_ref ref = make(k42_component_class(component, "tally.workshop"), 9);
    why[0] = 0;
    assert_int_equal(k42_component_unload_to(component, k42_component_class(component, "workshop"),
                                             why, sizeof why),
                     -ENOENT);
    assert_non_null(strstr(why, "does not become of class workshop: "));
    assert_int_equal(value(ref), 9);
    assert_usable();
    assert_int_equal(k42_swap(ref, &tally_1, NULL), 0);
    assert_int_equal(k42_swap(ref, k42_component_class(component, "tally.workshop"), NULL), 0);
    destroy(ref);
    must_unload(component);
}

/* As who chooses classes by himself does: another one again and again, whatever it is of now. */
static void *choose_again_and_again(void *unused) {
    (void)unused;
    while (!word_load(&race.stop)) {
        if (!k42_swap(race.ref, __atomic_load_n(&race.to, __ATOMIC_ACQUIRE), NULL))
            __atomic_fetch_add(&race.swapped, 1, __ATOMIC_RELEASE);
        (void)!k42_swap(race.ref, &tally_1, NULL);
    }
    return NULL;
}

static k42_result unload_to_the_other(void) {
    return k42_component_unload_to(component, &tally_1, why, sizeof why);
}

static void nobody_who_chooses_classes_keeps_what_is_unloaded_to_another(void **state) {
    (void)state;
    unload_below(choose_again_and_again, unload_to_the_other);
}

/* ---- creates under way ---- */

static enum k42_verdict hold_call(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook;
    (void)call;
    word_store(&other.inside, 1);
    word_await(&other.go_on, 1);
    return K42_PROCEED;
}

static void *create_one(void *argument) {
    if (make_by_name("tally.workshop", argument) < 0)
        abort();
    return NULL;
}

static void create_under_way_keeps_the_component(void **state) {
    (void)state;
    struct k42_hook hook = {.before = hold_call};
    k42_factory_ref factory;
    k42_ref ref;
    memset(&other, 0, sizeof other);
    assert_int_equal(k42_factory_find("tally.workshop", &factory), 0);
    assert_int_equal(k42_interpose((k42_ref)factory, &hook), 0);
    pthread_t creator = begin_thread(create_one, &ref);
    word_await(&other.inside, 1);
    assert_busy(component, "the factory of class tally.workshop is held up");
    word_store(&other.go_on, 1);
    end_thread(creator);
    assert_int_equal(k42_release(&hook), 0);
    assert_int_equal(add(ref, 1), 0);
    assert_usable();
    destroy(ref);
    must_unload(component);
}

static k42_result unload_result;

static int unload_meanwhile(struct k42_upgrade *upgrade) {
    (void)upgrade;
    unload_result = k42_component_unload(component, why, sizeof why);
    return 0;
}

static void upgrade_under_way_keeps_the_component(void **state) {
    (void)state;
    static struct k42_class newer = {TALLY_PLAIN("tally.workshop", 2)};
    must_register(&newer);
    k42_ref ref = make(k42_component_class(component, "tally.workshop"), 5);
    struct k42_upgrade upgrade = {.to = &newer, .progress = unload_meanwhile};
    assert_int_equal(k42_upgrade(&upgrade), 0);
    assert_int_equal(upgrade.converted, 1);
    assert_int_equal(unload_result, -EBUSY);
    assert_non_null(strstr(why, "an upgrade of class tally.workshop is under way"));
    must_unload(component);
    assert_int_equal(value(ref), 5);
    destroy(ref);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        UNLOAD_TEST(instance_keeps_its_component),
        UNLOAD_TEST(every_instance_is_counted),
        UNLOAD_TEST(instance_swapped_away_keeps_nothing),
        UNLOAD_TEST(instance_swapped_in_keeps_its_component),
        UNLOAD_TEST(instance_under_a_hook_keeps_its_component),
        UNLOAD_TEST(hook_keeps_its_component),
        UNLOAD_TEST(unloading_waits_for_deferred_calls),
        UNLOAD_TEST(endless_deferring_keeps_its_component),
        UNLOAD_TEST(refused_unload_leaves_the_current_version_current),
        UNLOAD_TEST(unloading_stops_its_threads),
        UNLOAD_TEST(ending_thread_may_look_for_components),
        UNLOAD_TEST(joined_thread_is_off_the_ledger),
        UNLOAD_TEST(unloading_waits_for_swaps_it_has_asked_for),
        UNLOAD_TEST(swap_under_way_keeps_the_component_it_leads_to),
        UNLOAD_TEST(swap_under_way_keeps_the_component_it_leaves),
        UNLOAD_TEST(swap_to_a_class_that_has_gone_is_refused),
        UNLOAD_TEST(components_come_and_go_below_swaps),
        UNLOAD_TEST(instances_become_of_another_class),
        UNLOAD_TEST(what_does_not_become_of_that_class_keeps_its_component),
        UNLOAD_TEST(nobody_who_chooses_classes_keeps_what_is_unloaded_to_another),
        UNLOAD_TEST(create_under_way_keeps_the_component),
        UNLOAD_TEST(upgrade_under_way_keeps_the_component),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
