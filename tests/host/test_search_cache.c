/*
 * What every class of the search example's cache must do, run against each one there is, and what
 * its policy decides.
 *
 * The list of tests is made when the program runs: each statement about a class is checked for all
 * registered classes of the interface, each statement about a swap for all ordered pairs of them.
 * Each class also gets a twin that speaks nothing but the canonical format, so that this format is
 * used in every direction although a cheaper one would be preferred.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <k42/class.h>

#include "cache.h"
#include "cache_state.h"
#include "policy.h"

#define MOST_CLASSES     8
#define PAGES            16
#define THREADS          3
#define PATIENCE_MS      60000 /* for what must happen some time */
#define HOLDS_PER_THREAD 3000

/* ---- the classes ---- */

static struct k42_class *classes[MOST_CLASSES];
static unsigned class_count;

static long note_class(const struct k42_class_info *info, void *context) {
    (void)context;
    if (info->class_->interface == &cache_interface && class_count < MOST_CLASSES)
        classes[class_count++] = info->class_;
    return 0;
}

/* A class that differs from `original` in that it knows the canonical format alone. */
static void register_twin(struct k42_class *original) {
    static struct k42_class twins[MOST_CLASSES];
    static struct k42_transfer transfers[MOST_CLASSES][2];
    static char names[MOST_CLASSES][48];
    static unsigned count;
    struct k42_class *twin = &twins[count];
    const struct k42_transfer *transfer = original->transfers;
    while (transfer->format != &cache_pages)
        transfer++;
    transfers[count][0] = *transfer;
    snprintf(names[count], sizeof(names[count]), "%s.canonical", original->name);
    *twin = *original;
    twin->name = names[count];
    twin->transfers = transfers[count];
    twin->record = NULL;
    count++;
    char why[160] = "";
    if (k42_class_register(twin, why, sizeof(why)) < 0) {
        print_error("cannot register %s: %s\n", twin->name, why);
        abort();
    }
    classes[class_count++] = twin;
}

static void find_classes(void) {
    k42_each_class(note_class, NULL);
    unsigned originals = class_count;
    for (unsigned i = 0; i < originals && class_count < MOST_CLASSES; i++)
        register_twin(classes[i]);
}

/* ---- shorter ways to say things ---- */

/* One call from an inactive thread. */
#define CALL(cache, method, ...)                                                                   \
    __extension__({                                                                                \
        k42_enter();                                                                               \
        k42_result result_ = k42_call((cache), method __VA_OPT__(, ) __VA_ARGS__);                 \
        k42_exit();                                                                                \
        result_;                                                                                   \
    })

static cache_ref make_cache(struct k42_class *class_, size_t capacity, int adaptive) {
    struct cache_options options = {.capacity = capacity, .adaptive = adaptive};
    k42_ref ref;
    assert_int_equal(k42_create(class_, &options, &ref), 0);
    return (cache_ref)ref;
}

static void end_cache(cache_ref cache) {
    assert_int_equal(k42_destroy((k42_ref)cache), 0);
}

static void page_contents(uint64_t number, unsigned char bytes[CACHE_PAGE_SIZE]) {
    for (unsigned i = 0; i < CACHE_PAGE_SIZE; i++)
        bytes[i] = (unsigned char)(number * 31 + i * 7 + (i >> 8));
}

static k42_result fill(cache_ref cache, uint64_t number) {
    unsigned char bytes[CACHE_PAGE_SIZE];
    page_contents(number, bytes);
    return CALL(cache, fill, number, bytes, sizeof(bytes));
}

static void fill_pages(cache_ref cache, uint64_t count) {
    for (uint64_t number = 0; number < count; number++)
        assert_int_equal(fill(cache, number), 0);
}

static k42_result hold(cache_ref cache, uint64_t number) {
    const void *bytes;
    return CALL(cache, hold, number, &bytes);
}

static void assert_reads_as_filled(cache_ref cache, uint64_t number) {
    unsigned char is[CACHE_PAGE_SIZE], should[CACHE_PAGE_SIZE];
    page_contents(number, should);
    assert_int_equal(CALL(cache, read, number, 0, is, sizeof(is)), sizeof(is));
    assert_memory_equal(is, should, sizeof(is));
}

