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

/* ---- pages that the swap has adopted ---- */

/* A private page of a program becomes the file's. */
static void adopt_page(fcm_ref fcm, uint64_t index, uint64_t word) {
    k42_enter();
    struct k42_pair taken = k42_call(pm_machine, take, 0, 0);
    k42_exit();
    assert_int_equal(taken.result, 0);
    frame_at(taken.word)->user[0] = k42_id_of(pm_machine);
    memset(machine_memory(taken.word), 0, FRAME_BYTES);
    *(uint64_t *)machine_memory(taken.word) = word;
    assert_int_equal(TRY(fcm, expect, index), 0);
    assert_int_equal(TRY(fcm, adopt, index, taken.word), 0);
}

static void set_failing(bool failing) {
    file_medium.fails_on = failing;
    file_medium.fail_write = failing ? -EIO : 0;
}

/* The page is there as it was, and nobody waits for it or tries it again for want of memory. */
static void check_stuck(fcm_ref fcm, uint64_t index, uint64_t word) {
    struct fcm_usage usage = file_usage(fcm);
    uint32_t writes = file_medium.writes;
    assert_int_equal(usage.dirty, 1);
    assert_int_equal(usage.stuck, 1);
    assert_int_equal(usage.in_transit, 0);
    assert_int_equal(TRY(fcm, leave, index, FCM_LEAVE_USED | FCM_LEAVE_UNUSED), -EBUSY);
    for (unsigned round = 0; round < 4; round++)
        assert_int_equal(TRY(fcm, give_back, 10), 0);
    assert_int_equal(file_medium.writes, writes);
    assert_int_equal(file_word(fcm, BYTES(index)), word);
}

/* Begins to write what is dirty, and has it answered. */
static void write_all(fcm_ref fcm, bool late) {
    assert_int_equal(TRY(fcm, give_back, 0), 0);
    assert_int_equal(file_usage(fcm).in_transit, late);
    if (late)
        assert_int_equal(medium_answer(&file_medium), 1);
}

static void adopt_and_fail(struct k42_class *to, bool late) {
    file_medium.late = file_medium.by_hand = late;
    fcm_ref fcm = file_make_on_medium(BYTES(4));
    set_failing(true);
    adopt_page(fcm, 2, 77);
    assert_int_equal(TRY(fcm, leave, 2, FCM_LEAVE_USED | FCM_LEAVE_UNUSED), -EBUSY);
    if (late)
        assert_int_equal(medium_answer(&file_medium), 1);
    check_stuck(fcm, 2, 77);
    file_swap((k42_ref)fcm, to, 0);
    check_stuck(fcm, 2, 77);
    write_all(fcm, late);
    check_stuck(fcm, 2, 77);
    set_failing(false);
    write_all(fcm, late);
    assert_int_equal(file_usage(fcm).stuck, 0);
    assert_int_equal(TRY(fcm, leave, 2, FCM_LEAVE_USED | FCM_LEAVE_UNUSED), FCM_HAS_LEFT);
    medium_set_by_hand(&file_medium, false);
    assert_int_equal(file_word(fcm, BYTES(2)), 77);
    file_end(fcm);
}

static void an_adopted_page_stays_until_it_has_been_written(void **state) {
    (void)state;
    for (unsigned i = 0; i < STAGE_CLASSES; i++)
        for (unsigned late = 0; late < 2; late++)
            if (file_class != &fcm_pinned && stage_classes[i] != &fcm_pinned)
                adopt_and_fail(stage_classes[i], late);
}

static void a_sync_tells_of_an_adopted_page_and_tries_it_again(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(4));
    adopt_page(fcm, 1, 5);
    set_failing(true);
    for (unsigned tries = 1; tries < 3; tries++) {
        assert_int_equal(CALL(fcm, sync, 0, 4, 0), -EIO);
        assert_int_equal(file_medium.writes, tries);
        assert_int_equal(file_usage(fcm).dirty, 1);
    }
    file_end(fcm);
}

/* It is like any other from then on. */
static void a_page_that_was_adopted_and_written_is_the_files(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(4));
    adopt_page(fcm, 1, 5);
    assert_int_equal(CALL(fcm, sync, 0, 4, 0), 0);
    assert_int_equal(medium_word(&file_medium, 1, 0), 5);
    set_failing(true);
    file_put_word(fcm, BYTES(1), 6);
    assert_int_equal(CALL(fcm, sync, 0, 4, 0), -EIO);
    assert_int_equal(file_usage(fcm).dirty, 0);
    file_end(fcm);
}

static void a_stuck_page_is_forgotten_when_nobody_wants_it(void **state) {
    (void)state;
    fcm_ref fcm = file_make_on_medium(BYTES(4));
    set_failing(true);
    adopt_page(fcm, 1, 5);
    assert_int_equal(CALL(fcm, sync, 0, 4, 0), -EIO);
    unsigned flags = FCM_LEAVE_USED | FCM_LEAVE_UNUSED | FCM_LEAVE_DIRTY;
    if (file_class != &fcm_pinned)
        assert_int_equal(TRY(fcm, leave, 1, flags), FCM_HAS_LEFT);
    file_end(fcm);
}

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(only_pages_nobody_holds_are_given_back),
        FILE_TEST(a_file_larger_than_the_limit_passes_through_it),
        FILE_TEST(a_limit_that_nothing_can_keep_is_no_memory),
        FILE_TEST(a_page_in_transit_arrives_at_the_new_object),
        FILE_TEST(a_frame_that_page_tables_have_as_well_is_left_to_them),
        FILE_TEST(an_adopted_page_stays_until_it_has_been_written),
        FILE_TEST(a_sync_tells_of_an_adopted_page_and_tries_it_again),
        FILE_TEST(a_page_that_was_adopted_and_written_is_the_files),
        FILE_TEST(a_stuck_page_is_forgotten_when_nobody_wants_it),
    };
    file_tests_open(count, arguments);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
