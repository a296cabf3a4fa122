/*
 * Reading a file in order: what is asked of the medium and when, what stays in memory, and what is
 * counted of it.
 */
#include "file_test.h"

enum { PAGES = 400, AT_ONCE = 8 };

static struct fcm_counts counts_of(fcm_ref fcm) {
    struct fcm_counts counts;
    assert_int_equal(CALL(fcm, counts, &counts), 0);
    return counts;
}

/* A file with a word in each page, on the medium and nowhere else. */
static fcm_ref make_written(struct k42_class *class_) {
    file_class = &fcm_shared;
    fcm_ref before = file_make_on_medium(0);
    for (uint64_t page = 0; page < PAGES; page++)
        file_put_word(before, BYTES(page), page + 1);
    assert_int_equal(CALL(before, sync, 0, PAGES, 0), 0);
    assert_int_equal(k42_destroy((k42_ref)before), 0);
    file_class = class_;
    file_medium.late = true;
    file_medium.fills = file_medium.runs = 0;
    return file_make_on_medium(BYTES(PAGES - 1) + 100);
}

/* Calls of AT_ONCE pages, as a program makes them that copies the file. */
static void read_pages(fcm_ref fcm, uint64_t first, uint64_t end) {
    static uint64_t bytes[AT_ONCE * FRAME_BYTES / 8];
    while (first < end) {
        struct copy copy = copy_of_kernel(bytes, sizeof bytes);
        uint64_t offset = BYTES(first), got = 0;
        k42_result result;
        do {
            result = CALL(fcm, read, offset + got, &copy);
            got += result > 0 ? (uint64_t)result : 0;
        } while (result > 0 && copy.left);
        assert_true(result >= 0);
        for (uint64_t i = 0; i * FRAME_BYTES < got; i++)
            assert_int_equal(bytes[i * FRAME_BYTES / 8], first + i + 1);
        first += AT_ONCE;
    }
}

static void a_file_read_in_order_passes_through_a_few_pages(void **state) {
    (void)state;
    fcm_ref fcm = make_written(&fcm_stream);
    uint64_t most = 0;
    for (uint64_t page = 0; page < PAGES; page += AT_ONCE) {
        read_pages(fcm, page, page + AT_ONCE);
        uint64_t frames = file_usage(fcm).frames;
        most = frames > most ? frames : most;
    }
    assert_int_equal(file_word(fcm, BYTES(PAGES - 1)), PAGES);
    struct fcm_counts counts = counts_of(fcm);
    assert_int_equal(file_medium.fills, PAGES);
    assert_true(most < 200);
    assert_true(counts.evicted > PAGES - 3 * AT_ONCE);
    /* Long requests, and nobody who waits for each. */
    assert_true(counts.requests <= 2 * PAGES / FR_RUN_PAGES);
    assert_true(counts.ahead >= PAGES - AT_ONCE);
    assert_true(counts.misses <= AT_ONCE);
    file_end(fcm);
}

static void the_next_pages_are_on_their_way_before_they_are_wanted(void **state) {
    (void)state;
    fcm_ref fcm = make_written(&fcm_stream);
    medium_set_by_hand(&file_medium, true);
    static uint64_t bytes[FRAME_BYTES / 8];
    for (uint64_t page = 0; page < PAGES / 2; page++) {
        struct copy copy = copy_of_kernel(bytes, sizeof bytes);
        k42_result result = TRY(fcm, read, BYTES(page), &copy);
        if (result == -K42_WAIT) {
            /* The first only: all others were asked for at a time when others were read. */
            assert_int_equal(page, 0);
            assert_true(medium_answer(&file_medium) > 1);
            result = TRY(fcm, read, BYTES(page), &copy);
        }
        assert_int_equal(result, FRAME_BYTES);
        assert_int_equal(bytes[0], page + 1);
        (void)medium_answer(&file_medium);
    }
    assert_int_equal(counts_of(fcm).waits, 1);
    medium_set_by_hand(&file_medium, false);
    file_end(fcm);
}