static struct cache_stats stats_of(cache_ref cache) {
    struct cache_stats stats;
    assert_int_equal(CALL(cache, stats, &stats), 0);
    return stats;
}

static void class_of(cache_ref cache, char name[48]) {
    struct k42_object_info info;
    assert_int_equal(k42_inspect((k42_ref)cache, &info), 0);
    memcpy(name, info.class_name, sizeof(info.class_name));
}

static void await_class(cache_ref cache, const char *wanted) {
    const struct timespec pause = {.tv_nsec = 1000000};
    char name[48];
    class_of(cache, name);
    for (int ms = 0; strcmp(name, wanted) && ms < PATIENCE_MS; ms++) {
        nanosleep(&pause, NULL);
        class_of(cache, name);
    }
    assert_string_equal(name, wanted);
}

/* Runs fn(cache) in attached threads of their own, and waits for them. */
struct helper {
    pthread_t thread;
    cache_ref cache;
    void (*fn)(cache_ref);
};

static void *helper_main(void *argument) {
    struct helper *helper = argument;
    if (k42_attach("helper") < 0)
        abort();
    helper->fn(helper->cache);
    if (k42_detach() < 0)
        abort();
    return NULL;
}

static void start_helper(struct helper *helper, cache_ref cache, void (*fn)(cache_ref)) {
    *helper = (struct helper){.cache = cache, .fn = fn};
    assert_int_equal(pthread_create(&helper->thread, NULL, helper_main, helper), 0);
}

static void in_threads(unsigned count, cache_ref cache, void (*fn)(cache_ref)) {
    struct helper helpers[THREADS];
    for (unsigned i = 0; i < count; i++)
        start_helper(&helpers[i], cache, fn);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(pthread_join(helpers[i].thread, NULL), 0);
}

/* ---- statements about each class: *state is the class ---- */

static void a_page_that_was_filled_reads_the_same_where_it_is_held(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    unsigned char should[CACHE_PAGE_SIZE];
    fill_pages(cache, PAGES);
    page_contents(5, should);
    k42_enter();
    const void *bytes = NULL;
    k42_result held = k42_call(cache, hold, 5, &bytes);
    int same = held == 0 && !memcmp(bytes, should, sizeof(should));
    k42_result released = k42_call(cache, release, 5);
    k42_exit();
    assert_int_equal(held, 0);
    assert_true(same);
    assert_int_equal(released, 0);
    end_cache(cache);
}

static void a_page_that_is_not_there_is_missed(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    char byte;
    assert_int_equal(hold(cache, 3), -ENOENT);
    assert_int_equal(CALL(cache, read, 3, 0, &byte, 1), -ENOENT);
    assert_int_equal(CALL(cache, release, 3), -ENOENT);
    assert_int_equal(CALL(cache, invalidate, 3), -ENOENT);
    assert_int_equal(stats_of(cache).misses, 2);
    end_cache(cache);
}

static void filling_a_page_twice_is_refused(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    assert_int_equal(fill(cache, 1), 0);
    assert_int_equal(fill(cache, 1), -EEXIST);
    assert_int_equal(stats_of(cache).fills, 1);
    end_cache(cache);
}

static void filling_with_part_of_a_page_is_refused(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    assert_int_equal(CALL(cache, fill, 1, "short", 5), -EINVAL);
    assert_int_equal(stats_of(cache).cached, 0);
    end_cache(cache);
}

static void reading_stops_at_the_end_of_the_page(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    char bytes[8] = "";
    fill_pages(cache, 1);
    assert_int_equal(CALL(cache, read, 0, CACHE_PAGE_SIZE - 3, bytes, sizeof(bytes)), 3);
    assert_int_equal(CALL(cache, read, 0, CACHE_PAGE_SIZE, bytes, sizeof(bytes)), 0);
    assert_int_equal(CALL(cache, read, 0, CACHE_PAGE_SIZE + 1, bytes, sizeof(bytes)), -EINVAL);
    end_cache(cache);
}

