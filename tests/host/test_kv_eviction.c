/*
 * What holds for every eviction policy of the key-value server, alone and across swaps; version 2
 * of eviction.lru comes from the component named by KV_EVICTION_V2.
 *
 * Each statement is tested for each class, and each way between two classes, by construction.
 */
#include "eviction.h"

#include <k42/class.h>
#include <k42/component.h>
#include <k42/swap.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A class is a name and a version: two versions of one name are two classes. */
struct policy {
    const char *title;
    const char *name;
    uint32_t version;
};
static const struct policy policies[] = {
    {"eviction.lru version 1", "eviction.lru", 1},
    {"eviction.lru version 2", "eviction.lru", 2},
    {"eviction.lfu", "eviction.lfu", 1},
    {"eviction.random", "eviction.random", 1},
};
enum { POLICIES = sizeof(policies) / sizeof(policies[0]) };

static struct k42_component *component;

/* ---- what the tests are made of ---- */

struct search {
    const struct policy *policy;
    struct k42_class *found;
};

static long compare_class(const struct k42_class_info *info, void *context) {
    struct search *search = context;
    if (strcmp(info->class_->name, search->policy->name) == 0 &&
        info->class_->version == search->policy->version)
        search->found = info->class_;
    return search->found != NULL;
}

static struct k42_class *class_of(const struct policy *policy) {
    struct search search = {policy, NULL};
    k42_each_class(compare_class, &search);
    assert_non_null(search.found);
    return search.found;
}

static eviction_ref make_policy(const struct policy *policy) {
    k42_ref ref;
    assert_int_equal(k42_create(class_of(policy), NULL, &ref), 0);
    return (eviction_ref)ref;
}

static void end_policy(eviction_ref eviction) {
    assert_int_equal(k42_destroy((k42_ref)eviction), 0);
}

static void swap_to(eviction_ref eviction, const struct policy *policy) {
    struct k42_swap swap = {
        .ref = (k42_ref)eviction,
        .to = class_of(policy),
        .attempts = 100,
        .deadline_ns = 1000000000,
    };
    k42_result result = k42_swap_run(&swap);
    if (result < 0)
        print_error("%s\n", swap.report.text);
    assert_int_equal(result, 0);
}

/* Hashes spread evenly over the shards, so that few keys are few in each: then sampling sees all.
 */
static uint64_t hash_of(unsigned number) {
    return (uint64_t)number << 60 | (uint64_t)(number + 1) * 0x10001;
}
enum { FEW = 100, MANY = 5000, SECOND_NS = 1000000000 };

static void touch(eviction_ref eviction, unsigned number, uint64_t now_ns) {
    k42_enter();
    assert_int_equal(k42_call(eviction, touched, hash_of(number), now_ns), 0);
    k42_exit();
}

static void forget(eviction_ref eviction, uint64_t hash) {
    k42_enter();
    assert_int_equal(k42_call(eviction, forgotten, hash), 0);
    k42_exit();
}

static k42_result ask_victim(eviction_ref eviction, uint64_t now_ns, uint64_t *hash) {
    k42_enter();
    k42_result result = k42_call(eviction, victim, now_ns, hash);
    k42_exit();
    return result;
}

static long count_of(eviction_ref eviction) {
    k42_enter();
    k42_result count = k42_call(eviction, count);
    k42_exit();
    return count;
}

/* Number n used at second n + 1. */
static void touch_in_order(eviction_ref eviction, unsigned count) {
    for (unsigned n = 0; n < count; n++)
        touch(eviction, n, (n + 1) * (uint64_t)SECOND_NS);
}

static unsigned number_of(uint64_t hash, unsigned count) {
    for (unsigned n = 0; n < count; n++)
        if (hash_of(n) == hash)
            return n;
    fail_msg("named a key it was never told of");
    return 0;
}

