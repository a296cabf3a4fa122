/*
 * A file in blocks of 2 MiB: when there is one, what maps it, and how a block comes to its end with
 * nothing lost.
 */
#include "file_test.h"

#include "../../../kernel/mem/fcm/body_block.h"

#include <pthread.h>
#include <sched.h>

enum { BLOCK = 512, PAGES = 2 * BLOCK + 40, STAGE_MEMORY = 32 << 20 >> FRAME_SHIFT };

static struct fcm_counts counts_of(fcm_ref fcm) {
    struct fcm_counts counts;
    assert_int_equal(CALL(fcm, counts, &counts), 0);
    return counts;
}

/* A file with a word in each page, on the medium and nowhere else. */
static fcm_ref make_with(pm_ref pm) {
    file_class = &fcm_shared;
    fcm_ref before = file_make_on_medium(0);
    for (uint64_t page = 0; page < PAGES; page++)
        file_put_word(before, BYTES(page), page + 1);
    assert_int_equal(CALL(before, sync, 0, PAGES, 0), 0);
    assert_int_equal(k42_destroy((k42_ref)before), 0);
    assert_int_equal(k42_defer_flush(), 0);
    file_class = &fcm_large;
    file_medium.late = true;
    file_medium.fills = file_medium.runs = file_medium.writes = 0;
    return file_make(pm, &file_medium, BYTES(PAGES - 1) + 100);
}

static fcm_ref make_written(void) {
    return make_with(pm_machine);
}

static uint64_t load(struct space *space, uint64_t page) {
    uint64_t value = ~0ul;
    assert_int_equal(space_load(space, BYTES(page), &value), 0);
    return value;
}

/* All that is in the file but `changed`, by call and as a program sees it. */
static void check_words(fcm_ref fcm, struct space *space, uint64_t changed) {
    for (uint64_t page = 0; page < PAGES; page++) {
        if (page == changed)
            continue;
        assert_int_equal(file_word(fcm, BYTES(page)), page + 1);
        if (space && page < SPACE_PAGES)
            assert_int_equal(load(space, page), page + 1);
    }
}

/* Whether a block can be had whole; it is let go of. */
static bool is_whole(fcm_ref fcm, uint64_t index) {
    struct fcm_page page;
    k42_result result = CALL(fcm, get_page, index, FCM_LARGE, &page);
    assert_int_equal(result, 0);
    assert_int_equal(page.index, page.order ? index - index % BLOCK : index);
    assert_true(!page.order || page.physical % BLOCK_BYTES == 0);
    assert_int_equal(CALL(fcm, put_page, page.index), 0);
    return page.order;
}

/* ---- coming ---- */

static void a_block_is_mapped_by_one_fault(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct space space;
    space_open(&space, fcm);
    assert_int_equal(load(&space, 300), 301);
    assert_int_equal(space_mapped(&space), BLOCK);
    assert_int_equal(file_medium.fills, BLOCK);
    assert_int_equal(load(&space, 0), 1);
    assert_int_equal(load(&space, BLOCK - 1), BLOCK);
    assert_int_equal(counts_of(fcm).misses, 1);
    assert_int_equal(load(&space, BLOCK), BLOCK + 1);
    assert_int_equal(space_mapped(&space), 2 * BLOCK);
    check_words(fcm, &space, PAGES);
    assert_int_equal(file_usage(fcm).held, 0);
    space_close(&space);
    file_end(fcm);
}

static void the_end_of_a_file_is_in_single_pages(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    assert_true(is_whole(fcm, 2 * BLOCK - 1));
    assert_false(is_whole(fcm, 2 * BLOCK));
    assert_true(file_usage(fcm).present <= BLOCK + 40);
    assert_int_equal(file_word(fcm, BYTES(PAGES - 1)), PAGES);
    file_end(fcm);
    fcm = file_make_on_medium(BYTES(BLOCK) - 1);
    assert_false(is_whole(fcm, 3));
    file_end(fcm);
}