static void a_held_page_cannot_be_invalidated(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    fill_pages(cache, PAGES);
    assert_int_equal(hold(cache, 2), 0);
    assert_int_equal(hold(cache, 2), 0);
    assert_int_equal(CALL(cache, release, 2), 0);
    assert_int_equal(CALL(cache, invalidate, 2), -EBUSY);
    assert_int_equal(CALL(cache, release, 2), 0);
    assert_int_equal(CALL(cache, invalidate, 2), 0);
    assert_int_equal(hold(cache, 2), -ENOENT);
    end_cache(cache);
}

static void an_invalidated_page_can_be_filled_again(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    fill_pages(cache, PAGES);
    for (uint64_t number = 0; number < PAGES; number++)
        assert_int_equal(CALL(cache, invalidate, number), 0);
    assert_int_equal(stats_of(cache).cached, 0);
    for (uint64_t number = 100; number < 100 + PAGES; number++) {
        assert_int_equal(fill(cache, number), 0);
        assert_int_equal(hold(cache, number), 0);
        assert_reads_as_filled(cache, number);
    }
    end_cache(cache);
}

static void a_full_cache_makes_room_among_pages_not_held(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    fill_pages(cache, PAGES);
    for (uint64_t number = 0; number < PAGES; number++) {
        if (number != 9)
            assert_int_equal(hold(cache, number), 0);
    }
    assert_int_equal(fill(cache, 100), 0);
    assert_int_equal(hold(cache, 9), -ENOENT);
    assert_int_equal(stats_of(cache).evictions, 1);
    for (uint64_t number = 0; number < PAGES; number++) {
        if (number != 9)
            assert_reads_as_filled(cache, number);
    }
    end_cache(cache);
}

static void a_cache_full_of_held_pages_refuses_another(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    fill_pages(cache, PAGES);
    for (uint64_t number = 0; number < PAGES; number++)
        assert_int_equal(hold(cache, number), 0);
    assert_int_equal(fill(cache, 100), -ENOSPC);
    assert_int_equal(stats_of(cache).cached, PAGES);
    end_cache(cache);
}

static void a_page_not_used_leaves_before_those_used(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    fill_pages(cache, PAGES);
    for (uint64_t number = 0; number < PAGES; number++) {
        if (number != 6) {
            assert_int_equal(hold(cache, number), 0);
            assert_int_equal(CALL(cache, release, number), 0);
        }
    }
    assert_int_equal(fill(cache, 100), 0);
    assert_int_equal(hold(cache, 6), -ENOENT);
    end_cache(cache);
}

static void hold_page_seven(cache_ref cache) {
    if (hold(cache, 7) < 0)
        abort();
}

static void one_thread_may_release_what_another_held(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    fill_pages(cache, PAGES);
    in_threads(2, cache, hold_page_seven);
    assert_int_equal(CALL(cache, release, 7), 0);
    assert_int_equal(CALL(cache, invalidate, 7), -EBUSY);
    assert_int_equal(CALL(cache, release, 7), 0);
    assert_int_equal(CALL(cache, invalidate, 7), 0);
    end_cache(cache);
}

static void hold_and_release_many(cache_ref cache) {
    for (uint64_t i = 0; i < HOLDS_PER_THREAD; i++) {
        if (hold(cache, i % PAGES) < 0 || CALL(cache, release, i % PAGES) < 0)
            abort();
    }
}

static void holds_of_many_threads_are_counted_exactly(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    fill_pages(cache, PAGES);
    in_threads(THREADS, cache, hold_and_release_many);
    assert_int_equal(stats_of(cache).holds, THREADS * HOLDS_PER_THREAD);
    assert_int_equal(stats_of(cache).held, 0);
    end_cache(cache);
}

/* Uses a file of twice as many pages as there is room for; checks each page it holds. */
static void use_more_pages_than_fit(cache_ref cache) {
    for (uint64_t i = 0; i < HOLDS_PER_THREAD; i++) {
        uint64_t number = (i * 7) % (2 * PAGES);
        unsigned char should[CACHE_PAGE_SIZE];
        const void *bytes;
        k42_enter();
        k42_result result = k42_call(cache, hold, number, &bytes);
        page_contents(number, should);
        if (result == -ENOENT)
            result = k42_call(cache, fill, number, should, sizeof(should));
        else if (result < 0 || memcmp(bytes, should, sizeof(should)) ||
                 k42_call(cache, release, number) < 0)
            abort();
        k42_exit();
        if (result < 0 && result != -EEXIST)
            abort();
    }
}

