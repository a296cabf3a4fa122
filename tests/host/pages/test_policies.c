/*
 * Replacement policies. Each is compared, hit for hit, with a plain model of the rules it is known
 * by, written down with arrays that are searched; then as a PM over files on a medium.
 */
#include "file_test.h"

#include "../../../kernel/mem/pm/body.h"

#include <stdio.h>
#include <string.h>

#define PAGES 512u

/* ---- models ---- */

/* A list of pages, oldest first. */
struct row {
    unsigned count, pages[PAGES];
};

static bool row_has(const struct row *row, unsigned page) {
    for (unsigned i = 0; i < row->count; i++)
        if (row->pages[i] == page)
            return true;
    return false;
}

static void row_put(struct row *row, unsigned page) {
    row->pages[row->count++] = page;
}

static void row_remove(struct row *row, unsigned page) {
    unsigned kept = 0;
    for (unsigned i = 0; i < row->count; i++)
        if (row->pages[i] != page)
            row->pages[kept++] = row->pages[i];
    row->count = kept;
}

static unsigned row_shift(struct row *row) {
    unsigned page = row->pages[0];
    row_remove(row, page);
    return page;
}

static struct {
    unsigned room, target;
    bool used[PAGES];
    struct row a, b, gone_a, gone_b;
} model;

static void clock_miss(unsigned page) {
    while (model.a.count == model.room) {
        unsigned oldest = row_shift(&model.a);
        if (model.used[oldest])
            row_put(&model.a, oldest);
        model.used[oldest] = false;
    }
    row_put(&model.a, page);
}

static void mru_miss(unsigned page) {
    if (model.a.count == model.room)
        model.a.count--;
    row_put(&model.a, page);
}

static void two_queues_free_one(void) {
    unsigned most = model.room / 4 ? model.room / 4 : 1;
    if (model.a.count > most || !model.b.count) {
        row_put(&model.gone_a, row_shift(&model.a));
        if (model.gone_a.count > model.room / 2)
            (void)row_shift(&model.gone_a);
        return;
    }
    unsigned oldest = row_shift(&model.b);
    for (; model.used[oldest]; oldest = row_shift(&model.b)) {
        model.used[oldest] = false;
        row_put(&model.b, oldest);
    }
}

static void two_queues_miss(unsigned page) {
    if (model.a.count + model.b.count == model.room)
        two_queues_free_one();
    bool known = row_has(&model.gone_a, page);
    row_remove(&model.gone_a, page);
    row_put(known ? &model.b : &model.a, page);
}

/* Clock with adaptive replacement, as published. */
static void arc_free_one(void) {
    for (;;) {
        bool new = model.a.count >= (model.target ? model.target : 1) || !model.b.count;
        unsigned oldest = row_shift(new ? &model.a : &model.b);
        if (!model.used[oldest]) {
            row_put(new ? &model.gone_a : &model.gone_b, oldest);
            return;
        }
        model.used[oldest] = false;
        row_put(&model.b, oldest);
    }
}

static unsigned ratio(unsigned other, unsigned own) {
    return own && other > own ? other / own : 1;
}

static void arc_miss(unsigned page) {
    bool left_a = row_has(&model.gone_a, page), left_b = row_has(&model.gone_b, page);
    if (model.a.count + model.b.count == model.room) {
        arc_free_one();
        if (model.a.count + model.gone_a.count > model.room)
            (void)row_shift(&model.gone_a);
    }
    unsigned step_a = ratio(model.gone_b.count, model.gone_a.count);
    unsigned step_b = ratio(model.gone_a.count, model.gone_b.count);
    row_remove(&model.gone_a, page);
    row_remove(&model.gone_b, page);
    if (left_a)
        model.target = model.target + step_a < model.room ? model.target + step_a : model.room;
    if (left_b)
        model.target = model.target > step_b ? model.target - step_b : 0;
    row_put(left_a || left_b ? &model.b : &model.a, page);
    if (model.a.count + model.gone_a.count > model.room)
        (void)row_shift(&model.gone_a);
    if (model.a.count + model.b.count + model.gone_a.count + model.gone_b.count > 2 * model.room)
        (void)row_shift(&model.gone_b);
}

