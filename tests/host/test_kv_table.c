/*
 * What holds for every class of tables of the key-value server, alone and across swaps.
 *
 * Each statement is tested for each class, and each way between two classes, by construction: a
 * class added to `names` is tested like the others. Two of them are copies that only know the
 * canonical format, so that both ways of passing state on are tested.
 */
#include "table_body.h"

#include <k42/class.h>
#include <k42/swap.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

extern struct k42_class table_chained, table_open;
static struct k42_class chained_by_value, open_by_value;

static const char *const names[] = {
    "table.chained",
    "table.open",
    "table.chained.byvalue",
    "table.open.byvalue",
};
enum { CLASSES = sizeof(names) / sizeof(names[0]), ROOM = 64 };

/* ---- what the tests are made of ---- */

static struct k42_class *class_named(const char *name) {
    struct k42_class *class_ = k42_class_find(name);
    assert_non_null(class_);
    return class_;
}

static table_ref make_table(const char *class_name) {
    k42_ref ref;
    assert_int_equal(k42_create(class_named(class_name), NULL, &ref), 0);
    return (table_ref)ref;
}

static void end_table(table_ref table) {
    assert_int_equal(k42_destroy((k42_ref)table), 0);
}

static void swap_to(table_ref table, const char *class_name) {
    struct k42_swap swap = {
        .ref = (k42_ref)table,
        .to = class_named(class_name),
        .attempts = 100,
        .deadline_ns = 1000000000,
    };
    k42_result result = k42_swap_run(&swap);
    if (result < 0)
        print_error("%s\n", swap.report.text);
    assert_int_equal(result, 0);
}

struct name {
    char bytes[32];
    struct kv_key key;
};

static struct kv_key *name_key(struct name *name, const char *prefix, unsigned number) {
    int length = snprintf(name->bytes, sizeof(name->bytes), "%s:%u", prefix, number);
    name->key = kv_key_of(name->bytes, (size_t)length);
    return &name->key;
}

static struct kv_entry *make_entry(const char *prefix, unsigned number, unsigned value) {
    struct name name;
    struct kv_entry *entry = kv_entry_make(name_key(&name, prefix, number), (const char *)&value,
                                           sizeof(value), NULL, 0, number);
    assert_non_null(entry);
    return entry;
}

static unsigned value_of(const struct kv_entry *entry) {
    unsigned value;
    assert_int_equal(entry->value_length, sizeof(value));
    memcpy(&value, kv_entry_value(entry), sizeof(value));
    return value;
}

/* Active. Stores prefix:number = value and frees what was there. */
static void put(table_ref table, const char *prefix, unsigned number, unsigned value) {
    struct kv_entry *replaced;
    assert_int_equal(k42_call(table, store, make_entry(prefix, number, value), &replaced), 0);
    if (replaced)
        kv_entry_release(replaced);
}

/* Active. The entry of prefix:number, or NULL. */
static struct kv_entry *get(table_ref table, const char *prefix, unsigned number) {
    struct name name;
    struct kv_entry *entry = NULL;
    k42_result result = k42_call(table, lookup, name_key(&name, prefix, number), &entry);
    assert_true(result == 0 || result == -ENOENT);
    return result == 0 ? entry : NULL;
}

/* Active. Takes prefix:number out. */
static void drop(table_ref table, const char *prefix, unsigned number) {
    struct name name;
    struct kv_entry *entry = get(table, prefix, number);
    assert_non_null(entry);
    assert_int_equal(k42_call(table, exchange, name_key(&name, prefix, number), entry, NULL), 0);
    kv_entry_release(entry);
}

static void fill(table_ref table, const char *prefix, unsigned count) {
    k42_enter();
    for (unsigned n = 0; n < count; n++)
        put(table, prefix, n, n * 3);
    k42_exit();
}