static void a_held_page_keeps_its_bytes_while_others_evict(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    in_threads(THREADS, cache, use_more_pages_than_fit);
    assert_int_equal(stats_of(cache).held, 0);
    assert_int_equal(stats_of(cache).fills - stats_of(cache).evictions, stats_of(cache).cached);
    end_cache(cache);
}

static void it_describes_itself_in_one_line(void **state) {
    cache_ref cache = make_cache(*state, PAGES, 0);
    char text[128] = "";
    fill_pages(cache, 3);
    k42_enter();
    k42_result length = k42_call_object(cache, describe, text, sizeof(text));
    k42_exit();
    assert_int_equal(length, strlen(text));
    assert_non_null(strstr(text, "3 pages"));
    assert_null(strchr(text, '\n'));
    end_cache(cache);
}

static void a_cache_without_room_is_not_made(void **state) {
    struct cache_options options = {.capacity = 0};
    k42_ref ref;
    assert_int_equal(k42_create(*state, &options, &ref), -ENOMEM);
}

/* ---- statements about swaps: *state is a pair of classes ---- */

struct pair {
    struct k42_class *from, *to;
};

static void swap_to(cache_ref cache, struct k42_class *to) {
    struct k42_swap_report report;
    k42_result result = k42_swap((k42_ref)cache, to, &report);
    if (result < 0)
        print_error("swap to %s: %s\n", to->name, report.text);
    assert_int_equal(result, 0);
}

static void pages_and_counters_survive_a_swap(void **state) {
    const struct pair *pair = *state;
    cache_ref cache = make_cache(pair->from, PAGES, 0);
    fill_pages(cache, PAGES);
    in_threads(THREADS, cache, hold_and_release_many);
    assert_int_equal(hold(cache, 99), -ENOENT);
    struct cache_stats before = stats_of(cache);
    swap_to(cache, pair->to);
    struct cache_stats after = stats_of(cache);
    before.swaps++;
    /* Whether a lock was taken is up to the scheduler, also for the call that asks. */
    before.contended = after.contended;
    assert_memory_equal(&after, &before, sizeof(after));
    for (uint64_t number = 0; number < PAGES; number++)
        assert_reads_as_filled(cache, number);
    end_cache(cache);
}

static void holds_survive_a_swap(void **state) {
    const struct pair *pair = *state;
    cache_ref cache = make_cache(pair->from, PAGES, 0);
    fill_pages(cache, PAGES);
    in_threads(2, cache, hold_page_seven);
    assert_int_equal(CALL(cache, release, 7), 0);
    swap_to(cache, pair->to);
    assert_int_equal(CALL(cache, invalidate, 7), -EBUSY);
    assert_int_equal(CALL(cache, release, 7), 0);
    assert_int_equal(CALL(cache, invalidate, 7), 0);
    end_cache(cache);
}

static void a_page_held_across_a_swap_keeps_its_bytes(void **state) {
    const struct pair *pair = *state;
    cache_ref cache = make_cache(pair->from, PAGES, 0);
    unsigned char should[CACHE_PAGE_SIZE];
    const void *bytes = NULL;
    fill_pages(cache, PAGES);
    page_contents(4, should);
    k42_enter();
    k42_result held = k42_call(cache, hold, 4, &bytes);
    k42_result queued = k42_swap((k42_ref)cache, pair->to, NULL);
    /* The old object's memory cannot go before this generation ends, whatever the swap has done. */
    int same = 1;
    for (int i = 0; i < 1000 && held == 0; i++)
        same &= !memcmp(bytes, should, sizeof(should));
    k42_result released = k42_call(cache, release, 4);
    k42_exit();
    assert_int_equal(held, 0);
    assert_int_equal(queued, K42_QUEUED);
    assert_true(same);
    assert_int_equal(released, 0);
    await_class(cache, pair->to->name);
    assert_int_equal(stats_of(cache).held, 0);
    end_cache(cache);
}

