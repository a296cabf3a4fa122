/*
 * Bytes of a file read and written by call: where its end is, and what has not been written.
 */
#include "file_test.h"

static void a_file_begins_as_zeros_and_keeps_what_is_written(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(BYTES(3));
    assert_int_equal(file_word(fcm, BYTES(2)), 0);
    char text[5000], back[5000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    assert_int_equal(stage_write(fcm, 3000, text, sizeof text), sizeof text);
    assert_int_equal(stage_read(fcm, 3000, back, sizeof back), sizeof back);
    assert_memory_equal(text, back, sizeof text);
    assert_int_equal(file_word(fcm, 2992), 0);
    assert_int_equal(file_word(fcm, 8000), 0);
    file_end(fcm);
}

static void reading_stops_at_the_end(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(5000);
    char bytes[6000];
    assert_int_equal(stage_read(fcm, 4000, bytes, sizeof bytes), 1000);
    assert_int_equal(stage_read(fcm, 5000, bytes, sizeof bytes), 0);
    assert_int_equal(stage_read(fcm, ~0ul >> 1, bytes, sizeof bytes), 0);
    struct fcm_page page;
    assert_int_equal(CALL(fcm, get_page, 2, 0, &page), -ENXIO);
    file_end(fcm);
}

static void writing_moves_the_end_and_what_was_skipped_is_zero(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(0);
    uint64_t at, one = 1;
    struct copy copy = copy_of_kernel(&one, sizeof one);
    file_put_word(fcm, 100, 7);
    assert_int_equal(CALL(fcm, size), 108);
    assert_int_equal(CALL(fcm, write, FCM_APPEND, &copy, &at), sizeof one);
    assert_int_equal(at, 108);
    file_put_word(fcm, 10000, 8);
    assert_int_equal(CALL(fcm, size), 10008);
    assert_int_equal(file_word(fcm, 100), 7);
    assert_int_equal(file_word(fcm, 108), 1);
    assert_int_equal(file_word(fcm, 116), 0);
    assert_int_equal(file_word(fcm, 5000), 0);
    file_end(fcm);
}

static void no_file_is_longer_than_an_offset_can_say(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(0);
    assert_int_equal(CALL(fcm, resize, 1ul << 63), -EFBIG);
    assert_int_equal(CALL(fcm, resize, INT64_MAX), 0);
    char bytes[16] = {1};
    assert_int_equal(stage_write(fcm, INT64_MAX - 8, bytes, sizeof bytes), 8);
    assert_int_equal(stage_write(fcm, INT64_MAX, bytes, sizeof bytes), -EFBIG);
    assert_int_equal(stage_read(fcm, INT64_MAX - 8, bytes, sizeof bytes), 8);
    file_end(fcm);
}

static void a_copy_that_ends_early_moves_as_far_as_it_came(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(0);
    static char bytes[BYTES(2)], back[BYTES(2)];
    memset(bytes, 5, sizeof bytes);
    struct copy copy = copy_of_kernel(bytes, sizeof bytes);
    stage_copy_limit = 100;
    assert_int_equal(CALL(fcm, write, 8, &copy, NULL), 100);
    assert_int_equal(copy.left, sizeof bytes - 100);
    assert_int_equal(CALL(fcm, size), 108);
    /* A whole page that cannot be had in one piece is not seen half. */
    assert_int_equal(CALL(fcm, write, 108, &copy, NULL), sizeof bytes - 100);
    stage_copy_limit = 50;
    copy = copy_of_kernel(bytes, sizeof bytes);
    assert_int_equal(CALL(fcm, write, BYTES(3), &copy, NULL), sizeof bytes);
    stage_copy_limit = 50;
    assert_int_equal(stage_read(fcm, 8, back, sizeof back), 50);
    assert_int_equal(stage_read(fcm, 8, back, sizeof back), sizeof back);
    assert_memory_equal(bytes, back, sizeof back);
    assert_int_equal(stage_read(fcm, BYTES(3), back, sizeof back), sizeof back);
    assert_memory_equal(bytes, back, sizeof back);
    file_end(fcm);
}

static fcm_ref being_written;

/* Inside a write of a page behind the end, which the file does not reach yet. */
static void try_to_write_back(void) {
    for (unsigned round = 0; round < 4; round++)
        assert_int_equal(k42_call(being_written, give_back, 100), 0);
    assert_int_equal(file_medium.writes, 0);
}

static void a_page_is_not_written_back_before_the_file_reaches_it(void **state) {
    (void)state;
    static uint64_t page[512];
    page[0] = page[511] = 9;
    for (unsigned part = 0; part < 2; part++) {
        being_written = file_make_on_medium(0);
        stage_copying = try_to_write_back;
        assert_int_equal(stage_write(being_written, BYTES(1) + 8 * part, page, BYTES(1) - 8 * part),
                         BYTES(1) - 8 * part);
        for (unsigned round = 0; round < 4; round++)
            assert_true(CALL(being_written, give_back, 100) >= 0);
        assert_int_equal(file_word(being_written, BYTES(1) + 8 * part), 9);
        file_end(being_written);
        file_medium.writes = 0;
    }
}

/* Inside a write that moves the end: in the middle of its copy. */
static void try_to_move_the_end(void) {
    uint64_t word = 5;
    struct copy copy = copy_of_kernel(&word, sizeof word);
    struct fcm_page page;
    assert_int_equal(k42_call(being_written, write, FCM_APPEND, &copy, NULL), -K42_WAIT);
    assert_int_equal(k42_call(being_written, resize, 1), -K42_WAIT);
    assert_int_equal(k42_call(being_written, punch, 0, 10), -K42_WAIT);
    assert_int_equal(k42_call(being_written, size), 100);
    assert_int_equal(k42_call(being_written, get_page, 0, 0, &page), 0);
    assert_int_equal(k42_call(being_written, put_page, 0), 0);
}

static void one_writer_at_a_time_moves_the_end(void **state) {
    (void)state;
    being_written = file_make_in_memory(100);
    stage_copying = try_to_move_the_end;
    file_put_word(being_written, 100, 6);
    assert_null(stage_copying);
    assert_int_equal(CALL(being_written, size), 108);
    assert_int_equal(file_word(being_written, 100), 6);
    file_end(being_written);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_begins_as_zeros_and_keeps_what_is_written),
        FILE_TEST(reading_stops_at_the_end),
        FILE_TEST(writing_moves_the_end_and_what_was_skipped_is_zero),
        FILE_TEST(no_file_is_longer_than_an_offset_can_say),
        FILE_TEST(a_copy_that_ends_early_moves_as_far_as_it_came),
        FILE_TEST(a_page_is_not_written_back_before_the_file_reaches_it),
        FILE_TEST(one_writer_at_a_time_moves_the_end),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
