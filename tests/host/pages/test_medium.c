/*
 * A file with a medium: what is on it when, and what becomes of its failures.
 */
#include "file_test.h"

static void what_is_synced_is_on_the_medium_and_comes_back(void **state) {
    (void)state;
    file_medium.late = true;
    fcm_ref fcm = file_make_on_medium(0);
    for (unsigned page = 0; page < 50; page++)
        file_put_word(fcm, BYTES(page), page + 100);
    assert_int_equal(file_usage(fcm).dirty, 50);
    assert_int_equal(CALL(fcm, sync, 0, ~0ul, 1), 0);
    assert_int_equal(file_usage(fcm).dirty, 0);
    assert_int_equal(file_medium.flushes, 1);
    for (unsigned page = 0; page < 50; page++)
        assert_int_equal(medium_word(&file_medium, page, 0), page + 100);
    fcm_ref again = file_make_on_medium(BYTES(50));
    for (unsigned page = 0; page < 50; page++)
        assert_int_equal(file_word(again, BYTES(page)), page + 100);
    /* Those who read in order do not ask for every page. */
    assert_true(file_medium.fills <= 64);
    assert_int_equal(k42_destroy((k42_ref)again), 0);
    file_end(fcm);
}

static void what_the_medium_has_behind_the_end_is_not_in_the_file(void **state) {
    (void)state;
    fcm_ref before = file_make_on_medium(0);
    file_put_word(before, 8, 1);
    file_put_word(before, 2048, 2);
    assert_int_equal(CALL(before, sync, 0, 1, 0), 0);
    for (unsigned late = 0; late < 2; late++) {
        file_medium.late = late;
        fcm_ref fcm = file_make_on_medium(100);
        assert_int_equal(file_word(fcm, 8), 1);
        file_put_word(fcm, 3000, 3);
        assert_int_equal(file_word(fcm, 2048), 0);
        assert_int_equal(k42_destroy((k42_ref)fcm), 0);
    }
    /* Also when the end is to move while the page comes. */
    medium_set_by_hand(&file_medium, true);
    fcm_ref fcm = file_make_on_medium(100);
    uint64_t word = 4;
    struct copy copy = copy_of_kernel(&word, sizeof word);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &(struct fcm_page){0}), -K42_WAIT);
    assert_int_equal(TRY(fcm, resize, 4000), -K42_WAIT);
    assert_int_equal(TRY(fcm, write, 3000, &copy, NULL), -K42_WAIT);
    assert_int_equal(medium_answer(&file_medium), 1);
    file_put_word(fcm, 3000, 3);
    assert_int_equal(file_word(fcm, 2048), 0);
    assert_int_equal(k42_destroy((k42_ref)fcm), 0);
    medium_set_by_hand(&file_medium, false);
    file_end(before);
}

static void a_file_that_others_changed_is_read_again(void **state) {
    (void)state;
    file_medium.late = true;
    fcm_ref fcm = file_make_on_medium(BYTES(3)), other = file_make_on_medium(BYTES(3));
    struct space space;
    struct fcm_page page;
    uint64_t value;
    space_open(&space, fcm);
    file_put_word(fcm, 0, 1);
    file_put_word(fcm, BYTES(2), 1);
    assert_int_equal(CALL(fcm, sync, 0, 3, 0), 0);
    assert_int_equal(space_load(&space, 0, &value), 0);
    file_put_word(other, 0, 2);
    assert_int_equal(CALL(other, sync, 0, 3, 0), 0);
    file_put_word(fcm, 0, 3); /* lost */
    assert_int_equal(CALL(fcm, get_page, 2, 0, &page), 0);
    assert_int_equal(TRY(fcm, renew, BYTES(5)), -K42_WAIT);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    assert_int_equal(CALL(fcm, put_page, 2), 0);
    assert_int_equal(CALL(fcm, renew, BYTES(5)), 0);
    assert_int_equal(space_mapped(&space), 0);
    assert_int_equal(CALL(fcm, size), BYTES(5));
    assert_int_equal(file_word(fcm, 0), 2);
    assert_int_equal(file_word(fcm, BYTES(2)), 1);
    space_close(&space);
    assert_int_equal(CALL(fcm, renew, 0), 0);
    assert_int_equal(file_usage(fcm).present, 0);
    assert_int_equal(medium_word(&file_medium, 0, 0), 2);
    assert_int_equal(k42_destroy((k42_ref)fcm), 0);
    file_end(other);
}

static void a_page_written_after_its_write_back_is_written_again(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(1));
    struct space space;
    space_open(&space, fcm);
    for (uint64_t round = 1; round < 5; round++) {
        assert_int_equal(space_store(&space, 8, round), 0);
        assert_int_equal(file_usage(fcm).dirty, 1);
        assert_int_equal(CALL(fcm, sync, 0, 1, 0), 0);
        assert_int_equal(file_usage(fcm).dirty, 0);
        assert_int_equal(medium_word(&file_medium, 0, 1), round);
    }
    space_close(&space);
    file_end(fcm);
}

static void a_page_that_cannot_be_read_is_an_error_once(void **state) {
    (void)state;
    file_medium.fail_fill = -EIO;
    fcm_ref fcm = file_make_on_medium(BYTES(100));
    uint64_t word;
    for (unsigned late = 0; late < 2; late++) {
        file_medium.late = late;
        file_medium.fail_fill = -EIO;
        assert_int_equal(stage_read(fcm, BYTES(90 * late), &word, sizeof word), -EIO);
        assert_int_equal(stage_read(fcm, BYTES(90 * late), &word, sizeof word), sizeof word);
    }
    file_end(fcm);
}