static void which_page_leaves_next_survives_a_swap(void **state) {
    const struct pair *pair = *state;
    cache_ref cache = make_cache(pair->from, PAGES, 0);
    fill_pages(cache, PAGES);
    for (uint64_t number = 0; number < PAGES; number++) {
        if (number != 6) {
            assert_int_equal(hold(cache, number), 0);
            assert_int_equal(CALL(cache, release, number), 0);
        }
    }
    swap_to(cache, pair->to);
    assert_int_equal(fill(cache, 100), 0);
    assert_int_equal(hold(cache, 6), -ENOENT);
    end_cache(cache);
}

static void no_hold_is_lost_or_doubled_while_it_swaps(void **state) {
    const struct pair *pair = *state;
    cache_ref cache = make_cache(pair->from, PAGES, 0);
    struct helper helpers[THREADS];
    fill_pages(cache, PAGES);
    for (unsigned i = 0; i < THREADS; i++)
        start_helper(&helpers[i], cache, hold_and_release_many);
    for (unsigned i = 0; i < 8; i++) {
        /* A busy machine may make some miss their deadline; then the old one goes on. */
        struct k42_swap_report report;
        k42_result result = k42_swap((k42_ref)cache, i % 2 ? pair->from : pair->to, &report);
        assert_true(result == 0 || result == -ETIMEDOUT);
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(helpers[i].thread, NULL), 0);
    assert_int_equal(stats_of(cache).holds, THREADS * HOLDS_PER_THREAD);
    assert_int_equal(stats_of(cache).held, 0);
    for (uint64_t number = 0; number < PAGES; number++)
        assert_reads_as_filled(cache, number);
    end_cache(cache);
}

static int knows(const struct k42_class *class_, const struct k42_format *format) {
    const struct k42_transfer *transfer = class_->transfers;
    while (transfer->format && transfer->format != format)
        transfer++;
    return transfer->format != NULL;
}

static void a_swap_uses_the_cheapest_format_that_both_know(void **state) {
    const struct pair *pair = *state;
    cache_ref cache = make_cache(pair->from, PAGES, 0);
    const struct k42_format *cheapest =
        knows(pair->from, &cache_table) && knows(pair->to, &cache_table) ? &cache_table
                                                                         : &cache_pages;
    struct k42_swap_report report;
    assert_int_equal(k42_swap((k42_ref)cache, pair->to, &report), 0);
    assert_string_equal(report.format, cheapest->name);
    end_cache(cache);
}

/* ---- statements about the policy ---- */

static void uncontended_windows_change_nothing(void **state) {
    (void)state;
    struct policy policy = {0};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(policy_shared_window(&policy, 10000, 10), POLICY_STAY);
}

static void contention_that_lasts_partitions(void **state) {
    (void)state;
    struct policy policy = {0};
    for (int i = 1; i < POLICY_HOT; i++)
        assert_int_equal(policy_shared_window(&policy, 1000, POLICY_CONTENDED), POLICY_STAY);
    assert_int_equal(policy_shared_window(&policy, 1000, POLICY_CONTENDED), POLICY_PARTITION);
}

static void contention_now_and_then_changes_nothing(void **state) {
    (void)state;
    struct policy policy = {0};
    for (int i = 0; i < 1000; i++)
        assert_int_equal(policy_shared_window(&policy, 1000, i % POLICY_HOT ? 500 : 0),
                         POLICY_STAY);
}

static void advice_is_not_repeated_at_once(void **state) {
    (void)state;
    struct policy policy = {0};
    unsigned advised = 0;
    for (int i = 0; i < POLICY_PAUSE; i++)
        advised += policy_shared_window(&policy, 1000, 500) == POLICY_PARTITION;
    assert_int_equal(advised, 1);
}

static void one_cpu_alone_for_long_shares(void **state) {
    (void)state;
    struct policy policy = {.caller = 7};
    for (int i = 1; i < POLICY_PATIENCE; i++)
        assert_int_equal(policy_partitioned_window(&policy, 7), POLICY_STAY);
    assert_int_equal(policy_partitioned_window(&policy, 7), POLICY_SHARE);
}

static void two_cpus_in_turn_stay_partitioned(void **state) {
    (void)state;
    struct policy policy = {0};
    for (unsigned i = 0; i < 10 * POLICY_PATIENCE; i++)
        assert_int_equal(policy_partitioned_window(&policy, i / 100 % 2), POLICY_STAY);
}