static void expect_filled(table_ref table, const char *prefix, unsigned count) {
    k42_enter();
    for (unsigned n = 0; n < count; n++) {
        struct kv_entry *entry = get(table, prefix, n);
        assert_non_null(entry);
        assert_int_equal(value_of(entry), n * 3);
        assert_int_equal(entry->deadline_ms, n);
    }
    k42_exit();
}

/* ---- one class ---- */

static void a_stored_entry_is_found_and_no_other(void **state) {
    table_ref table = make_table(*state);
    k42_enter();
    put(table, "a", 1, 7);
    assert_int_equal(value_of(get(table, "a", 1)), 7);
    assert_null(get(table, "a", 2));
    k42_exit();
    end_table(table);
}

static void storing_hands_back_what_it_replaced(void **state) {
    table_ref table = make_table(*state);
    struct kv_entry *first = make_entry("a", 1, 1), *second = make_entry("a", 1, 2), *replaced;
    k42_enter();
    assert_int_equal(k42_call(table, store, first, &replaced), 0);
    assert_null(replaced);
    assert_int_equal(k42_call(table, store, second, &replaced), 0);
    assert_ptr_equal(replaced, first);
    assert_int_equal(k42_call(table, count), 1);
    k42_exit();
    kv_entry_free(first);
    end_table(table);
}

static void exchange_refuses_when_something_else_is_there(void **state) {
    table_ref table = make_table(*state);
    struct name name;
    struct kv_key *key = name_key(&name, "a", 1);
    struct kv_entry *wanted = make_entry("a", 1, 2), *other = make_entry("a", 1, 3);
    k42_enter();
    assert_int_equal(k42_call(table, exchange, key, other, wanted), -EAGAIN);
    put(table, "a", 1, 1);
    assert_int_equal(k42_call(table, exchange, key, NULL, wanted), -EAGAIN);
    assert_int_equal(k42_call(table, exchange, key, other, wanted), -EAGAIN);
    assert_int_equal(k42_call(table, exchange, key, other, NULL), -EAGAIN);
    assert_int_equal(value_of(get(table, "a", 1)), 1);
    k42_exit();
    kv_entry_free(wanted);
    kv_entry_free(other);
    end_table(table);
}

static void exchange_puts_in_replaces_and_takes_out(void **state) {
    table_ref table = make_table(*state);
    struct name name;
    struct kv_key *key = name_key(&name, "a", 1);
    struct kv_entry *first = make_entry("a", 1, 1), *second = make_entry("a", 1, 2);
    k42_enter();
    assert_int_equal(k42_call(table, exchange, key, NULL, first), 0);
    assert_ptr_equal(get(table, "a", 1), first);
    assert_int_equal(k42_call(table, exchange, key, first, second), 0);
    assert_ptr_equal(get(table, "a", 1), second);
    assert_int_equal(k42_call(table, exchange, key, second, NULL), 0);
    assert_null(get(table, "a", 1));
    assert_int_equal(k42_call(table, count), 0);
    k42_exit();
    kv_entry_free(first);
    kv_entry_free(second);
    end_table(table);
}

static void an_entry_is_found_by_its_hash(void **state) {
    table_ref table = make_table(*state);
    struct kv_entry *found;
    fill(table, "k", 3000);
    k42_enter();
    for (unsigned n = 0; n < 3000; n++) {
        struct name name;
        assert_int_equal(k42_call(table, lookup_hash, name_key(&name, "k", n)->hash, &found), 0);
        assert_int_equal(found->hash, name.key.hash);
    }
    struct name absent;
    assert_int_equal(k42_call(table, lookup_hash, name_key(&absent, "no", 0)->hash, &found),
                     -ENOENT);
    k42_exit();
    end_table(table);
}