static void a_failure_is_told_to_who_has_yet_to_begin_to_wait(void **state) {
    (void)state;
    file_medium.late = true;
    file_medium.by_hand = true;
    fcm_ref fcm = file_make_on_medium(BYTES(1));
    struct fcm_page page;
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    file_medium.fail_fill = -EIO;
    assert_int_equal(medium_answer(&file_medium), 1);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -EIO);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    assert_int_equal(medium_answer(&file_medium), 1);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), 0);
    assert_int_equal(TRY(fcm, put_page, 0), 0);
    file_end(fcm);
}

static void a_page_that_cannot_be_written_is_told_once_by_sync(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(0);
    for (unsigned late = 0; late < 2; late++) {
        file_medium.late = late;
        file_medium.fail_write = -ENOSPC;
        file_put_word(fcm, 0, 1);
        assert_int_equal(CALL(fcm, sync, 0, 1, 1), -ENOSPC);
        assert_int_equal(CALL(fcm, sync, 0, 1, 1), 0);
    }
    file_end(fcm);
}

static void a_medium_that_is_full_is_asked_again(void **state) {
    (void)state;
    file_medium.refuse = 2;
    fcm_ref fcm = file_make_on_medium(BYTES(1));
    assert_int_equal(TRY(fcm, get_page, 0, 0, &(struct fcm_page){0}), -K42_WAIT);
    assert_int_equal(file_usage(fcm).in_transit, 0);
    assert_int_equal(file_word(fcm, 0), 0);
    file_put_word(fcm, 0, 5);
    file_medium.refuse = 1;
    assert_int_equal(TRY(fcm, sync, 0, 1, 0), -K42_WAIT);
    assert_int_equal(file_usage(fcm).dirty, 1);
    assert_int_equal(CALL(fcm, sync, 0, 1, 0), 0);
    assert_int_equal(medium_word(&file_medium, 0, 0), 5);
    file_end(fcm);
}

static void a_sync_waits_for_a_held_page(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(1));
    struct fcm_page page;
    assert_int_equal(CALL(fcm, get_page, 0, FCM_WRITE, &page), 0);
    assert_true(page.writable);
    assert_int_equal(TRY(fcm, sync, 0, 1, 0), -K42_WAIT);
    assert_int_equal(file_medium.writes, 0);
    assert_int_equal(TRY(fcm, put_page, 0), 0);
    assert_int_equal(TRY(fcm, sync, 0, 1, 0), 0);
    assert_int_equal(file_medium.writes, 1);
    assert_int_equal(CALL(fcm, get_page, 0, 0, &page), 0);
    assert_false(page.writable);
    assert_int_equal(TRY(fcm, put_page, 0), 0);
    file_end(fcm);
}

static void a_sync_is_over_when_what_was_dirty_has_been_written(void **state) {
    (void)state;
    file_medium.late = true;
    file_medium.by_hand = true;
    fcm_ref fcm = file_make_on_medium(0);
    static char page[FRAME_BYTES];
    struct copy copy = copy_of_kernel(page, sizeof page);
    file_put_word(fcm, 0, 1);
    assert_int_equal(TRY(fcm, sync, 0, 9, 0), -K42_WAIT);
    assert_int_equal(TRY(fcm, write, BYTES(1), &copy, NULL), sizeof page);
    assert_int_equal(medium_answer(&file_medium), 1);
    assert_int_equal(TRY(fcm, sync, 0, 9, 0), 0);
    assert_int_equal(file_usage(fcm).dirty, 1);
    medium_set_by_hand(&file_medium, false);
    assert_int_equal(CALL(fcm, sync, 0, 9, 0), 0);
    assert_int_equal(file_usage(fcm).dirty, 0);
    file_end(fcm);
}

static void what_is_dirty_is_written_though_nobody_syncs(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(3));
    struct fcm_page page;
    for (uint64_t round = 1; round < 3; round++) {
        file_put_word(fcm, 0, round);
        assert_int_equal(CALL(fcm, get_page, 2, FCM_WRITE, &page), 0);
        file_medium.fail_write = round == 2 ? -EIO : 0;
        assert_int_equal(CALL(fcm, give_back, 0), 0);
        if (file_class == &fcm_pinned) {
            file_medium.fail_write = 0;
            assert_int_equal(CALL(fcm, put_page, 2), 0);
            continue;
        }
        assert_int_equal(medium_word(&file_medium, 0, 0), 1);
        assert_int_equal(file_usage(fcm).dirty, 1);
        assert_int_equal(CALL(fcm, put_page, 2), 0);
        assert_int_equal(CALL(fcm, give_back, 0), 0);
        assert_int_equal(file_usage(fcm).dirty, 0);
    }
    /* What failed is the next sync's to tell. */
    assert_int_equal(CALL(fcm, sync, 0, 3, 0), file_class == &fcm_pinned ? 0 : -EIO);
    file_end(fcm);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(what_is_synced_is_on_the_medium_and_comes_back),
        FILE_TEST(what_the_medium_has_behind_the_end_is_not_in_the_file),
        FILE_TEST(a_file_that_others_changed_is_read_again),
        FILE_TEST(a_page_written_after_its_write_back_is_written_again),
        FILE_TEST(a_page_that_cannot_be_read_is_an_error_once),
        FILE_TEST(a_failure_is_told_to_who_has_yet_to_begin_to_wait),
        FILE_TEST(a_page_that_cannot_be_written_is_told_once_by_sync),
        FILE_TEST(a_medium_that_is_full_is_asked_again),
        FILE_TEST(a_sync_waits_for_a_held_page),
        FILE_TEST(a_sync_is_over_when_what_was_dirty_has_been_written),
        FILE_TEST(what_is_dirty_is_written_though_nobody_syncs),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
