/*
 * A small file as its bytes: when it becomes that, what it takes, and what ends it.
 */
#include "file_test.h"

/* A file whose words are their own offsets, on the medium and nowhere else. */
static fcm_ref make_written(uint64_t size) {
    file_class = &fcm_shared;
    fcm_ref before = file_make_on_medium(0);
    for (uint64_t at = 0; at + 8 <= size; at += 8)
        file_put_word(before, at, at);
    assert_int_equal(CALL(before, sync, 0, ~0ul, 0), 0);
    assert_int_equal(k42_destroy((k42_ref)before), 0);
    file_class = &fcm_small;
    file_medium.late = true;
    file_medium.fills = file_medium.runs = 0;
    return file_make_on_medium(size);
}

/* How many bytes a read of everything gives; its words are their offsets. */
static uint64_t read_all(fcm_ref fcm) {
    static uint64_t words[BYTES(20) / 8];
    struct copy copy = copy_of_kernel(words, sizeof words);
    uint64_t got = 0;
    for (k42_result result; (result = CALL(fcm, read, got, &copy)) > 0;)
        got += (uint64_t)result;
    for (uint64_t i = 0; i < got / 8; i++)
        assert_int_equal(words[i], i * 8);
    return got;
}

static void a_file_that_was_read_is_its_bytes_and_no_pages(void **state) {
    (void)state;
    static const uint64_t sizes[] = {8, 320, 4096, 8000, BYTES(16)};
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        uint64_t before = stage_frames_used(), pages = (sizes[i] + FRAME_BYTES - 1) / FRAME_BYTES;
        fcm_ref fcm = make_written(sizes[i]);
        assert_int_equal(read_all(fcm), sizes[i]);
        assert_int_equal(file_medium.fills, pages);
        assert_int_equal(file_medium.runs, pages > 1);
        assert_int_equal(file_usage(fcm).present, 0);
        assert_int_equal(stage_frames_used(), before);
        assert_int_equal(read_all(fcm), sizes[i]);
        assert_int_equal(file_word(fcm, sizes[i] - 8), sizes[i] - 8);
        assert_int_equal(file_medium.fills, pages);
        file_end(fcm);
    }
}

static void a_file_that_would_take_more_stays_in_pages(void **state) {
    (void)state;
    fcm_ref fcm = make_written(BYTES(3));
    assert_int_equal(read_all(fcm), BYTES(3));
    assert_int_equal(file_usage(fcm).present, 3);
    file_end(fcm);
    fcm = make_written(BYTES(18));
    assert_int_equal(read_all(fcm), BYTES(18));
    assert_int_equal(file_usage(fcm).present, 18);
    file_end(fcm);
}

static void whatever_changes_the_file_is_seen_by_the_next_read(void **state) {
    (void)state;
    fcm_ref fcm = make_written(BYTES(2));
    assert_int_equal(read_all(fcm), BYTES(2));
    file_put_word(fcm, 800, 1);
    assert_int_equal(file_word(fcm, 800), 1);
    file_put_word(fcm, 800, 800);
    assert_int_equal(CALL(fcm, sync, 0, 2, 0), 0);
    assert_int_equal(read_all(fcm), BYTES(2));
    assert_int_equal(file_usage(fcm).present, 0);
    assert_int_equal(CALL(fcm, resize, 4000), 0);
    assert_int_equal(read_all(fcm), 4000);
    assert_int_equal(file_usage(fcm).present, 0);
    assert_int_equal(CALL(fcm, resize, BYTES(1)), 0);
    assert_int_equal(file_word(fcm, 4000), 0);
    assert_int_equal(CALL(fcm, punch, 0, 16), 0);
    assert_int_equal(file_word(fcm, 8), 0);
    file_put_word(fcm, 8, 8);
    assert_int_equal(CALL(fcm, sync, 0, 2, 0), 0);
    assert_int_equal(file_word(fcm, BYTES(1) - 8), 0);
    assert_int_equal(file_usage(fcm).present, 0);
    /* Others' changes, too. */
    fcm_ref other = file_make_on_medium(BYTES(1));
    file_put_word(other, 24, 77);
    assert_int_equal(CALL(other, sync, 0, 2, 0), 0);
    assert_int_equal(CALL(fcm, renew, BYTES(1)), 0);
    assert_int_equal(file_word(fcm, 24), 77);
    file_end(other);
    file_end(fcm);
}

static void a_program_that_maps_it_has_pages_and_readers_see_what_it_stores(void **state) {
    (void)state;
    fcm_ref fcm = make_written(BYTES(2));
    struct space space;
    uint64_t value;
    assert_int_equal(read_all(fcm), BYTES(2));
    space_open(&space, fcm);
    assert_int_equal(space_load(&space, BYTES(1), &value), 0);
    assert_int_equal(value, BYTES(1));
    for (uint64_t round = 1; round < 4; round++) {
        assert_int_equal(space_store(&space, 16, round), 0);
        assert_int_equal(file_word(fcm, 16), round);
        assert_int_equal(CALL(fcm, sync, 0, 2, 0), 0);
        assert_int_equal(file_word(fcm, BYTES(2) - 8), BYTES(2) - 8);
    }
    assert_int_equal(space_store(&space, 16, 16), 0);
    assert_int_equal(CALL(fcm, sync, 0, 2, 0), 0);
    space_close(&space);
    assert_int_equal(read_all(fcm), BYTES(2));
    file_end(fcm);
}

static void the_bytes_go_when_memory_is_short_and_not_at_once(void **state) {
    (void)state;
    fcm_ref fcm = make_written(BYTES(2));
    assert_int_equal(read_all(fcm), BYTES(2));
    assert_int_equal(read_all(fcm), BYTES(2));
    assert_int_equal(file_usage(fcm).frames, 2);
    assert_int_equal(CALL(fcm, give_back, 8), 0);
    assert_int_equal(CALL(fcm, give_back, 8), 2);
    assert_int_equal(file_usage(fcm).frames, 0);
    assert_int_equal(read_all(fcm), BYTES(2));
    assert_int_equal(file_medium.fills, 4);
    file_end(fcm);
}

static void bytes_are_left_behind_by_a_swap_and_nothing_is_lost(void **state) {
    (void)state;
    for (unsigned i = 0; i < STAGE_CLASSES; i++) {
        fcm_ref fcm = make_written(BYTES(2));
        assert_int_equal(read_all(fcm), BYTES(2));
        file_swap((k42_ref)fcm, stage_classes[i], 0);
        assert_int_equal(read_all(fcm), BYTES(2));
        file_put_word(fcm, 0, 9);
        file_swap((k42_ref)fcm, &fcm_small, 0);
        assert_int_equal(file_word(fcm, 0), 9);
        file_end(fcm);
    }
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_that_was_read_is_its_bytes_and_no_pages),
        FILE_TEST(a_file_that_would_take_more_stays_in_pages),
        FILE_TEST(whatever_changes_the_file_is_seen_by_the_next_read),
        FILE_TEST(a_program_that_maps_it_has_pages_and_readers_see_what_it_stores),
        FILE_TEST(the_bytes_go_when_memory_is_short_and_not_at_once),
        FILE_TEST(bytes_are_left_behind_by_a_swap_and_nothing_is_lost),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