static void who_maps_waits_for_the_block_and_who_reads_for_his_page(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct fcm_page page;
    uint64_t word;
    struct copy copy = copy_of_kernel(&word, sizeof word);
    medium_set_by_hand(&file_medium, true);
    assert_int_equal(TRY(fcm, read, BYTES(100), &copy), -K42_WAIT);
    assert_int_equal(file_usage(fcm).in_transit, BLOCK);
    assert_true(medium_answer_page(&file_medium, 100));
    assert_int_equal(TRY(fcm, read, BYTES(100), &copy), sizeof word);
    assert_int_equal(TRY(fcm, get_page, 100, FCM_LARGE, &page), -K42_WAIT);
    assert_int_equal(TRY(fcm, get_page, 100, 0, &page), 0);
    assert_int_equal(page.order, 0);
    assert_int_equal(TRY(fcm, put_page, 100), 0);
    assert_int_equal(medium_answer(&file_medium), BLOCK - 1);
    assert_int_equal(TRY(fcm, get_page, 100, FCM_LARGE, &page), 0);
    assert_int_equal(page.order, BLOCK_ORDER);
    assert_int_equal(TRY(fcm, mapped, page.index, 1), 0);
    medium_set_by_hand(&file_medium, false);
    file_end(fcm);
}

static void a_medium_that_refuses_delays_a_block(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct space space;
    space_open(&space, fcm);
    for (uint64_t block = 0; block < 2; block++) {
        file_medium.refuse = 5;
        assert_int_equal(load(&space, block * BLOCK + 7), block * BLOCK + 8);
    }
    check_words(fcm, &space, PAGES);
    assert_int_equal(file_usage(fcm).in_transit, 0);
    assert_true(is_whole(fcm, 0) && is_whole(fcm, BLOCK));
    assert_true(file_usage(fcm).frames <= PAGES + 20);
    space_close(&space);
    file_end(fcm);
}

static void a_page_that_cannot_be_read_is_the_only_one(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct space space;
    space_open(&space, fcm);
    file_medium.fail_fill = -EIO;
    uint64_t page = 0, value, failed = 0;
    for (; page < BLOCK; page++) {
        k42_result result = space_load(&space, BYTES(page), &value);
        assert_true(result == 0 || result == -EIO);
        failed += result != 0;
        assert_true(result || value == page + 1);
    }
    assert_true(failed <= 1);
    check_words(fcm, &space, PAGES);
    space_close(&space);
    file_end(fcm);
}

static void a_file_that_grows_has_blocks_behind_its_first(void **state) {
    (void)state;
    file_class = &fcm_large;
    fcm_ref fcm = file_make_in_memory(0);
    for (uint64_t page = 0; page < PAGES; page++) {
        static uint64_t bytes[FRAME_BYTES / 8];
        bytes[0] = page + 1;
        assert_int_equal(stage_write(fcm, FCM_APPEND, bytes, sizeof bytes), sizeof bytes);
    }
    assert_false(is_whole(fcm, 0));
    assert_true(is_whole(fcm, BLOCK));
    check_words(fcm, NULL, PAGES);
    file_end(fcm);
}

static void a_file_in_memory_alone_has_blocks_where_it_was_written(void **state) {
    (void)state;
    file_class = &fcm_large;
    fcm_ref fcm = file_make_in_memory(BYTES(PAGES));
    for (uint64_t page = 0; page < BLOCK; page++)
        file_put_word(fcm, BYTES(page), page + 1);
    assert_true(is_whole(fcm, 0));
    assert_false(is_whole(fcm, BLOCK));
    assert_int_equal(file_usage(fcm).present, BLOCK + 1);
    for (uint64_t page = 0; page < BLOCK; page++)
        assert_int_equal(file_word(fcm, BYTES(page) + 8), 0);
    file_end(fcm);
}

/* ---- no memory in one piece ---- */

