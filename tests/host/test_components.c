/*
 * Components: what loading brings, what is refused, what is left when the code has gone.
 *
 * What keeps one from being unloaded: test_unload.c.
 */
#include "class_fixture.h"

static int components_open(void **state) {
    if (classes_open(state) < 0)
        return -1;
    must_register(&tally_1);
    return 0;
}
#define COMPONENT_TEST(test) cmocka_unit_test_setup_teardown(test, components_open, classes_close)

/* Has every object describe itself, as an inspector would. */
static long describe(const struct k42_object_info *info, void *context) {
    char text[128];
    (void)context;
    k42_enter();
    k42_result result = strcmp(info->interface_name, "k42_factory")
                            ? 0
                            : k42_call_object(k42_id_ref(info->id), describe, text, sizeof text);
    k42_exit();
    return result < 0;
}

static void assert_inspectable(void) {
    assert_int_equal(k42_each_object(NULL, describe, NULL), 0);
}

struct event_query {
    const char *name;
    int found, loaded;
};

static long find_event(const struct k42_trace_event_info *info, void *context) {
    struct event_query *query = context;
    if (!strcmp(info->name, query->name)) {
        query->found++;
        query->loaded += info->loaded;
    }
    return 0;
}

static struct event_query event_named(const char *name) {
    struct event_query query = {.name = name};
    k42_trace_each_event(find_event, &query);
    return query;
}

/* ---- loading and unloading ---- */

static void loading_brings_classes(void **state) {
    (void)state;
    struct k42_component *component = must_load("workshop");
    assert_ptr_equal(k42_component_find("workshop"), component);
    struct k42_class *class_ = k42_component_class(component, "tally.workshop");
    assert_non_null(class_);
    assert_ptr_equal(k42_class_find("tally.workshop"), class_);
    assert_string_equal(class_info(class_).component, "workshop");
    assert_null(class_info(&tally_1).component);
    assert_null(k42_component_class(component, "tally.plain"));
    k42_ref ref;
    assert_int_equal(make_by_name("tally.workshop", &ref), 0);
    assert_int_equal(add(ref, 7), 0);
    assert_int_equal(value(ref), 7);
    destroy(ref);
    must_unload(component);
}