/* ---- the policies ---- */

static bool used[PAGES];

/* As an FCM answers that has nothing held, dirty or fresh. */
static bool goes(const struct order_policy *policy, unsigned page, enum order_list from) {
    bool may = !used[page] || (from == ORDER_NEW && policy->new_flags & FCM_LEAVE_USED);
    used[page] = false;
    return may;
}

static void free_one(struct order *order, const struct order_policy *policy) {
    if (policy->begin)
        policy->begin(order);
    for (;;) {
        struct order_page *page = policy->candidate(order);
        assert_non_null(page);
        enum order_list from = page->list;
        order_take(order, page);
        if (goes(policy, (unsigned)page->index, from)) {
            policy->goes(order, page, from);
            return;
        }
        policy->stays(order, page, from, ORDER_USED);
    }
}

static void miss(struct order *order, const struct order_policy *policy, unsigned page) {
    if (order_present(order) == order->room)
        free_one(order, policy);
    struct order_page *found = order_find(order, 1, page);
    enum order_list from = found ? found->list : ORDER_NONE;
    if (found)
        order_take(order, found);
    else
        found = order_add(order, 1, page);
    policy->came(order, found, from);
}

static bool is_present(const struct order *order, unsigned page) {
    const struct order_page *found = order_find(order, 1, page);
    return found && found->list <= ORDER_OFTEN;
}

/* ---- traces ---- */

static uint64_t seed;

static unsigned below(unsigned limit) {
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (unsigned)(seed >> 33) % limit;
}

/* Often small numbers: about as many for each doubling. */
static unsigned skewed(unsigned limit) {
    return below(below(below(limit) + 1) + 1);
}

static unsigned loop_trace(unsigned at) {
    return at % 128;
}
static unsigned skewed_trace(unsigned at) {
    (void)at;
    return skewed(PAGES);
}
static unsigned mixed_trace(unsigned at) {
    return at / 300 % 2 ? at % PAGES : skewed(96);
}
static unsigned random_trace(unsigned at) {
    (void)at;
    return below(200);
}
static unsigned (*const traces[])(unsigned at) = {loop_trace, skewed_trace, mixed_trace,
                                                  random_trace};
enum { LOOP, SKEWED, MIXED, RANDOM, TRACES };

struct rival {
    const char *name;
    const struct order_policy *policy;
    void (*miss)(unsigned page);
};
static const struct rival rivals[] = {{"clock", &pm_clock_policy, clock_miss},
                                      {"2q", &pm_2q_policy, two_queues_miss},
                                      {"arc", &pm_arc_policy, arc_miss},
                                      {"mru", &pm_mru_policy, mru_miss}};
enum { CLOCK, TWO_QUEUES, ARC, MRU, RIVALS };

static unsigned run(const struct rival *rival, unsigned trace, unsigned room, unsigned length) {
    struct order order = {.room = room};
    unsigned hits = 0;
    memset(&model, 0, sizeof model);
    memset(used, 0, sizeof used);
    model.room = room;
    seed = trace + room;
    for (unsigned at = 0; at < length; at++) {
        unsigned page = traces[trace](at);
        bool expected = row_has(&model.a, page) || row_has(&model.b, page);
        if (is_present(&order, page) != expected)
            fail_msg("%s, trace %u, room %u: access %u of page %u", rival->name, trace, room, at,
                     page);
        if (expected) {
            model.used[page] = used[page] = true;
            hits++;
        } else {
            model.used[page] = used[page] = false;
            rival->miss(page);
            miss(&order, rival->policy, page);
        }
        assert_true(order.records <= 2 * room + 2);
    }
    order_end(&order);
    return hits;
}