/* Evicts everything; the keys in the order in which they went. */
static void evict_all(eviction_ref eviction, unsigned count, uint64_t now_ns, unsigned *order) {
    uint64_t hash;
    for (unsigned n = 0; n < count; n++) {
        assert_int_equal(ask_victim(eviction, now_ns, &hash), 0);
        order[n] = number_of(hash, count);
        forget(eviction, hash);
    }
    assert_int_equal(ask_victim(eviction, now_ns, &hash), -ENOENT);
}

static void expect_each_once(const unsigned *order, unsigned count) {
    unsigned char seen[MANY] = {0};
    for (unsigned n = 0; n < count; n++)
        assert_int_equal(seen[order[n]]++, 0);
}

/* ---- one class ---- */

static void an_empty_policy_names_no_victim(void **state) {
    eviction_ref eviction = make_policy(*state);
    uint64_t hash;
    assert_int_equal(ask_victim(eviction, 1, &hash), -ENOENT);
    forget(eviction, hash_of(1));
    assert_int_equal(count_of(eviction), 0);
    end_policy(eviction);
}

static void a_key_used_twice_is_known_once(void **state) {
    eviction_ref eviction = make_policy(*state);
    touch(eviction, 1, 1);
    touch(eviction, 1, 2);
    assert_int_equal(count_of(eviction), 1);
    forget(eviction, hash_of(1));
    assert_int_equal(count_of(eviction), 0);
    end_policy(eviction);
}

static void a_forgotten_key_is_never_named(void **state) {
    eviction_ref eviction = make_policy(*state);
    uint64_t hash;
    touch_in_order(eviction, FEW);
    for (unsigned n = 0; n < FEW; n++)
        if (n != 42)
            forget(eviction, hash_of(n));
    for (unsigned n = 0; n < 50; n++) {
        assert_int_equal(ask_victim(eviction, (FEW + n) * (uint64_t)SECOND_NS, &hash), 0);
        assert_int_equal(hash, hash_of(42));
    }
    end_policy(eviction);
}

static void evicting_all_names_every_key_once(void **state) {
    static unsigned order[MANY];
    eviction_ref eviction = make_policy(*state);
    touch_in_order(eviction, MANY);
    assert_int_equal(count_of(eviction), MANY);
    evict_all(eviction, MANY, (MANY + 1) * (uint64_t)SECOND_NS, order);
    expect_each_once(order, MANY);
    end_policy(eviction);
}

static void it_counts_what_random_operations_leave(void **state) {
    static unsigned char known[1000];
    eviction_ref eviction = make_policy(*state);
    uint64_t random = 42;
    long count = 0;
    memset(known, 0, sizeof(known));
    for (unsigned n = 0; n < 50000; n++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        unsigned number = (unsigned)(random >> 33) % 1000, present = random >> 63 ? 1 : 0;
        if (present)
            touch(eviction, number, n);
        else
            forget(eviction, hash_of(number));
        count += (long)present - known[number];
        known[number] = (unsigned char)present;
    }
    assert_int_equal(count_of(eviction), count);
    end_policy(eviction);
}

/* ---- what makes a policy what it is ---- */

static const struct policy *policy_titled(const char *title) {
    for (unsigned n = 0; n < POLICIES; n++)
        if (strcmp(policies[n].title, title) == 0)
            return &policies[n];
    fail_msg("no policy %s", title);
    return NULL;
}

static void expect_order_of_use(eviction_ref eviction) {
    unsigned order[FEW];
    evict_all(eviction, FEW, (2 * FEW + 2) * (uint64_t)SECOND_NS, order);
    /* Those not used again first, in order, then the others. */
    for (unsigned n = 0; n < FEW / 2; n++) {
        assert_int_equal(order[n], n * 2 + 1);
        assert_int_equal(order[FEW / 2 + n], n * 2);
    }
}

static eviction_ref make_used(const struct policy *policy) {
    eviction_ref eviction = make_policy(policy);
    touch_in_order(eviction, FEW);
    for (unsigned n = 0; n < FEW; n += 2)
        touch(eviction, n, (FEW + n + 1) * (uint64_t)SECOND_NS);
    return eviction;
}