/* The bytes of a component beside the test program. */
static char *read_component(const char *name, size_t *size) {
    char *bytes = malloc(1 << 20);
    FILE *file = fopen(component_path(name), "rb");
    assert_non_null(bytes);
    assert_non_null(file);
    *size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

static void loading_from_memory_brings_classes_too(void **state) {
    (void)state;
    size_t size;
    char *bytes = read_component("workshop", &size);
    struct k42_component *component;
    for (int round = 0; round < 2; round++) {
        assert_int_equal(
            k42_component_load_image("bytes", bytes, size, &component, why, sizeof why), 0);
        assert_ptr_equal(k42_component_find("workshop"), component);
        assert_non_null(k42_class_find("tally.workshop"));
        must_unload(component);
    }
    assert_int_equal(k42_component_load_image("bytes", bytes, 100, &component, why, sizeof why),
                     -ENOENT);
    assert_non_null(strstr(why, "bytes"));
    free(bytes);
}

/* ---- what one does by itself ---- */

static void a_component_is_started_and_stopped(void **state) {
    (void)state;
    char number[16];
    struct k42_ledger ledger;
    k42_ref ref = make(&tally_1, 0);
    snprintf(number, sizeof number, "%u", k42_ref_id(ref));
    setenv("STARTER_OBJECT", number, 1);
    struct k42_component *component = must_load("starter");
    k42_component_ledger(component, &ledger);
    assert_int_equal(ledger.threads, 1);
    assert_int_equal(ledger.hooks, 1);
    must_unload(component);
    unsetenv("STARTER_OBJECT");
    destroy(ref);
}

static void one_that_does_not_start_is_not_loaded(void **state) {
    (void)state;
    struct k42_component *component;
    setenv("STARTER_FAILS", "1", 1);
    assert_int_equal(k42_component_load(component_path("starter"), &component, why, sizeof why),
                     -EIO);
    unsetenv("STARTER_FAILS");
    assert_string_equal(why, "component starter does not start: -EIO");
    assert_null(k42_component_find("starter"));
    assert_null(k42_class_find("tally.starter"));
}

static void one_that_is_kept_starts_again(void **state) {
    (void)state;
    k42_ref ref;
    struct k42_ledger ledger;
    struct k42_component *component = must_load("starter");
    assert_int_equal(make_by_name("tally.starter", &ref), 0);
    assert_int_equal(k42_component_unload(component, why, sizeof why), -EBUSY);
    k42_component_ledger(component, &ledger);
    assert_int_equal(ledger.threads, 1);
    destroy(ref);
    must_unload(component);
}

static void unloading_takes_classes_away(void **state) {
    (void)state;
    k42_factory_ref factory;
    k42_ref ref;
    must_unload(must_load("workshop"));
    assert_null(k42_component_find("workshop"));
    assert_null(k42_class_find("tally.workshop"));
    assert_int_equal(k42_factory_find("tally.workshop", &factory), -ENOENT);
    assert_int_equal(make_by_name("tally.workshop", &ref), -ENOENT);
    assert_int_equal(classes_listed(), 1);
}

static void factory_kept_over_an_unload_makes_nothing(void **state) {
    (void)state;
    k42_factory_ref factory;
    k42_ref ref;
    struct k42_class *makes;
    struct k42_component *component = must_load("workshop");
    assert_int_equal(k42_factory_find("tally.workshop", &factory), 0);
    must_unload(component);
    assert_int_equal(make_by_factory(factory, &tally_interface, &ref), -ENOENT);
    k42_enter();
    k42_result current = k42_call(factory, current, &makes);
    k42_exit();
    assert_int_equal(current, -ENOENT);
    assert_inspectable();
}

static void factory_works_again_after_a_reload(void **state) {
    (void)state;
    k42_factory_ref factory, again;
    k42_ref ref;
    struct k42_component *component = must_load("workshop");
    assert_int_equal(k42_factory_find("tally.workshop", &factory), 0);
    must_unload(component);
    component = must_load("workshop");
    assert_int_equal(k42_factory_find("tally.workshop", &again), 0);
    assert_ptr_equal(factory, again);
    assert_int_equal(make_by_factory(factory, &tally_interface, &ref), 0);
    destroy(ref);
    must_unload(component);
}

static void trace_event_is_known_while_loaded(void **state) {
    (void)state;
    struct k42_component *component = must_load("workshop");
    assert_int_equal(event_named("workshop:number").loaded, 1);
    must_unload(component);
    assert_int_equal(event_named("workshop:number").loaded, 0);
}

static void ledger_counts_what_a_component_owns(void **state) {
    (void)state;
    struct k42_component *component = must_load("workshop");
    struct k42_ledger ledger;
    k42_component_ledger(component, &ledger);
    assert_string_equal(ledger.name, "workshop");
    assert_int_equal(ledger.classes, 2);
    assert_int_equal(ledger.events, 1);
    assert_int_equal(ledger.instances + ledger.threads + ledger.defers + ledger.hooks, 0);
    k42_ref ref;
    assert_int_equal(make_by_name("tally.workshop", &ref), 0);
    k42_component_ledger(component, &ledger);
    assert_int_equal(ledger.instances, 1);
    destroy(ref);
    must_unload(component);
}

static void loading_from_an_active_thread_is_refused(void **state) {
    (void)state;
    struct k42_component *component;
    k42_enter();
    k42_result result = k42_component_load(component_path("workshop"), &component, NULL, 0);
    k42_exit();
    assert_int_equal(result, -EDEADLK);
}

static void unloading_from_an_active_thread_is_refused(void **state) {
    (void)state;
    struct k42_component *component = must_load("workshop");
    k42_enter();
    k42_result result = k42_component_unload(component, NULL, 0);
    k42_exit();
    assert_int_equal(result, -EDEADLK);
    must_unload(component);
}

/* ---- what is refused: nothing of it stays ---- */

static void assert_not_loaded(const char *path, k42_result error, const char *says) {
    struct k42_component *component;
    long listed = classes_listed();
    why[0] = '\0';
    assert_int_equal(k42_component_load(path, &component, why, sizeof why), error);
    if (!strstr(why, says))
        fail_msg("'%s' does not say '%s'", why, says);
    assert_int_equal(classes_listed(), listed);
    assert_inspectable();
    assert_int_equal(k42_component_load(path, &component, NULL, 0), error);
}

static void newer_interface_without_an_adaptor_is_refused(void **state) {
    (void)state;
    k42_factory_ref factory;
    assert_not_loaded(component_path("no_adaptor"), -ENOEXEC,
                      "class tally.plain version 41 speaks interface tally version 2");
    assert_null(k42_component_find("no_adaptor"));
    assert_null(k42_class_find("tally.fine"));
    assert_int_equal(k42_factory_find("tally.fine", &factory), -ENOENT);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_1);
    assert_int_equal(event_named("no_adaptor:nothing").loaded, 0);
}