static void without_blocks_of_memory_pages_are_single_ones(void **state) {
    (void)state;
    static struct frame *taken[STAGE_MEMORY];
    fcm_ref fcm = make_written();
    struct space space;
    unsigned blocks = 0;
    /* Of each block one page stays in use. */
    while (!frame_allocate(BLOCK_ORDER, NULL, &taken[blocks])) {
        frame_part(taken[blocks]);
        blocks++;
    }
    for (unsigned i = 0; i < blocks; i++)
        for (unsigned at = 1; at < BLOCK; at++)
            frame_free(taken[i] + at, 0);
    space_open(&space, fcm);
    assert_int_equal(load(&space, 5), 6);
    assert_in_range(file_medium.fills, 1, BLOCK - 1);
    assert_false(is_whole(fcm, 5));
    check_words(fcm, &space, PAGES);
    space_close(&space);
    file_end(fcm);
    for (unsigned i = 0; i < blocks; i++)
        frame_free(taken[i], 0);
}

static void a_limit_below_a_block_is_kept(void **state) {
    (void)state;
    k42_ref below;
    assert_int_equal(CALL(pm_machine, divide, 100, &below), 0);
    fcm_ref fcm = make_with((pm_ref)below);
    struct pm_usage usage;
    check_words(fcm, NULL, PAGES);
    assert_int_equal(CALL((pm_ref)below, usage, &usage), 0);
    assert_true(usage.peak <= 100);
    file_end(fcm);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(k42_destroy(below), 0);
}

static void a_file_of_many_blocks_passes_through_the_limit_of_one(void **state) {
    (void)state;
    k42_ref below;
    assert_int_equal(CALL(pm_machine, divide, BLOCK + 100, &below), 0);
    fcm_ref fcm = make_with((pm_ref)below);
    struct space space;
    struct pm_usage usage;
    space_open(&space, fcm);
    for (unsigned round = 0; round < 2; round++)
        check_words(fcm, &space, PAGES);
    assert_int_equal(CALL((pm_ref)below, usage, &usage), 0);
    assert_true(usage.peak <= BLOCK + 100);
    space_close(&space);
    file_end(fcm);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(k42_destroy(below), 0);
}

static void what_is_left_of_a_place_goes_when_memory_is_short(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    file_medium.late = false; /* so nothing is begun that is not read */
    file_put_word(fcm, BYTES(3), 4);
    assert_true(file_usage(fcm).frames >= BLOCK);
    assert_int_equal(file_usage(fcm).present, 1);
    /* The first time it is taken for in use. */
    (void)CALL(fcm, give_back, 1);
    assert_true(file_usage(fcm).frames >= BLOCK - 1);
    assert_int_equal(CALL(fcm, give_back, BLOCK - 1), BLOCK - 1);
    assert_true(file_usage(fcm).frames <= 20);
    check_words(fcm, NULL, PAGES);
    file_end(fcm);
}

static void what_is_left_of_a_place_is_left_behind_by_a_swap(void **state) {
    (void)state;
    for (unsigned i = 0; i < STAGE_CLASSES; i++) {
        fcm_ref fcm = make_written();
        file_put_word(fcm, BYTES(3), 4);
        uint64_t present = file_usage(fcm).present, before = stage_frames_used();
        if (present < BLOCK)
            assert_true(file_usage(fcm).frames >= BLOCK);
        file_swap((k42_ref)fcm, stage_classes[i], 0);
        if (stage_classes[i] != &fcm_large)
            assert_in_range(before - stage_frames_used(), BLOCK - present, BLOCK);
        check_words(fcm, NULL, PAGES);
        file_end(fcm);
    }
}

/* ---- leaving ---- */

