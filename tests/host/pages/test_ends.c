/*
 * The end of a file moved back, and holes: what was cut off is nowhere, and zero when it is back.
 */
#include "file_test.h"

static void what_was_cut_off_is_zero_when_the_file_grows_again(void **state) {
    (void)state;
    for (unsigned behind = 0; behind < 2; behind++) {
        fcm_ref fcm = file_make(pm_machine, behind ? &file_medium : NULL, BYTES(4));
        for (unsigned page = 0; page < 4; page++)
            file_put_word(fcm, BYTES(page) + 2048, page + 1);
        assert_int_equal(CALL(fcm, sync, 0, 4, 1), 0);
        assert_int_equal(CALL(fcm, resize, BYTES(1) + 1024), 0);
        assert_int_equal(CALL(fcm, resize, BYTES(4)), 0);
        assert_int_equal(file_word(fcm, 2048), 1);
        for (unsigned page = 1; page < 4; page++)
            assert_int_equal(file_word(fcm, BYTES(page) + 2048), 0);
        file_end(fcm);
    }
}

static void what_a_program_wrote_behind_the_end_is_not_in_the_file(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(100);
    struct space space;
    space_open(&space, fcm);
    assert_int_equal(space_store(&space, 2000, 9), 0);
    file_put_word(fcm, 3000, 1);
    assert_int_equal(file_word(fcm, 2000), 0);
    assert_int_equal(file_word(fcm, 3000), 1);
    space_close(&space);
    file_end(fcm);
}

static void a_hole_reads_as_zero_and_the_size_stays(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(0);
    for (unsigned i = 0; i < 4 * 512; i++)
        file_put_word(fcm, i * 8, i + 1);
    assert_int_equal(CALL(fcm, punch, 1000, BYTES(3) - 500), 0);
    for (unsigned i = 0; i < 4 * 512; i++) {
        bool hole = i * 8 >= 1000 && i * 8 < BYTES(3) + 500;
        if (i * 8 + 8 <= BYTES(3) + 500 || i * 8 >= BYTES(3) + 500)
            assert_int_equal(file_word(fcm, i * 8), hole ? 0 : i + 1);
    }
    assert_int_equal(CALL(fcm, size), BYTES(4));
    assert_int_equal(file_usage(fcm).present, 2);
    assert_int_equal(CALL(fcm, seek, 0, FCM_SEEK_HOLE), BYTES(1));
    assert_int_equal(CALL(fcm, seek, BYTES(1), FCM_SEEK_DATA), BYTES(3));
    assert_int_equal(CALL(fcm, seek, BYTES(3), FCM_SEEK_HOLE), BYTES(4));
    assert_int_equal(CALL(fcm, seek, BYTES(4), FCM_SEEK_DATA), -ENXIO);
    assert_int_equal(CALL(fcm, punch, 10, 20), 0);
    assert_int_equal(file_word(fcm, 16), 0);
    file_end(fcm);
}

static void a_held_page_is_not_cut_off(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(BYTES(2));
    struct fcm_page page;
    file_put_word(fcm, BYTES(1), 3);
    assert_int_equal(CALL(fcm, get_page, 1, 0, &page), 0);
    assert_int_equal(TRY(fcm, resize, 0), -K42_WAIT);
    assert_int_equal(*(uint64_t *)machine_memory(page.physical), 3);
    assert_int_equal(TRY(fcm, get_page, 1, 0, &page), -ENXIO);
    /* He who began may be gone; who needs the size goes on with it. */
    assert_int_equal(TRY(fcm, resize, BYTES(3)), -K42_WAIT);
    assert_int_equal(TRY(fcm, put_page, 1), 0);
    assert_int_equal(TRY(fcm, resize, BYTES(3)), 0);
    assert_int_equal(file_word(fcm, BYTES(1)), 0);
    assert_int_equal(TRY(fcm, put_page, 1), -EINVAL);
    file_end(fcm);
}

static void what_was_begun_to_be_cut_off_is_so_after_a_swap(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(BYTES(2));
    struct fcm_page page;
    file_put_word(fcm, BYTES(1), 3);
    assert_int_equal(CALL(fcm, get_page, 1, 0, &page), 0);
    assert_int_equal(TRY(fcm, resize, BYTES(1)), -K42_WAIT);
    file_swap((k42_ref)fcm, &fcm_plain, 0);
    assert_int_equal(TRY(fcm, put_page, 1), 0);
    assert_int_equal(TRY(fcm, resize, BYTES(2)), 0);
    assert_int_equal(file_word(fcm, BYTES(1)), 0);
    file_end(fcm);
}

static void a_page_that_is_being_filled_is_not_cut_off(void **state) {
    (void)state;
    file_medium.late = true;
    file_medium.by_hand = true;
    fcm_ref fcm = file_make_on_medium(BYTES(1));
    struct fcm_page page;
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    assert_int_equal(TRY(fcm, resize, 0), -K42_WAIT);
    assert_int_equal(file_usage(fcm).in_transit, 1);
    assert_int_equal(medium_answer(&file_medium), 1);
    assert_int_equal(TRY(fcm, resize, 0), 0);
    assert_int_equal(file_usage(fcm).in_transit, 0);
    file_end(fcm);
}

static void a_mapped_page_that_is_cut_off_is_nowhere_mapped(void **state) {
    (void)state;
    fcm_ref fcm = file_make_in_memory(BYTES(20));
    struct space spaces[10];
    uint64_t value;
    for (unsigned i = 0; i < 10; i++) {
        space_open(&spaces[i], fcm);
        for (unsigned page = 0; page < 20; page++)
            assert_int_equal(space_store(&spaces[i], BYTES(page), page), 0);
    }
    assert_int_equal(CALL(fcm, resize, BYTES(5)), 0);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(space_mapped(&spaces[i]), 5);
        assert_int_equal(space_load(&spaces[i], BYTES(7), &value), -ENXIO);
        space_close(&spaces[i]);
    }
    assert_int_equal(file_usage(fcm).attachments, 0);
    file_end(fcm);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(what_was_cut_off_is_zero_when_the_file_grows_again),
        FILE_TEST(what_a_program_wrote_behind_the_end_is_not_in_the_file),
        FILE_TEST(a_hole_reads_as_zero_and_the_size_stays),
        FILE_TEST(a_held_page_is_not_cut_off),
        FILE_TEST(what_was_begun_to_be_cut_off_is_so_after_a_swap),
        FILE_TEST(a_page_that_is_being_filled_is_not_cut_off),
        FILE_TEST(a_mapped_page_that_is_cut_off_is_nowhere_mapped),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