static unsigned windows_until_shared(struct policy *policy) {
    unsigned windows = 1;
    policy_arrived(policy);
    while (policy_partitioned_window(policy, 7) != POLICY_SHARE)
        windows++;
    return windows;
}

static void going_back_takes_longer_each_time(void **state) {
    (void)state;
    struct policy policy = {.caller = 7};
    unsigned first = windows_until_shared(&policy);
    assert_int_equal(windows_until_shared(&policy), 2 * first);
    for (int i = 0; i < 10; i++)
        windows_until_shared(&policy);
    assert_int_equal(windows_until_shared(&policy), POLICY_PATIENCE_MAX);
}

static void a_long_calm_restores_the_first_patience(void **state) {
    (void)state;
    struct policy policy = {.caller = 7};
    unsigned first = windows_until_shared(&policy);
    windows_until_shared(&policy);
    policy_arrived(&policy);
    for (int i = 0; i < POLICY_CALM; i++)
        assert_int_equal(policy_shared_window(&policy, 1000, 0), POLICY_STAY);
    assert_int_equal(windows_until_shared(&policy), first);
}

/* ---- statements about a cache that acts on it ---- */

/* Every attached thread's hold counts, so this is what one caller alone does. */
static void a_partitioned_cache_with_one_caller_shares_itself(void **state) {
    (void)state;
    struct k42_class *partitioned, *shared;
    assert_int_equal(k42_select(&cache_interface, "sharing=high", &partitioned), 0);
    assert_int_equal(k42_select(&cache_interface, "sharing=low", &shared), 0);
    cache_ref cache = make_cache(partitioned, PAGES, 1);
    fill_pages(cache, PAGES);
    k42_enter();
    k42_result result = 0;
    for (uint64_t i = 0; i < (POLICY_PATIENCE + 2) * POLICY_WINDOW && result >= 0; i++) {
        const void *bytes;
        result = k42_call(cache, hold, i % PAGES, &bytes);
        if (result >= 0)
            result = k42_call(cache, release, i % PAGES);
        k42_safe_point();
    }
    k42_exit();
    assert_int_equal(result, 0);
    await_class(cache, shared->name);
    assert_int_equal(stats_of(cache).swaps, 1);
    end_cache(cache);
}

static int contending;

static void contend(cache_ref cache) {
    while (__atomic_load_n(&contending, __ATOMIC_RELAXED)) {
        k42_enter();
        for (uint64_t i = 0; i < 100; i++) {
            const void *bytes;
            if (k42_call(cache, hold, i % PAGES, &bytes) < 0 ||
                k42_call(cache, release, i % PAGES) < 0)
                abort();
            k42_safe_point();
        }
        k42_exit();
    }
}

static void a_shared_cache_under_contention_partitions_itself(void **state) {
    (void)state;
    struct k42_class *partitioned, *shared;
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
        skip(); /* nothing contends for long on one processor */
    assert_int_equal(k42_select(&cache_interface, "sharing=high", &partitioned), 0);
    assert_int_equal(k42_select(&cache_interface, "sharing=low", &shared), 0);
    cache_ref cache = make_cache(shared, PAGES, 1);
    struct helper helpers[THREADS];
    fill_pages(cache, PAGES);
    __atomic_store_n(&contending, 1, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++)
        start_helper(&helpers[i], cache, contend);
    await_class(cache, partitioned->name);
    __atomic_store_n(&contending, 0, __ATOMIC_RELAXED);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(helpers[i].thread, NULL), 0);
    assert_int_equal(stats_of(cache).held, 0);
    end_cache(cache);
}

/* ---- the list of tests ---- */