static void lru_1_evicts_in_order_of_last_use(void **state) {
    (void)state;
    eviction_ref eviction = make_used(policy_titled("eviction.lru version 1"));
    expect_order_of_use(eviction);
    end_policy(eviction);
}

static void lru_2_evicts_few_keys_in_order_of_last_use(void **state) {
    (void)state;
    eviction_ref eviction = make_used(policy_titled("eviction.lru version 2"));
    expect_order_of_use(eviction);
    end_policy(eviction);
}

static void order_of_last_use_survives_every_policy(void **state) {
    (void)state;
    const struct policy *lru = policy_titled("eviction.lru version 1");
    eviction_ref eviction = make_used(lru);
    for (unsigned n = 0; n < POLICIES; n++)
        swap_to(eviction, &policies[n]);
    swap_to(eviction, lru);
    expect_order_of_use(eviction);
    end_policy(eviction);
}

static void lfu_evicts_what_is_used_least(void **state) {
    (void)state;
    eviction_ref eviction = make_policy(policy_titled("eviction.lfu"));
    unsigned order[FEW];
    for (unsigned n = 0; n < FEW; n++)
        for (unsigned use = 0; use < FEW - n; use++)
            touch(eviction, n, 1);
    evict_all(eviction, FEW, 1, order);
    for (unsigned n = 0; n < FEW; n++)
        assert_int_equal(order[n], FEW - 1 - n);
    end_policy(eviction);
}

static void lfu_forgives_what_was_used_long_ago(void **state) {
    (void)state;
    eviction_ref eviction = make_policy(policy_titled("eviction.lfu"));
    uint64_t hash, hour_ns = 3600 * (uint64_t)SECOND_NS;
    for (unsigned use = 0; use < 1000; use++)
        touch(eviction, 1, 1);
    touch(eviction, 2, hour_ns);
    assert_int_equal(ask_victim(eviction, hour_ns, &hash), 0);
    assert_int_equal(hash, hash_of(1));
    end_policy(eviction);
}

static void random_does_not_always_name_the_same(void **state) {
    (void)state;
    eviction_ref eviction = make_policy(policy_titled("eviction.random"));
    uint64_t first, other;
    int differs = 0;
    touch_in_order(eviction, FEW);
    assert_int_equal(ask_victim(eviction, 1, &first), 0);
    for (unsigned n = 2; n < 100; n++) {
        assert_int_equal(ask_victim(eviction, n, &other), 0);
        differs |= other != first;
    }
    assert_true(differs);
    end_policy(eviction);
}

/* ---- each class to each other ---- */

static void every_record_survives_swaps_to_each_class(void **state) {
    static unsigned order[MANY];
    for (unsigned n = 0; n < POLICIES; n++) {
        eviction_ref eviction = make_policy(*state);
        touch_in_order(eviction, MANY);
        swap_to(eviction, &policies[n]);
        assert_int_equal(count_of(eviction), MANY);
        swap_to(eviction, *state);
        assert_int_equal(count_of(eviction), MANY);
        evict_all(eviction, MANY, (MANY + 1) * (uint64_t)SECOND_NS, order);
        expect_each_once(order, MANY);
        end_policy(eviction);
    }
}

static void a_policy_swapped_in_can_grow(void **state) {
    for (unsigned n = 0; n < POLICIES; n++) {
        eviction_ref eviction = make_policy(&policies[n]);
        touch_in_order(eviction, FEW);
        swap_to(eviction, *state);
        touch_in_order(eviction, MANY);
        assert_int_equal(count_of(eviction), MANY);
        end_policy(eviction);
    }
}

/* ---- threads ---- */

struct toucher {
    eviction_ref eviction;
    unsigned first;
    uint32_t done;
};
enum { THREADS = 3, TOUCHED = 1000 };