/* The same few hashes again and again, so that every place where they collide is visited. */
static void keys_of_equal_hash_are_told_apart(void **state) {
    table_ref table = make_table(*state);
    struct kv_entry *entries[40], *replaced;
    k42_enter();
    for (unsigned n = 0; n < 40; n++) {
        entries[n] = make_entry("same", n, n);
        entries[n]->hash = 0x8000000000000000 + n % 3;
        assert_int_equal(k42_call(table, store, entries[n], &replaced), 0);
        assert_null(replaced);
    }
    for (unsigned n = 0; n < 40; n += 2) {
        struct kv_key key = kv_entry_key(entries[n]);
        assert_int_equal(k42_call(table, exchange, &key, entries[n], NULL), 0);
    }
    for (unsigned n = 0; n < 40; n++) {
        struct kv_key key = kv_entry_key(entries[n]);
        struct kv_entry *found;
        assert_int_equal(k42_call(table, lookup, &key, &found), n % 2 ? 0 : -ENOENT);
        if (n % 2 == 0)
            kv_entry_release(entries[n]);
    }
    k42_exit();
    end_table(table);
}

/* One step from *cursor; marks what it shows in seen[], and checks the order. Active. */
static void walk_step(table_ref table, uint64_t *cursor, unsigned char *seen, uint64_t *last) {
    struct kv_entry *entries[ROOM];
    k42_result shown = k42_call(table, walk, cursor, entries, ROOM);
    assert_true(shown >= 0 && shown <= ROOM);
    for (k42_result n = 0; n < shown; n++) {
        assert_true(entries[n]->hash >= *last);
        *last = entries[n]->hash;
        if (entries[n]->bytes[0] == 'k')
            seen[value_of(entries[n]) / 3]++;
    }
    assert_true(*cursor == 0 || *cursor > *last);
}

static void expect_each_once(const unsigned char *seen, unsigned count) {
    for (unsigned n = 0; n < count; n++)
        assert_int_equal(seen[n], 1);
}

static void a_walk_shows_each_entry_once_in_order(void **state) {
    static unsigned char seen[10000];
    table_ref table = make_table(*state);
    uint64_t cursor = 0, last = 0;
    memset(seen, 0, sizeof(seen));
    fill(table, "k", 10000);
    k42_enter();
    do
        walk_step(table, &cursor, seen, &last);
    while (cursor != 0);
    k42_exit();
    expect_each_once(seen, 10000);
    end_table(table);
}

static void a_walk_shows_each_entry_once_while_the_table_grows(void **state) {
    static unsigned char seen[3000];
    table_ref table = make_table(*state);
    uint64_t cursor = 0, last = 0;
    unsigned added = 0;
    memset(seen, 0, sizeof(seen));
    fill(table, "k", 3000);
    k42_enter();
    do {
        walk_step(table, &cursor, seen, &last);
        for (unsigned n = 0; n < ROOM / 2; n++)
            put(table, "new", added++, 0);
    } while (cursor != 0);
    k42_exit();
    expect_each_once(seen, 3000);
    end_table(table);
}

static void a_walk_of_a_table_that_has_been_emptied_ends(void **state) {
    table_ref table = make_table(*state);
    unsigned char seen[1];
    uint64_t cursor = 0, last = 0;
    unsigned steps = 0;
    fill(table, "k", 50000);
    k42_enter();
    for (unsigned n = 0; n < 50000; n++)
        drop(table, "k", n);
    do {
        walk_step(table, &cursor, seen, &last);
        assert_true(++steps < 100000);
    } while (cursor != 0);
    assert_int_equal(k42_call(table, count), 0);
    k42_exit();
    end_table(table);
}

static unsigned next_random(uint64_t *random) {
    *random = *random * 6364136223846793005 + 1442695040888963407;
    return (unsigned)(*random >> 33);
}

enum { MODEL_KEYS = 700 };