struct statement {
    const char *text;
    CMUnitTestFunction check;
};
#define STATEMENT(function)                                                                        \
    { #function, function }

static const struct statement about_classes[] = {
    STATEMENT(a_page_that_was_filled_reads_the_same_where_it_is_held),
    STATEMENT(a_page_that_is_not_there_is_missed),
    STATEMENT(filling_a_page_twice_is_refused),
    STATEMENT(filling_with_part_of_a_page_is_refused),
    STATEMENT(reading_stops_at_the_end_of_the_page),
    STATEMENT(a_held_page_cannot_be_invalidated),
    STATEMENT(an_invalidated_page_can_be_filled_again),
    STATEMENT(a_full_cache_makes_room_among_pages_not_held),
    STATEMENT(a_cache_full_of_held_pages_refuses_another),
    STATEMENT(a_page_not_used_leaves_before_those_used),
    STATEMENT(one_thread_may_release_what_another_held),
    STATEMENT(holds_of_many_threads_are_counted_exactly),
    STATEMENT(a_held_page_keeps_its_bytes_while_others_evict),
    STATEMENT(it_describes_itself_in_one_line),
    STATEMENT(a_cache_without_room_is_not_made),
};

static const struct statement about_swaps[] = {
    STATEMENT(pages_and_counters_survive_a_swap),
    STATEMENT(holds_survive_a_swap),
    STATEMENT(a_page_held_across_a_swap_keeps_its_bytes),
    STATEMENT(which_page_leaves_next_survives_a_swap),
    STATEMENT(no_hold_is_lost_or_doubled_while_it_swaps),
    STATEMENT(a_swap_uses_the_cheapest_format_that_both_know),
};

static const struct statement about_the_policy[] = {
    STATEMENT(uncontended_windows_change_nothing),
    STATEMENT(contention_that_lasts_partitions),
    STATEMENT(contention_now_and_then_changes_nothing),
    STATEMENT(advice_is_not_repeated_at_once),
    STATEMENT(one_cpu_alone_for_long_shares),
    STATEMENT(two_cpus_in_turn_stay_partitioned),
    STATEMENT(going_back_takes_longer_each_time),
    STATEMENT(a_long_calm_restores_the_first_patience),
    STATEMENT(a_partitioned_cache_with_one_caller_shares_itself),
    STATEMENT(a_shared_cache_under_contention_partitions_itself),
};

#define LENGTH(array) (sizeof(array) / sizeof(*(array)))
#define MOST_TESTS                                                                                 \
    (LENGTH(about_classes) * MOST_CLASSES + LENGTH(about_swaps) * MOST_CLASSES * MOST_CLASSES +    \
     LENGTH(about_the_policy))

static struct CMUnitTest tests[MOST_TESTS];
static char names[MOST_TESTS][160];
static struct pair pairs[MOST_CLASSES * MOST_CLASSES];
static size_t test_count;

static void add_test(const struct statement *statement, const char *subject, void *state) {
    snprintf(names[test_count], sizeof(names[test_count]), "%s: %s", subject, statement->text);
    tests[test_count] = (struct CMUnitTest){
        .name = names[test_count],
        .test_func = statement->check,
        .initial_state = state,
    };
    test_count++;
}

static void list_tests(void) {
    size_t pair_count = 0;
    for (unsigned i = 0; i < class_count; i++) {
        for (size_t j = 0; j < LENGTH(about_classes); j++)
            add_test(&about_classes[j], classes[i]->name, classes[i]);
    }
    for (unsigned i = 0; i < class_count * class_count; i++) {
        struct pair *pair = &pairs[pair_count++];
        char subject[100];
        *pair = (struct pair){classes[i / class_count], classes[i % class_count]};
        snprintf(subject, sizeof(subject), "%s to %s", pair->from->name, pair->to->name);
        for (size_t j = 0; j < LENGTH(about_swaps); j++)
            add_test(&about_swaps[j], subject, pair);
    }
    for (size_t j = 0; j < LENGTH(about_the_policy); j++)
        add_test(&about_the_policy[j], "the policy", NULL);
}

/* The runtime ends only if nothing was left behind. */
static int shut_down(void **state) {
    (void)state;
    return k42_detach() < 0 || k42_shutdown() < 0;
}

int main(void) {
    if (k42_init(NULL) < 0 || k42_attach("test") < 0)
        return 1;
    find_classes();
    if (class_count < 4) {
        fprintf(stderr, "two classes and their twins were expected, %u are there\n", class_count);
        return 1;
    }
    list_tests();
    return _cmocka_run_group_tests("search_cache", tests, test_count, NULL, shut_down);
}