static void wrong_interface_size_is_refused(void **state) {
    (void)state;
    assert_not_loaded(component_path("wrong_size"), -ENOEXEC,
                      "interface tally version 1 has 6 methods there and 4 here: rebuild");
}

static void other_flavour_is_refused(void **state) {
    (void)state;
    assert_not_loaded(component_path("other_flavour"), -ENOEXEC,
                      "flavour of libk42 and this program uses " K42_FLAVOUR);
}

static void library_that_is_no_component_is_refused(void **state) {
    (void)state;
    assert_not_loaded(component_path("no_component"), -ENOEXEC, "is not a component");
}

static void missing_file_is_not_found(void **state) {
    (void)state;
    assert_not_loaded(component_path("there_is_none"), -ENOENT, "there_is_none.so");
}

static void component_is_not_loaded_twice(void **state) {
    (void)state;
    struct k42_component *component = must_load("workshop");
    assert_not_loaded(component_path("workshop"), -EEXIST, "loaded already, as component workshop");
    k42_ref ref;
    assert_int_equal(make_by_name("tally.workshop", &ref), 0);
    destroy(ref);
    must_unload(component);
}

static void same_class_and_version_is_refused(void **state) {
    (void)state;
    static struct k42_class twin = {TALLY_PLAIN("tally.plain", 20)};
    must_register(&twin);
    assert_not_loaded(component_path("upgrade"), -EEXIST,
                      "class tally.plain version 20 is registered already");
}

static void refused_component_does_not_hinder_a_good_one(void **state) {
    (void)state;
    assert_not_loaded(component_path("no_adaptor"), -ENOEXEC, "bring an adaptor");
    assert_not_loaded(component_path("wrong_size"), -ENOEXEC, "rebuild");
    must_unload(must_load("second_interface"));
}

/* ---- versions from components ---- */

static struct {
    k42_ref ref;
    uint32_t stop, turns;
    long added;
} load;

static void *call_on(void *argument) {
    (void)argument;
    while (!word_load(&load.stop)) {
        if (add(load.ref, 1) < 0)
            abort();
        load.added++;
        word_store(&load.turns, load.turns + 1);
    }
    return NULL;
}

static void await_turns(void) {
    word_await(&load.turns, word_load(&load.turns) + 10);
}

static void version_is_upgraded_downgraded_and_unloaded_under_callers(void **state) {
    (void)state;
    memset(&load, 0, sizeof load);
    load.ref = make(&tally_1, 0);
    pthread_t caller = begin_thread(call_on, NULL);
    for (int round = 0; round < 10; round++) {
        await_turns();
        struct k42_component *component = must_load("upgrade");
        struct k42_upgrade there = {.to = k42_component_class(component, "tally.plain"),
                                    .deadline_ns = 60000000000ull};
        assert_int_equal(k42_upgrade(&there), 0);
        assert_int_equal(there.converted, 1);
        assert_int_equal(inspected_version(load.ref), 20);
        await_turns();
        struct k42_upgrade back = {.to = &tally_1, .deadline_ns = 60000000000ull};
        assert_int_equal(k42_upgrade(&back), 0);
        await_turns();
        must_unload(component);
    }
    word_store(&load.stop, 1);
    end_thread(caller);
    assert_int_equal(value(load.ref), load.added);
    destroy(load.ref);
}