static void one_page_of_a_block_leaves_and_the_others_stay(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct space space;
    struct frame *taken;
    space_open(&space, fcm);
    assert_int_equal(load(&space, 0), 1);
    assert_int_equal(CALL(fcm, leave, 77, FCM_LEAVE_USED), FCM_HAS_LEFT);
    assert_int_equal(frame_allocate(0, NULL, &taken), 0); /* what it had, perhaps */
    assert_int_equal(space_mapped(&space), 0);
    assert_int_equal(file_usage(fcm).present, BLOCK - 1);
    assert_int_equal(load(&space, 78), 79);
    assert_int_equal(file_medium.fills, BLOCK);
    assert_int_equal(load(&space, 77), 78);
    assert_int_equal(file_medium.fills, BLOCK + 1);
    assert_false(is_whole(fcm, 78));
    check_words(fcm, &space, PAGES);
    /* When all have left it can be whole again. */
    for (uint64_t page = 0; page < BLOCK; page++)
        (void)CALL(fcm, leave, page, FCM_LEAVE_USED | FCM_LEAVE_UNUSED);
    assert_true(is_whole(fcm, 78));
    space_close(&space);
    file_end(fcm);
    frame_free(taken, 0);
}

static void a_held_block_stays_and_is_waited_for(void **state) {
    (void)state;
    for (unsigned i = 0; i < STAGE_CLASSES; i++) {
        fcm_ref fcm = make_written();
        struct fcm_page page;
        assert_int_equal(CALL(fcm, get_page, 9, FCM_LARGE, &page), 0);
        assert_int_equal(page.order, BLOCK_ORDER);
        file_swap((k42_ref)fcm, stage_classes[i], 0);
        assert_int_equal(TRY(fcm, leave, 9, FCM_LEAVE_USED | FCM_LEAVE_UNUSED), -EBUSY);
        assert_int_equal(TRY(fcm, leave, BLOCK - 1, FCM_LEAVE_USED | FCM_LEAVE_UNUSED), -EBUSY);
        for (unsigned round = 0; round < 3; round++)
            assert_int_equal(CALL(fcm, give_back, BLOCK), 0);
        assert_int_equal(TRY(fcm, resize, BYTES(100)), -K42_WAIT);
        assert_int_equal(file_usage(fcm).present, BLOCK);
        assert_int_equal(TRY(fcm, mapped, page.index, 1), 0);
        assert_int_equal(TRY(fcm, resize, BYTES(100)), 0);
        assert_int_equal(file_usage(fcm).present, 100);
        for (uint64_t at = 0; at < 100; at++)
            assert_int_equal(file_word(fcm, BYTES(at)), at + 1);
        file_end(fcm);
    }
}

static void *cut(void *argument) {
    fcm_ref fcm = *(fcm_ref *)argument;
    stage_attach("cutter");
    assert_int_equal(CALL(fcm, resize, BYTES(100)), 0);
    return k42_detach() < 0 ? argument : NULL;
}

/* Though what is cut off is not the page that is held. */
static void who_cuts_a_block_is_told_when_it_is_held_no_more(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct fcm_page page;
    pthread_t cutter;
    void *failed;
    assert_int_equal(CALL(fcm, get_page, 9, FCM_LARGE, &page), 0);
    assert_int_equal(page.order, BLOCK_ORDER);
    assert_int_equal(pthread_create(&cutter, NULL, cut, &fcm), 0);
    while (!wait_anybody(k42_ref_id((k42_ref)fcm), page.index))
        sched_yield();
    assert_int_equal(TRY(fcm, put_page, page.index), 0);
    assert_int_equal(pthread_join(cutter, &failed), 0);
    assert_null(failed);
    assert_int_equal(file_usage(fcm).present, 100);
    file_end(fcm);
}

static void the_end_and_holes_are_cut_out_of_a_mapped_block(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct space space;
    uint64_t value;
    space_open(&space, fcm);
    assert_int_equal(load(&space, BLOCK + 5), BLOCK + 6);
    assert_int_equal(load(&space, 5), 6);
    assert_int_equal(CALL(fcm, punch, BYTES(10), BYTES(20)), 0);
    assert_int_equal(load(&space, 9), 10);
    assert_int_equal(load(&space, 10), 0);
    assert_int_equal(load(&space, 29), 0);
    assert_int_equal(load(&space, 30), 31);
    assert_int_equal(CALL(fcm, resize, BYTES(BLOCK + 100) + 8), 0);
    assert_int_equal(space_load(&space, BYTES(BLOCK + 101), &value), -ENXIO);
    assert_int_equal(load(&space, BLOCK + 100), BLOCK + 101);
    assert_int_equal(CALL(fcm, resize, BYTES(PAGES)), 0);
    assert_int_equal(load(&space, BLOCK + 101), 0);
    assert_int_equal(load(&space, BLOCK + 99), BLOCK + 100);
    assert_int_equal(file_word(fcm, BYTES(PAGES - 1)), 0);
    space_close(&space);
    file_end(fcm);
}