static void who_jumps_gets_what_he_wants_and_no_more(void **state) {
    (void)state;
    fcm_ref fcm = make_written(&fcm_stream);
    uint64_t pages = 0;
    for (uint64_t i = 1; i < 40; i++, pages++)
        assert_int_equal(file_word(fcm, BYTES(i * 157 % PAGES)), i * 157 % PAGES + 1);
    assert_int_equal(file_medium.fills, pages);
    assert_int_equal(file_usage(fcm).present, pages);
    assert_int_equal(counts_of(fcm).in_order, 0);
    file_end(fcm);
}

static void what_another_reader_will_want_stays(void **state) {
    (void)state;
    fcm_ref fcm = make_written(&fcm_stream);
    uint64_t second = 2 * AT_ONCE;
    read_pages(fcm, 0, second);
    for (uint64_t first = 64; first + AT_ONCE < PAGES; first += AT_ONCE) {
        read_pages(fcm, first, first + AT_ONCE);
        read_pages(fcm, second, second + AT_ONCE);
        second += AT_ONCE;
    }
    /* Each page was brought once, though one reader came by long after the other. */
    assert_true(file_medium.fills <= PAGES);
    assert_true(second > 200);
    file_end(fcm);
}

static void pages_that_are_mapped_held_or_dirty_stay_behind_a_reader(void **state) {
    (void)state;
    fcm_ref fcm = make_written(&fcm_stream);
    struct space space;
    struct fcm_page page;
    uint64_t value;
    space_open(&space, fcm);
    assert_int_equal(space_load(&space, BYTES(3), &value), 0);
    assert_int_equal(CALL(fcm, get_page, 5, 0, &page), 0);
    file_put_word(fcm, BYTES(7) + 8, 77);
    read_pages(fcm, 0, 10 * AT_ONCE);
    assert_int_equal(space_mapped(&space), 1);
    assert_int_equal(file_usage(fcm).held, 1);
    assert_int_equal(file_usage(fcm).dirty, 1);
    assert_int_equal(CALL(fcm, put_page, 5), 0);
    assert_int_equal(file_word(fcm, BYTES(7) + 8), 77);
    space_close(&space);
    file_end(fcm);
}

static void a_medium_that_refuses_delays_and_loses_nothing(void **state) {
    (void)state;
    fcm_ref fcm = make_written(&fcm_stream);
    for (uint64_t page = 0; page < PAGES; page += AT_ONCE) {
        file_medium.refuse = page % 3;
        read_pages(fcm, page, page + AT_ONCE);
    }
    file_medium.refuse = 0;
    assert_int_equal(file_usage(fcm).in_transit, 0);
    file_end(fcm);
}

static void ways_of_reading_can_be_told_by_the_counts(void **state) {
    (void)state;
    fcm_ref in_order = make_written(&fcm_shared);
    read_pages(in_order, 0, PAGES);
    struct fcm_counts counts = counts_of(in_order);
    assert_true(counts.in_order * 4 >= counts.misses * 3);
    assert_true(counts.ahead > 4 * counts.misses);
    file_end(in_order);
    fcm_ref at_random = make_written(&fcm_shared);
    for (uint64_t i = 1; i < 40; i++)
        assert_int_equal(file_word(at_random, BYTES(i * 157 % PAGES)), i * 157 % PAGES + 1);
    counts = counts_of(at_random);
    assert_int_equal(counts.misses, 39);
    assert_true(counts.in_order <= 1);
    file_end(at_random);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_read_in_order_passes_through_a_few_pages),
        FILE_TEST(the_next_pages_are_on_their_way_before_they_are_wanted),
        FILE_TEST(who_jumps_gets_what_he_wants_and_no_more),
        FILE_TEST(what_another_reader_will_want_stays),
        FILE_TEST(pages_that_are_mapped_held_or_dirty_stay_behind_a_reader),
        FILE_TEST(a_medium_that_refuses_delays_and_loses_nothing),
        FILE_TEST(ways_of_reading_can_be_told_by_the_counts),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