static void factory_falls_back_to_the_programs_version(void **state) {
    (void)state;
    k42_ref ref;
    struct k42_component *component = must_load("upgrade");
    upgrade_to(k42_component_class(component, "tally.plain"), 0);
    assert_int_equal(make_by_name("tally.plain", &ref), 0);
    assert_int_equal(version(ref), 20);
    destroy(ref);
    must_unload(component);
    assert_ptr_equal(k42_class_find("tally.plain"), &tally_1);
    assert_int_equal(make_by_name("tally.plain", &ref), 0);
    assert_int_equal(version(ref), 1);
    destroy(ref);
}

static void adaptor_of_a_component_serves_and_goes_with_it(void **state) {
    (void)state;
    k42_factory_ref factory;
    k42_ref ref = make(&tally_1, 5), other;
    struct k42_component *component = must_load("second_interface");
    upgrade_to(k42_component_class(component, "tally.plain"), 0);
    assert_int_equal(version(ref), 30);
    assert_int_equal(value(ref), 5);
    assert_int_equal(add(ref, 1), 0);
    assert_int_equal(value(ref), 6);
    assert_busy(component, "1 instances of class tally.plain version 30");
    assert_int_equal(value(ref), 6);
    destroy(ref);
    must_unload(component);
    assert_int_equal(make_by_name("tally.plain", &ref), 0);
    assert_int_equal(version(ref), 1);
    assert_int_equal(k42_factory_find("tally.plain", &factory), 0);
    assert_int_equal(make_by_factory(factory, &tally2_interface, &other), -ENOTSUP);
    destroy(ref);
}

static void loading_and_unloading_leaks_nothing(void **state) {
    (void)state;
    struct k42_stats before = {0}, after;
    for (int round = 0; round < 200; round++) {
        struct k42_component *component = must_load("workshop");
        k42_ref ref;
        assert_int_equal(make_by_name("tally.workshop", &ref), 0);
        assert_int_equal(add(ref, 1), 0);
        destroy(ref);
        must_unload(component);
        must_unload(must_load("second_interface"));
        if (round == 0) {
            assert_int_equal(k42_defer_flush(), 0);
            before = stats_now();
        }
    }
    assert_int_equal(k42_defer_flush(), 0);
    after = stats_now();
    assert_int_equal(after.roots_live, before.roots_live);
    assert_int_equal(after.objects, before.objects);
    assert_int_equal(after.mediators_live, 0);
    assert_int_equal(after.defers_pending, 0);
#ifndef K42_DEBUG
    assert_int_equal(after.bytes_global, before.bytes_global);
#endif
    assert_int_equal(event_named("workshop:number").found, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        COMPONENT_TEST(loading_brings_classes),
        COMPONENT_TEST(loading_from_memory_brings_classes_too),
        COMPONENT_TEST(a_component_is_started_and_stopped),
        COMPONENT_TEST(one_that_does_not_start_is_not_loaded),
        COMPONENT_TEST(one_that_is_kept_starts_again),
        COMPONENT_TEST(unloading_takes_classes_away),
        COMPONENT_TEST(factory_kept_over_an_unload_makes_nothing),
        COMPONENT_TEST(factory_works_again_after_a_reload),
        COMPONENT_TEST(trace_event_is_known_while_loaded),
        COMPONENT_TEST(ledger_counts_what_a_component_owns),
        COMPONENT_TEST(loading_from_an_active_thread_is_refused),
        COMPONENT_TEST(unloading_from_an_active_thread_is_refused),
        COMPONENT_TEST(newer_interface_without_an_adaptor_is_refused),
        COMPONENT_TEST(wrong_interface_size_is_refused),
        COMPONENT_TEST(other_flavour_is_refused),
        COMPONENT_TEST(library_that_is_no_component_is_refused),
        COMPONENT_TEST(missing_file_is_not_found),
        COMPONENT_TEST(component_is_not_loaded_twice),
        COMPONENT_TEST(same_class_and_version_is_refused),
        COMPONENT_TEST(refused_component_does_not_hinder_a_good_one),
        COMPONENT_TEST(version_is_upgraded_downgraded_and_unloaded_under_callers),
        COMPONENT_TEST(factory_falls_back_to_the_programs_version),
        COMPONENT_TEST(adaptor_of_a_component_serves_and_goes_with_it),
        COMPONENT_TEST(loading_and_unloading_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