static void a_block_that_is_used_stays_when_memory_is_short(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct space space;
    space_open(&space, fcm);
    assert_int_equal(load(&space, 0), 1);
    assert_int_equal(load(&space, BLOCK), BLOCK + 1);
    for (unsigned round = 0; round < 4; round++) {
        k42_result freed = CALL(fcm, give_back, 100);
        assert_int_equal(load(&space, 20), 21);
        assert_true(freed <= 100);
        if (round == 0)
            assert_int_equal(freed, 0);
    }
    /* The other one has gone first. */
    assert_true(is_whole(fcm, 0));
    assert_true(file_usage(fcm).present < 2 * BLOCK);
    space_close(&space);
    file_end(fcm);
}

/* ---- writing ---- */

static void what_a_program_stores_is_dirty_page_by_page(void **state) {
    (void)state;
    fcm_ref fcm = make_written();
    struct space writer, reader;
    space_open(&writer, fcm);
    space_open(&reader, fcm);
    assert_int_equal(load(&writer, 50), 51);
    assert_int_equal(load(&reader, 50), 51);
    assert_int_equal(space_store(&writer, BYTES(50), 1000), 0);
    assert_int_equal(load(&reader, 50), 1000);
    assert_int_equal(space_mapped(&reader), BLOCK);
    assert_int_equal(space_mapped(&writer), 1);
    assert_int_equal(file_usage(fcm).dirty, 1);
    assert_int_equal(CALL(fcm, sync, 0, PAGES, 1), 0);
    assert_int_equal(file_medium.writes, 1);
    assert_int_equal(medium_word(&file_medium, 50, 0), 1000);
    /* Protected by write-back: the next store is seen again. */
    assert_int_equal(space_store(&writer, BYTES(50), 1001), 0);
    file_put_word(fcm, BYTES(51), 1002);
    assert_int_equal(load(&reader, 51), 1002);
    assert_int_equal(file_usage(fcm).dirty, 2);
    assert_int_equal(CALL(fcm, sync, 0, PAGES, 1), 0);
    assert_int_equal(file_medium.writes, 3);
    assert_int_equal(medium_word(&file_medium, 50, 0), 1001);
    assert_int_equal(space_mapped(&reader), BLOCK);
    space_close(&writer);
    space_close(&reader);
    file_end(fcm);
}

/* ---- other classes ---- */

static void a_block_goes_to_each_class_and_back_with_its_mapping(void **state) {
    (void)state;
    for (unsigned i = 0; i < STAGE_CLASSES; i++) {
        fcm_ref fcm = make_written();
        struct space space;
        space_open(&space, fcm);
        assert_int_equal(load(&space, 100), 101);
        file_put_word(fcm, BYTES(7), 1007);
        assert_int_equal(file_usage(fcm).dirty, 1);
        file_swap((k42_ref)fcm, stage_classes[i], 0);
        assert_int_equal(space_mapped(&space), BLOCK);
        assert_int_equal(load(&space, 7), 1007);
        assert_int_equal(file_usage(fcm).dirty, 1);
        assert_int_equal(CALL(fcm, sync, 0, PAGES, 0), 0);
        check_words(fcm, &space, 7);
        assert_true(file_usage(fcm).frames <= PAGES + 20);
        file_swap((k42_ref)fcm, &fcm_large, 0);
        assert_true(is_whole(fcm, 100));
        assert_int_equal(file_word(fcm, BYTES(7)), 1007);
        check_words(fcm, &space, 7);
        space_close(&space);
        file_end(fcm);
    }
}