static void policies_do_what_their_rules_say_hit_for_hit(void **state) {
    (void)state;
    static const unsigned rooms[] = {1, 2, 3, 7, 16, 64, 100, 127};
    for (unsigned r = 0; r < RIVALS; r++)
        for (unsigned trace = 0; trace < TRACES; trace++)
            for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++)
                run(&rivals[r], trace, rooms[i], 4000);
}

static void each_trace_has_a_policy_that_is_best_for_it(void **state) {
    (void)state;
    unsigned hits[RIVALS][TRACES];
    for (unsigned r = 0; r < RIVALS; r++)
        for (unsigned trace = 0; trace < TRACES; trace++)
            hits[r][trace] = run(&rivals[r], trace, 64, 20000);
    assert_true(hits[MRU][LOOP] > 9000);
    assert_true(hits[CLOCK][LOOP] < 100);
    assert_true(hits[ARC][SKEWED] > hits[CLOCK][SKEWED]);
    assert_true(hits[ARC][MIXED] > hits[CLOCK][MIXED]);
    assert_true(hits[TWO_QUEUES][MIXED] > hits[CLOCK][MIXED]);
}

static void one_policy_goes_on_with_what_another_has(void **state) {
    (void)state;
    struct order order = {.room = 100};
    seed = 5;
    memset(used, 0, sizeof used);
    for (unsigned at = 0; at < 20000; at++) {
        const struct order_policy *policy = rivals[at / 700 % RIVALS].policy;
        unsigned page = skewed(PAGES);
        if (is_present(&order, page))
            used[page] = true;
        else
            miss(&order, policy, page);
        assert_true(order_present(&order) <= 100);
        assert_true(order.records <= 202);
    }
    order_end(&order);
}

static void a_large_table_finds_every_record(void **state) {
    (void)state;
    struct order order = {.room = 0};
    for (uint64_t i = 0; i < 100000; i++)
        order_put(&order, order_add(&order, (k42_id)(i % 7), i * 64), ORDER_NEW);
    for (uint64_t i = 0; i < 100000; i++) {
        struct order_page *page = order_find(&order, (k42_id)(i % 7), i * 64);
        assert_non_null(page);
        assert_null(order_find(&order, (k42_id)(i % 7 + 1), i * 64));
        if (i % 3 == 0)
            order_forget(&order, page);
    }
    assert_int_equal(order_count(&order, ORDER_NEW), order.records);
    assert_true(order.chains >= 100000);
    order_end(&order);
}

/* ---- as PMs ---- */

static struct k42_class *const classes[] = {&pm_turns, &pm_clock, &pm_2q, &pm_arc, &pm_mru};
enum { CLASSES = sizeof classes / sizeof *classes };

static pm_ref pm_of(struct k42_class *class_, uint64_t limit) {
    pm_ref pm;
    k42_enter();
    assert_int_equal(pm_create(class_, limit, &pm), 0);
    k42_exit();
    return pm;
}

static void every_policy_keeps_a_file_within_its_limit(void **state) {
    (void)state;
    file_medium.late = true;
    for (unsigned i = 0; i < CLASSES; i++) {
        pm_ref pm = pm_of(classes[i], 40);
        fcm_ref fcm = file_make(pm, &file_medium, 0);
        struct pm_usage usage;
        struct pm_pages pages;
        for (unsigned page = 0; page < 200; page++)
            file_put_word(fcm, BYTES(page), page + 1);
        for (unsigned page = 0; page < 200; page++)
            assert_int_equal(file_word(fcm, BYTES(page)), page + 1);
        assert_int_equal(CALL(pm, usage, &usage), 0);
        assert_int_equal(CALL(pm, pages, &pages), 0);
        assert_in_range(usage.peak, 30, 40);
        assert_true(usage.given_back >= 160);
        if (i) {
            assert_int_equal(pages.present, file_usage(fcm).present);
            assert_true(pages.left >= 160);
        }
        file_end(fcm);
        assert_int_equal(k42_defer_flush(), 0);
        assert_int_equal(CALL(pm, pages, &pages), 0);
        assert_int_equal(pages.present, 0);
        assert_int_equal(k42_destroy((k42_ref)pm), 0);
    }
}