/* One random operation on table and model (0: absent). Active. */
static void random_operation(table_ref table, unsigned *model, uint64_t *random) {
    unsigned number = next_random(random) % MODEL_KEYS, value = next_random(random) | 1;
    struct kv_entry *entry = get(table, "k", number);
    assert_int_equal(entry ? value_of(entry) : 0, model[number]);
    if (next_random(random) % 2) {
        put(table, "k", number, value);
        model[number] = value;
    } else if (entry) {
        drop(table, "k", number);
        model[number] = 0;
    }
}

static void it_agrees_with_a_model_under_random_operations(void **state) {
    static unsigned model[MODEL_KEYS];
    table_ref table = make_table(*state);
    uint64_t random = 42;
    memset(model, 0, sizeof(model));
    for (unsigned n = 0; n < 100000; n++) {
        k42_enter();
        random_operation(table, model, &random);
        k42_exit();
        if (n % 10000 == 0)
            swap_to(table, names[n / 10000 % CLASSES]);
    }
    end_table(table);
}

/* ---- each class to each other ---- */

static void swap_around(table_ref table, const char *first, unsigned count) {
    for (unsigned n = 0; n < CLASSES; n++) {
        swap_to(table, names[n]);
        expect_filled(table, "k", count);
        swap_to(table, first);
        expect_filled(table, "k", count);
    }
}

static void every_entry_survives_swaps_to_each_class(void **state) {
    table_ref table = make_table(*state);
    fill(table, "k", 5000);
    swap_around(table, *state, 5000);
    end_table(table);
}

static void an_empty_table_survives_swaps_to_each_class(void **state) {
    table_ref table = make_table(*state);
    swap_around(table, *state, 0);
    fill(table, "k", 100);
    swap_around(table, *state, 100);
    end_table(table);
}

static void a_walk_goes_on_across_swaps(void **state) {
    static unsigned char seen[5000];
    table_ref table = make_table(*state);
    uint64_t cursor = 0, last = 0;
    unsigned step = 0;
    memset(seen, 0, sizeof(seen));
    fill(table, "k", 5000);
    do {
        k42_enter();
        walk_step(table, &cursor, seen, &last);
        k42_exit();
        swap_to(table, names[step++ % CLASSES]);
    } while (cursor != 0);
    expect_each_once(seen, 5000);
    end_table(table);
}

static void entries_are_freed_once_by_whichever_table_is_last(void **state) {
    for (unsigned n = 0; n < CLASSES; n++) {
        table_ref table = make_table(*state);
        fill(table, "k", 300);
        swap_to(table, names[n]);
        k42_enter();
        for (unsigned number = 0; number < 150; number++)
            drop(table, "k", number);
        k42_exit();
        end_table(table);
    }
    assert_int_equal(k42_defer_flush(), 0); /* under a sanitizer, this is where it would tell */
}

/* ---- threads ---- */

enum { THREADS = 3, THREAD_ROUNDS = 6000, THREAD_KEYS = 500 };

struct churn {
    table_ref table;
    char prefix[8];
    uint64_t random;
    uint32_t done;
    unsigned model[THREAD_KEYS];
};

/* Keeps keys of its own in the table and compares each with what it knows. */
static void *churn_keys(void *argument) {
    struct churn *churn = argument;
    assert_int_equal(k42_attach("churn"), 0);
    for (unsigned n = 0; n < THREAD_ROUNDS; n++) {
        unsigned number = next_random(&churn->random) % THREAD_KEYS;
        k42_enter();
        struct kv_entry *entry = get(churn->table, churn->prefix, number);
        assert_int_equal(entry ? value_of(entry) : 0, churn->model[number]);
        if (entry && n % 3 == 0) {
            struct name name;
            k42_result result = k42_call(churn->table, exchange,
                                         name_key(&name, churn->prefix, number), entry, NULL);
            /* A table by value has another copy of the entry than was found before the swap. */
            assert_true(result == 0 || result == -EAGAIN);
            if (result == 0) {
                churn->model[number] = 0;
                kv_entry_release(entry);
            }
        } else {
            churn->model[number] = n + 1;
            put(churn->table, churn->prefix, number, n + 1);
        }
        k42_exit();
    }
    __atomic_store_n(&churn->done, 1, __ATOMIC_RELEASE);
    assert_int_equal(k42_detach(), 0);
    return NULL;
}