static void *touch_keys(void *argument) {
    struct toucher *toucher = argument;
    assert_int_equal(k42_attach("toucher"), 0);
    for (unsigned round = 0; round < 10; round++)
        for (unsigned n = 0; n < TOUCHED; n++)
            touch(toucher->eviction, toucher->first + n, round * TOUCHED + n);
    __atomic_store_n(&toucher->done, 1, __ATOMIC_RELEASE);
    assert_int_equal(k42_detach(), 0);
    return NULL;
}

static void no_use_is_lost_while_the_policy_is_swapped(void **state) {
    struct toucher touchers[THREADS];
    pthread_t threads[THREADS];
    eviction_ref eviction = make_policy(*state);
    unsigned swaps = 0;
    for (unsigned n = 0; n < THREADS; n++) {
        touchers[n] = (struct toucher){eviction, n * TOUCHED, 0};
        assert_int_equal(pthread_create(&threads[n], NULL, touch_keys, &touchers[n]), 0);
    }
    for (unsigned n = 0; n < THREADS; n++)
        while (!__atomic_load_n(&touchers[n].done, __ATOMIC_ACQUIRE))
            swap_to(eviction, &policies[swaps++ % POLICIES]);
    for (unsigned n = 0; n < THREADS; n++)
        pthread_join(threads[n], NULL);
    assert_int_equal(count_of(eviction), THREADS * TOUCHED);
    end_policy(eviction);
}

/* ---- all tests with all classes ---- */

static int start_runtime(void **state) {
    const char *path = getenv("KV_EVICTION_V2");
    char why[256] = "";
    (void)state;
    if (!path || k42_init(NULL) < 0)
        return -1;
    if (k42_component_load(path, &component, why, sizeof(why)) < 0) {
        print_error("%s: %s\n", path, why);
        return -1;
    }
    return (int)k42_attach("test");
}

static int end_runtime(void **state) {
    char why[256] = "";
    (void)state;
    if (k42_detach() < 0 || k42_defer_flush() < 0)
        return -1;
    if (k42_component_unload(component, why, sizeof(why)) < 0) {
        print_error("%s\n", why);
        return -1;
    }
    return (int)k42_shutdown();
}

#define TEST(function)                                                                             \
    { #function, function }

/* An argument chooses tests, with '*'. */
int main(int argc, char **argv) {
    static const struct {
        const char *name;
        CMUnitTestFunction function;
    } tests[] = {
        TEST(an_empty_policy_names_no_victim),
        TEST(a_key_used_twice_is_known_once),
        TEST(a_forgotten_key_is_never_named),
        TEST(evicting_all_names_every_key_once),
        TEST(it_counts_what_random_operations_leave),
        TEST(every_record_survives_swaps_to_each_class),
        TEST(a_policy_swapped_in_can_grow),
        TEST(no_use_is_lost_while_the_policy_is_swapped),
    };
    static const struct CMUnitTest single[] = {
        cmocka_unit_test(lru_1_evicts_in_order_of_last_use),
        cmocka_unit_test(lru_2_evicts_few_keys_in_order_of_last_use),
        cmocka_unit_test(order_of_last_use_survives_every_policy),
        cmocka_unit_test(lfu_evicts_what_is_used_least),
        cmocka_unit_test(lfu_forgives_what_was_used_long_ago),
        cmocka_unit_test(random_does_not_always_name_the_same),
    };
    enum {
        TESTS = sizeof(tests) / sizeof(tests[0]),
        SINGLE = sizeof(single) / sizeof(single[0]),
    };
    static struct CMUnitTest all[TESTS * POLICIES + SINGLE];
    static char titles[TESTS * POLICIES][128];
    for (unsigned n = 0; n < TESTS * POLICIES; n++) {
        snprintf(titles[n], sizeof(titles[n]), "%s: %s", policies[n % POLICIES].title,
                 tests[n / POLICIES].name);
        all[n] = (struct CMUnitTest){
            .name = titles[n],
            .test_func = tests[n / POLICIES].function,
            .initial_state = (void *)(uintptr_t)&policies[n % POLICIES],
        };
    }
    memcpy(all + TESTS * POLICIES, single, sizeof(single));
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("kv_eviction", all, start_runtime, end_runtime);
}