static void a_policy_that_takes_over_learns_of_pages_that_came_before(void **state) {
    (void)state;
    file_medium.late = true;
    pm_ref pm = pm_of(&pm_turns, 50);
    fcm_ref fcm = file_make(pm, &file_medium, BYTES(200));
    for (unsigned round = 1; round <= 2 * CLASSES; round++) {
        for (unsigned page = 0; page < 120; page++)
            file_put_word(fcm, BYTES(page), page + round);
        file_swap((k42_ref)pm, classes[round % CLASSES], 0);
        for (unsigned page = 0; page < 120; page++)
            assert_int_equal(file_word(fcm, BYTES(page)), page + round);
    }
    file_end(fcm);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(k42_destroy((k42_ref)pm), 0);
}

static void a_file_gets_a_policy_of_its_own_while_it_is_used(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(100));
    for (unsigned page = 0; page < 100; page++)
        file_put_word(fcm, BYTES(page), page + 1);
    pm_ref pm = pm_of(&pm_arc, 30);
    struct pm_usage usage;
    struct pm_pages pages;
    assert_int_equal(CALL(fcm, manage, (k42_ref)pm), 0);
    assert_int_equal(CALL(pm, end_when_unused), 0);
    assert_int_equal(CALL(fcm, manage, (k42_ref)pm), 0);
    assert_int_equal(CALL(pm, pages, &pages), 0);
    assert_int_equal(pages.present, 100);
    assert_int_equal(CALL(pm, usage, &usage), 0);
    assert_int_equal(usage.used, 100);
    for (unsigned round = 0; round < 8; round++)
        (void)CALL(fcm, give_back, 100);
    for (unsigned page = 0; page < 100; page++)
        assert_int_equal(file_word(fcm, BYTES(page)), page + 1);
    assert_int_equal(CALL(pm, usage, &usage), 0);
    assert_in_range(usage.used, 20, 30);
    file_end(fcm);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(TRY(pm, usage, &usage), -K42_STALE);
}

static void a_policy_whose_file_gets_another_one_has_nothing_left_on_its_bill(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(100));
    pm_ref first = pm_of(&pm_clock, 50), second = pm_of(&pm_2q, 50);
    struct pm_usage usage;
    assert_int_equal(CALL(fcm, manage, (k42_ref)first), 0);
    assert_int_equal(CALL(first, end_when_unused), 0);
    for (unsigned page = 0; page < 40; page++)
        file_put_word(fcm, BYTES(page), page + 1);
    assert_int_equal(CALL(first, usage, &usage), 0);
    assert_in_range(usage.used, 40, 50); /* what is read ahead counts as well */
    uint64_t all = usage.used;
    assert_int_equal(CALL(fcm, manage, (k42_ref)second), 0);
    assert_int_equal(CALL(second, usage, &usage), 0);
    assert_int_equal(usage.used, all);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(TRY(first, usage, &usage), -K42_STALE);
    file_end(fcm);
    assert_int_equal(CALL(second, usage, &usage), 0);
    assert_int_equal(usage.used, 0);
    assert_int_equal(k42_destroy((k42_ref)second), 0);
}

/* ---- pages that others bring ---- */

static uint64_t frame_of(pm_ref pm) {
    k42_enter();
    struct k42_pair taken = k42_call(pm, take, 0, PM_ZERO);
    k42_exit();
    assert_int_equal(taken.result, 0);
    frame_at(taken.word)->user[0] = k42_id_of(pm);
    return taken.word;
}