static void a_block_on_its_way_arrives_at_the_new_object(void **state) {
    (void)state;
    for (unsigned i = 0; i < STAGE_CLASSES; i++) {
        fcm_ref fcm = make_written();
        struct fcm_page page;
        medium_set_by_hand(&file_medium, true);
        assert_int_equal(TRY(fcm, get_page, 200, FCM_LARGE, &page), -K42_WAIT);
        assert_int_equal(file_usage(fcm).in_transit, BLOCK);
        file_swap((k42_ref)fcm, stage_classes[i], 0);
        assert_int_equal(file_usage(fcm).in_transit, BLOCK);
        assert_int_equal(medium_answer(&file_medium), BLOCK);
        medium_set_by_hand(&file_medium, false);
        check_words(fcm, NULL, PAGES);
        file_swap((k42_ref)fcm, &fcm_large, 0);
        assert_true(is_whole(fcm, 200));
        file_end(fcm);
    }
}

static void another_policy_takes_over_the_pages_of_a_block(void **state) {
    (void)state;
    static struct k42_class *const classes[] = {&pm_clock, &pm_2q, &pm_arc, &pm_mru, &pm_turns};
    for (unsigned i = 0; i < sizeof classes / sizeof *classes; i++) {
        pm_ref pm;
        fcm_ref fcm = make_written();
        struct space space;
        struct pm_usage usage;
        space_open(&space, fcm);
        assert_int_equal(load(&space, 0), 1);
        k42_enter();
        k42_result made = pm_create(classes[i], BLOCK + 200, &pm);
        k42_exit();
        assert_int_equal(made, 0);
        assert_int_equal(CALL(fcm, manage, (k42_ref)pm), 0);
        for (unsigned round = 0; round < 2; round++)
            check_words(fcm, &space, PAGES);
        assert_int_equal(CALL(pm, usage, &usage), 0);
        assert_true(usage.peak <= BLOCK + 200);
        assert_int_equal(CALL(fcm, manage, (k42_ref)pm_machine), 0);
        space_close(&space);
        file_end(fcm);
        assert_int_equal(k42_defer_flush(), 0);
        assert_int_equal(k42_destroy((k42_ref)pm), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_block_is_mapped_by_one_fault),
        FILE_TEST(the_end_of_a_file_is_in_single_pages),
        FILE_TEST(who_maps_waits_for_the_block_and_who_reads_for_his_page),
        FILE_TEST(a_medium_that_refuses_delays_a_block),
        FILE_TEST(a_page_that_cannot_be_read_is_the_only_one),
        FILE_TEST(a_file_that_grows_has_blocks_behind_its_first),
        FILE_TEST(a_file_in_memory_alone_has_blocks_where_it_was_written),
        FILE_TEST(without_blocks_of_memory_pages_are_single_ones),
        FILE_TEST(a_limit_below_a_block_is_kept),
        FILE_TEST(a_file_of_many_blocks_passes_through_the_limit_of_one),
        FILE_TEST(what_is_left_of_a_place_goes_when_memory_is_short),
        FILE_TEST(what_is_left_of_a_place_is_left_behind_by_a_swap),
        FILE_TEST(one_page_of_a_block_leaves_and_the_others_stay),
        FILE_TEST(a_held_block_stays_and_is_waited_for),
        FILE_TEST(who_cuts_a_block_is_told_when_it_is_held_no_more),
        FILE_TEST(the_end_and_holes_are_cut_out_of_a_mapped_block),
        FILE_TEST(a_block_that_is_used_stays_when_memory_is_short),
        FILE_TEST(what_a_program_stores_is_dirty_page_by_page),
        FILE_TEST(a_block_goes_to_each_class_and_back_with_its_mapping),
        FILE_TEST(a_block_on_its_way_arrives_at_the_new_object),
        FILE_TEST(another_policy_takes_over_the_pages_of_a_block),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    stage_open_with(STAGE_MEMORY);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
