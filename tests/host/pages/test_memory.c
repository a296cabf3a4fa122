/*
 * What a file's cache does when memory is short or a PM sets a limit, and pages in transit when
 * the cache is swapped.
 */
#include "file_test.h"

static void only_pages_nobody_holds_are_given_back(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(8));
    struct space space;
    struct fcm_page page;
    uint64_t value;
    space_open(&space, fcm);
    for (unsigned i = 0; i < 8; i++)
        file_put_word(fcm, BYTES(i), i + 1);
    assert_int_equal(space_load(&space, BYTES(2), &value), 0);
    assert_int_equal(CALL(fcm, get_page, 5, 0, &page), 0);
    k42_result freed = 0;
    for (unsigned round = 0; round < 4; round++)
        freed += CALL(fcm, give_back, 100);
    if (file_class == &fcm_pinned) {
        assert_int_equal(freed, 0);
    } else {
        assert_int_equal(freed, 7);
        assert_int_equal(space_mapped(&space), 0);
        assert_int_equal(file_usage(fcm).present, 1);
    }
    assert_int_equal(CALL(fcm, put_page, 5), 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(file_word(fcm, BYTES(i)), i + 1);
    space_close(&space);
    file_end(fcm);
}

static void a_file_larger_than_the_limit_passes_through_it(void **state) {
    (void)state;
    k42_ref below;
    file_medium.late = true;
    assert_int_equal(CALL(pm_machine, divide, 40, &below), 0);
    fcm_ref fcm = file_make((pm_ref)below, &file_medium, 0);
    if (file_class != &fcm_pinned) {
        struct pm_usage usage;
        for (unsigned page = 0; page < 200; page++)
            file_put_word(fcm, BYTES(page), page + 1);
        for (unsigned page = 0; page < 200; page++)
            assert_int_equal(file_word(fcm, BYTES(page)), page + 1);
        assert_int_equal(CALL((pm_ref)below, usage, &usage), 0);
        assert_true(usage.peak <= 40);
        assert_true(usage.given_back >= 160);
        assert_int_equal(usage.fcms, 1);
    }
    file_end(fcm);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(k42_destroy(below), 0);
}

static void a_limit_that_nothing_can_keep_is_no_memory(void **state) {
    (void)state;
    k42_ref below;
    assert_int_equal(CALL(pm_machine, divide, 10, &below), 0);
    fcm_ref fcm = file_make((pm_ref)below, NULL, BYTES(20)), pinned;
    struct fcm_page page;
    struct pm_usage usage;
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(CALL(fcm, get_page, i, FCM_WRITE, &page), 0);
    assert_int_equal(CALL(fcm, get_page, 10, 0, &page), -ENOMEM);
    assert_int_equal(CALL((pm_ref)below, limit, 5), -ENOMEM);
    assert_int_equal(CALL((pm_ref)below, limit, 11), 0);
    assert_int_equal(CALL(fcm, get_page, 10, 0, &page), 0);
    for (unsigned i = 0; i < 11; i++)
        assert_int_equal(CALL(fcm, put_page, i), 0);
    assert_int_equal(CALL((pm_ref)below, usage, &usage), 0);
    assert_int_equal(usage.used, 11);
    pinned = fcm;
    file_end(pinned);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(CALL((pm_ref)below, usage, &usage), 0);
    assert_int_equal(usage.used, 0);
    assert_int_equal(k42_destroy(below), 0);
}

static void a_page_in_transit_arrives_at_the_new_object(void **state) {
    (void)state;
    file_medium.late = true;
    file_medium.by_hand = true;
    for (unsigned i = 0; i < STAGE_CLASSES; i++) {
        fcm_ref fcm = file_make_on_medium(BYTES(100));
        struct space space;
        struct fcm_page page;
        space_open(&space, fcm);
        assert_int_equal(TRY(fcm, get_page, 70, 0, &page), -K42_WAIT);
        file_swap((k42_ref)fcm, stage_classes[i], 0);
        assert_int_equal(file_usage(fcm).in_transit, 1);
        assert_int_equal(file_usage(fcm).attachments, 1);
        assert_int_equal(medium_answer(&file_medium), 1);
        assert_int_equal(TRY(fcm, get_page, 70, FCM_WRITE, &page), 0);
        file_swap((k42_ref)fcm, stage_classes[(i + 1) % STAGE_CLASSES], 0);
        assert_int_equal(file_usage(fcm).held, 1);
        assert_int_equal(TRY(fcm, put_page, 70), 0);
        assert_int_equal(TRY(fcm, sync, 0, 100, 0), -K42_WAIT);
        file_swap((k42_ref)fcm, stage_classes[(i + 2) % STAGE_CLASSES], 0);
        assert_int_equal(medium_answer(&file_medium), 1);
        assert_int_equal(TRY(fcm, sync, 0, 100, 0), 0);
        space_close(&space);
        file_end(fcm);
    }
}

/* As a page of the swap is that some programs still read. */
static void a_frame_that_page_tables_have_as_well_is_left_to_them(void **state) {
    (void)state;
    if (file_class == &fcm_pinned)
        return;
    fcm_ref fcm = file_make_on_medium(BYTES(10));
    k42_enter();
    struct k42_pair taken = k42_call(pm_machine, take, 0, 0);
    k42_exit();
    assert_int_equal(taken.result, 0);
    struct frame *frame = frame_at(taken.word);
    uint64_t *words = machine_memory(taken.word);
    frame->user[0] = k42_id_of(pm_machine);
    frame->holds = FRAME_CACHED + 1;
    words[0] = 77;
    assert_int_equal(TRY(fcm, expect, 3), 0);
    assert_int_equal(TRY(fcm, adopt, 3, taken.word), 0);
    assert_int_equal(TRY(fcm, leave, 3, FCM_LEAVE_USED), FCM_HAS_LEFT);
    assert_int_equal(frame->holds, 1);
    words[0] = 78;
    assert_int_equal(file_word(fcm, BYTES(3)), 77);
    assert_int_equal(TRY(pm_machine, give, taken.word, 0, 0), 0);
    file_end(fcm);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(only_pages_nobody_holds_are_given_back),
        FILE_TEST(a_file_larger_than_the_limit_passes_through_it),
        FILE_TEST(a_limit_that_nothing_can_keep_is_no_memory),
        FILE_TEST(a_page_in_transit_arrives_at_the_new_object),
        FILE_TEST(a_frame_that_page_tables_have_as_well_is_left_to_them),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