static void a_page_that_others_bring_is_waited_for_written_and_read_again(void **state) {
    (void)state;
    file_medium.late = true;
    file_medium.by_hand = true;
    fcm_ref fcm = file_make_on_medium(BYTES(10));
    struct fcm_page page;
    assert_int_equal(TRY(fcm, expect, 3), 0);
    assert_int_equal(TRY(fcm, expect, 3), -EEXIST);
    assert_int_equal(TRY(fcm, get_page, 3, 0, &page), -K42_WAIT);
    uint64_t physical = frame_of(pm_machine);
    *(uint64_t *)machine_memory(physical) = 77;
    assert_int_equal(TRY(fcm, adopt, 3, physical), 0);
    assert_int_equal(TRY(fcm, adopt, 3, physical), -EINVAL);
    assert_int_equal(TRY(fcm, get_page, 3, 0, &page), 0);
    assert_int_equal(page.physical, physical);
    assert_int_equal(TRY(fcm, leave, 3, FCM_LEAVE_USED), -EBUSY);
    assert_int_equal(TRY(fcm, put_page, 3), 0);
    assert_int_equal(TRY(fcm, leave, 3, FCM_LEAVE_USED), -EBUSY);
    assert_int_equal(medium_answer(&file_medium), 1);
    assert_int_equal(TRY(fcm, leave, 3, FCM_LEAVE_USED), FCM_HAS_LEFT);
    assert_int_equal(TRY(fcm, leave, 3, FCM_LEAVE_USED), -ENOENT);
    assert_int_equal(medium_word(&file_medium, 3, 0), 77);
    medium_set_by_hand(&file_medium, false);
    assert_int_equal(file_word(fcm, BYTES(3)), 77);
    file_end(fcm);
}

static void a_page_that_others_do_not_bring_is_absent_again(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(10));
    file_put_word(fcm, BYTES(3), 5);
    assert_int_equal(TRY(fcm, expect, 10), -ENXIO);
    assert_int_equal(TRY(fcm, expect, 3), -EEXIST);
    assert_int_equal(CALL(fcm, sync, 0, 10, 0), 0);
    assert_int_equal(TRY(fcm, leave, 3, FCM_LEAVE_USED | FCM_LEAVE_UNUSED), FCM_HAS_LEFT);
    assert_int_equal(TRY(fcm, expect, 3), 0);
    assert_int_equal(TRY(fcm, adopt, 3, 0), 0);
    assert_int_equal(file_word(fcm, BYTES(3)), 5);
    file_end(fcm);
}

static void what_was_changed_can_be_forgotten(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(10));
    file_put_word(fcm, BYTES(3), 5);
    assert_int_equal(CALL(fcm, sync, 0, 10, 0), 0);
    uint32_t writes = file_medium.writes;
    file_put_word(fcm, BYTES(3), 6);
    assert_int_equal(TRY(fcm, leave, 3, FCM_LEAVE_USED | FCM_LEAVE_UNUSED | FCM_LEAVE_DIRTY),
                     FCM_HAS_LEFT);
    assert_int_equal(file_medium.writes, writes);
    assert_int_equal(file_word(fcm, BYTES(3)), 5);
    file_end(fcm);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_do_what_their_rules_say_hit_for_hit),
        cmocka_unit_test(each_trace_has_a_policy_that_is_best_for_it),
        cmocka_unit_test(one_policy_goes_on_with_what_another_has),
        cmocka_unit_test(a_large_table_finds_every_record),
        FILE_TEST(every_policy_keeps_a_file_within_its_limit),
        FILE_TEST(a_policy_that_takes_over_learns_of_pages_that_came_before),
        FILE_TEST(a_file_gets_a_policy_of_its_own_while_it_is_used),
        FILE_TEST(a_policy_whose_file_gets_another_one_has_nothing_left_on_its_bill),
        FILE_TEST(a_page_that_others_bring_is_waited_for_written_and_read_again),
        FILE_TEST(a_page_that_others_do_not_bring_is_absent_again),
        FILE_TEST(what_was_changed_can_be_forgotten),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