static void no_thread_loses_a_key_while_the_table_is_swapped(void **state) {
    static struct churn churns[THREADS];
    pthread_t threads[THREADS];
    table_ref table = make_table(*state);
    for (unsigned n = 0; n < THREADS; n++) {
        churns[n] = (struct churn){.table = table, .random = n + 1};
        snprintf(churns[n].prefix, sizeof(churns[n].prefix), "t%u", n);
        assert_int_equal(pthread_create(&threads[n], NULL, churn_keys, &churns[n]), 0);
    }
    unsigned swaps = 0;
    for (unsigned n = 0; n < THREADS; n++)
        while (!__atomic_load_n(&churns[n].done, __ATOMIC_ACQUIRE))
            swap_to(table, names[swaps++ % CLASSES]);
    for (unsigned n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    end_table(table);
}

/* ---- all tests with all classes ---- */

static int start_runtime(void **state) {
    (void)state;
    chained_by_value = table_chained;
    chained_by_value.name = names[2];
    open_by_value = table_open;
    open_by_value.name = names[3];
    chained_by_value.transfers = open_by_value.transfers = table_body_transfers + 1;
    if (table_body_transfers[1].format != &table_records_format || k42_init(NULL) < 0)
        return -1;
    chained_by_value.record = open_by_value.record = NULL;
    if (k42_class_register(&chained_by_value, NULL, 0) < 0 ||
        k42_class_register(&open_by_value, NULL, 0) < 0)
        return -1;
    return (int)k42_attach("test");
}

static int end_runtime(void **state) {
    (void)state;
    k42_result detached = k42_detach(), ended = k42_shutdown();
    return detached < 0 || ended < 0 ? -1 : 0;
}

#define TEST(function)                                                                             \
    { #function, function }

/* An argument chooses tests, with '*': "table.open: *". */
int main(int argc, char **argv) {
    static const struct {
        const char *name;
        CMUnitTestFunction function;
    } tests[] = {
        TEST(a_stored_entry_is_found_and_no_other),
        TEST(storing_hands_back_what_it_replaced),
        TEST(exchange_refuses_when_something_else_is_there),
        TEST(exchange_puts_in_replaces_and_takes_out),
        TEST(an_entry_is_found_by_its_hash),
        TEST(keys_of_equal_hash_are_told_apart),
        TEST(a_walk_shows_each_entry_once_in_order),
        TEST(a_walk_shows_each_entry_once_while_the_table_grows),
        TEST(a_walk_of_a_table_that_has_been_emptied_ends),
        TEST(it_agrees_with_a_model_under_random_operations),
        TEST(every_entry_survives_swaps_to_each_class),
        TEST(an_empty_table_survives_swaps_to_each_class),
        TEST(a_walk_goes_on_across_swaps),
        TEST(entries_are_freed_once_by_whichever_table_is_last),
        TEST(no_thread_loses_a_key_while_the_table_is_swapped),
    };
    enum { TESTS = sizeof(tests) / sizeof(tests[0]) };
    static struct CMUnitTest all[TESTS * CLASSES];
    static char titles[TESTS * CLASSES][128];
    for (unsigned n = 0; n < TESTS * CLASSES; n++) {
        snprintf(titles[n], sizeof(titles[n]), "%s: %s", names[n % CLASSES],
                 tests[n / CLASSES].name);
        all[n] = (struct CMUnitTest){
            .name = titles[n],
            .test_func = tests[n / CLASSES].function,
            .initial_state = (void *)(uintptr_t)names[n % CLASSES],
        };
    }
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("kv_table", all, start_runtime, end_runtime);
}
