/*
 * The page caches of files: what their callers may rely on, for every class that caches pages.
 *
 * The program is run for each class, by name, and once for what is not a class's. Each test ends
 * with the frames it began with.
 * Reading and writing by call, mappings, the medium's answers and the memory's needs meet in any
 * order; test_file_pages_load.c has them meet all at once.
 */
#include "pages_stage.h"

#include "../../kernel/mem/fr/fr_zero.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct k42_class *class_;
static uint64_t used_before;

#define BYTES(pages) ((uint64_t)(pages)*FRAME_BYTES)

static fcm_ref make(pm_ref pm, struct medium *medium, uint64_t size) {
    struct fcm_file file = {.pm = pm, .size = size};
    if (medium)
        file.fr = medium->fr;
    k42_ref ref;
    assert_int_equal(k42_create(class_, &file, &ref), 0);
    return (fcm_ref)ref;
}

static fcm_ref make_in_memory(uint64_t size) {
    return make(pm_machine, NULL, size);
}

static void end(fcm_ref fcm) {
    assert_int_equal(CALL(fcm, resize, 0), 0);
    assert_int_equal(k42_destroy((k42_ref)fcm), 0);
}

static int begin_test(void **state) {
    (void)state;
    used_before = stage_frames_used();
    return 0;
}

static int end_test(void **state) {
    (void)state;
    if (stage_frames_used() != used_before)
        print_error("%lu frames are in use, %lu were\n", stage_frames_used(), used_before);
    return stage_frames_used() != used_before;
}

static uint64_t word_at(fcm_ref fcm, uint64_t offset) {
    uint64_t word = ~0ul;
    assert_int_equal(stage_read(fcm, offset, &word, sizeof word), sizeof word);
    return word;
}

static void put_word(fcm_ref fcm, uint64_t offset, uint64_t word) {
    assert_int_equal(stage_write(fcm, offset, &word, sizeof word), sizeof word);
}

static struct fcm_usage usage_of(fcm_ref fcm) {
    struct fcm_usage usage;
    assert_int_equal(CALL(fcm, usage, &usage), 0);
    return usage;
}

/* ---- bytes ---- */

static void a_file_begins_as_zeros_and_keeps_what_is_written(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(BYTES(3));
    assert_int_equal(word_at(fcm, BYTES(2)), 0);
    char text[5000], back[5000];
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(i * 7);
    assert_int_equal(stage_write(fcm, 3000, text, sizeof text), sizeof text);
    assert_int_equal(stage_read(fcm, 3000, back, sizeof back), sizeof back);
    assert_memory_equal(text, back, sizeof text);
    assert_int_equal(word_at(fcm, 2992), 0);
    assert_int_equal(word_at(fcm, 8000), 0);
    end(fcm);
}

static void reading_stops_at_the_end(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(5000);
    char bytes[6000];
    assert_int_equal(stage_read(fcm, 4000, bytes, sizeof bytes), 1000);
    assert_int_equal(stage_read(fcm, 5000, bytes, sizeof bytes), 0);
    assert_int_equal(stage_read(fcm, ~0ul >> 1, bytes, sizeof bytes), 0);
    struct fcm_page page;
    assert_int_equal(CALL(fcm, get_page, 2, 0, &page), -ENXIO);
    end(fcm);
}

static void writing_moves_the_end_and_what_was_skipped_is_zero(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(0);
    uint64_t at, one = 1;
    struct copy copy = copy_of_kernel(&one, sizeof one);
    put_word(fcm, 100, 7);
    assert_int_equal(CALL(fcm, size), 108);
    assert_int_equal(CALL(fcm, write, FCM_APPEND, &copy, &at), sizeof one);
    assert_int_equal(at, 108);
    put_word(fcm, 10000, 8);
    assert_int_equal(CALL(fcm, size), 10008);
    assert_int_equal(word_at(fcm, 100), 7);
    assert_int_equal(word_at(fcm, 108), 1);
    assert_int_equal(word_at(fcm, 116), 0);
    assert_int_equal(word_at(fcm, 5000), 0);
    end(fcm);
}

static void no_file_is_longer_than_an_offset_can_say(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(0);
    assert_int_equal(CALL(fcm, resize, 1ul << 63), -EFBIG);
    assert_int_equal(CALL(fcm, resize, INT64_MAX), 0);
    char bytes[16] = {1};
    assert_int_equal(stage_write(fcm, INT64_MAX - 8, bytes, sizeof bytes), 8);
    assert_int_equal(stage_write(fcm, INT64_MAX, bytes, sizeof bytes), -EFBIG);
    assert_int_equal(stage_read(fcm, INT64_MAX - 8, bytes, sizeof bytes), 8);
    end(fcm);
}

static void a_copy_that_ends_early_moves_as_far_as_it_came(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(0);
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
    end(fcm);
}

static struct medium *medium_written;
static fcm_ref being_written;

/* Inside a write of a page behind the end, which the file does not reach yet. */
static void try_to_write_back(void) {
    for (unsigned round = 0; round < 4; round++)
        assert_int_equal(k42_call(being_written, give_back, 100), 0);
    assert_int_equal(medium_written->writes, 0);
}

static void a_page_is_not_written_back_before_the_file_reaches_it(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_written = &medium;
    medium_open(&medium);
    static uint64_t page[512];
    page[0] = page[511] = 9;
    for (unsigned part = 0; part < 2; part++) {
        being_written = make(pm_machine, &medium, 0);
        stage_copying = try_to_write_back;
        assert_int_equal(stage_write(being_written, BYTES(1) + 8 * part, page, BYTES(1) - 8 * part),
                         BYTES(1) - 8 * part);
        for (unsigned round = 0; round < 4; round++)
            assert_true(CALL(being_written, give_back, 100) >= 0);
        assert_int_equal(word_at(being_written, BYTES(1) + 8 * part), 9);
        end(being_written);
        medium.writes = 0;
    }
    medium_close(&medium);
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
    being_written = make_in_memory(100);
    stage_copying = try_to_move_the_end;
    put_word(being_written, 100, 6);
    assert_null(stage_copying);
    assert_int_equal(CALL(being_written, size), 108);
    assert_int_equal(word_at(being_written, 100), 6);
    end(being_written);
}

/* ---- cutting off ---- */

static void what_was_cut_off_is_zero_when_the_file_grows_again(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_open(&medium);
    for (unsigned behind = 0; behind < 2; behind++) {
        fcm_ref fcm = make(pm_machine, behind ? &medium : NULL, BYTES(4));
        for (unsigned page = 0; page < 4; page++)
            put_word(fcm, BYTES(page) + 2048, page + 1);
        assert_int_equal(CALL(fcm, sync, 0, 4, 1), 0);
        assert_int_equal(CALL(fcm, resize, BYTES(1) + 1024), 0);
        assert_int_equal(CALL(fcm, resize, BYTES(4)), 0);
        assert_int_equal(word_at(fcm, 2048), 1);
        for (unsigned page = 1; page < 4; page++)
            assert_int_equal(word_at(fcm, BYTES(page) + 2048), 0);
        end(fcm);
    }
    medium_close(&medium);
}

static void what_a_program_wrote_behind_the_end_is_not_in_the_file(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(100);
    struct space space;
    space_open(&space, fcm);
    assert_int_equal(space_store(&space, 2000, 9), 0);
    put_word(fcm, 3000, 1);
    assert_int_equal(word_at(fcm, 2000), 0);
    assert_int_equal(word_at(fcm, 3000), 1);
    space_close(&space);
    end(fcm);
}

static void a_hole_reads_as_zero_and_the_size_stays(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(0);
    for (unsigned i = 0; i < 4 * 512; i++)
        put_word(fcm, i * 8, i + 1);
    assert_int_equal(CALL(fcm, punch, 1000, BYTES(3) - 500), 0);
    for (unsigned i = 0; i < 4 * 512; i++) {
        bool hole = i * 8 >= 1000 && i * 8 < BYTES(3) + 500;
        if (i * 8 + 8 <= BYTES(3) + 500 || i * 8 >= BYTES(3) + 500)
            assert_int_equal(word_at(fcm, i * 8), hole ? 0 : i + 1);
    }
    assert_int_equal(CALL(fcm, size), BYTES(4));
    assert_int_equal(usage_of(fcm).present, 2);
    assert_int_equal(CALL(fcm, seek, 0, FCM_SEEK_HOLE), BYTES(1));
    assert_int_equal(CALL(fcm, seek, BYTES(1), FCM_SEEK_DATA), BYTES(3));
    assert_int_equal(CALL(fcm, seek, BYTES(3), FCM_SEEK_HOLE), BYTES(4));
    assert_int_equal(CALL(fcm, seek, BYTES(4), FCM_SEEK_DATA), -ENXIO);
    assert_int_equal(CALL(fcm, punch, 10, 20), 0);
    assert_int_equal(word_at(fcm, 16), 0);
    end(fcm);
}

static void a_held_page_is_not_cut_off(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(BYTES(2));
    struct fcm_page page;
    put_word(fcm, BYTES(1), 3);
    assert_int_equal(CALL(fcm, get_page, 1, 0, &page), 0);
    assert_int_equal(TRY(fcm, resize, 0), -K42_WAIT);
    assert_int_equal(*(uint64_t *)machine_memory(page.physical), 3);
    assert_int_equal(TRY(fcm, get_page, 1, 0, &page), -ENXIO);
    /* He who began may be gone; who needs the size goes on with it. */
    assert_int_equal(TRY(fcm, resize, BYTES(3)), -K42_WAIT);
    assert_int_equal(TRY(fcm, put_page, 1), 0);
    assert_int_equal(TRY(fcm, resize, BYTES(3)), 0);
    assert_int_equal(word_at(fcm, BYTES(1)), 0);
    assert_int_equal(TRY(fcm, put_page, 1), -EINVAL);
    end(fcm);
}

static void swap(fcm_ref fcm, struct k42_class *to, k42_result expected);

static void what_was_begun_to_be_cut_off_is_so_after_a_swap(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(BYTES(2));
    struct fcm_page page;
    put_word(fcm, BYTES(1), 3);
    assert_int_equal(CALL(fcm, get_page, 1, 0, &page), 0);
    assert_int_equal(TRY(fcm, resize, BYTES(1)), -K42_WAIT);
    swap(fcm, &fcm_plain, 0);
    assert_int_equal(TRY(fcm, put_page, 1), 0);
    assert_int_equal(TRY(fcm, resize, BYTES(2)), 0);
    assert_int_equal(word_at(fcm, BYTES(1)), 0);
    end(fcm);
}

static void a_page_that_is_being_filled_is_not_cut_off(void **state) {
    (void)state;
    struct medium medium = {.late = true, .by_hand = true};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(1));
    struct fcm_page page;
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    assert_int_equal(TRY(fcm, resize, 0), -K42_WAIT);
    assert_int_equal(usage_of(fcm).in_transit, 1);
    assert_int_equal(medium_answer(&medium), 1);
    assert_int_equal(TRY(fcm, resize, 0), 0);
    assert_int_equal(usage_of(fcm).in_transit, 0);
    end(fcm);
    medium_close(&medium);
}

static void a_mapped_page_that_is_cut_off_is_nowhere_mapped(void **state) {
    (void)state;
    fcm_ref fcm = make_in_memory(BYTES(20));
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
    assert_int_equal(usage_of(fcm).attachments, 0);
    end(fcm);
}

/* ---- the medium ---- */

static void what_is_synced_is_on_the_medium_and_comes_back(void **state) {
    (void)state;
    struct medium medium = {.late = true};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, 0);
    for (unsigned page = 0; page < 50; page++)
        put_word(fcm, BYTES(page), page + 100);
    assert_int_equal(usage_of(fcm).dirty, 50);
    assert_int_equal(CALL(fcm, sync, 0, ~0ul, 1), 0);
    assert_int_equal(usage_of(fcm).dirty, 0);
    assert_int_equal(medium.flushes, 1);
    for (unsigned page = 0; page < 50; page++)
        assert_int_equal(medium_word(&medium, page, 0), page + 100);
    fcm_ref again = make(pm_machine, &medium, BYTES(50));
    for (unsigned page = 0; page < 50; page++)
        assert_int_equal(word_at(again, BYTES(page)), page + 100);
    /* Those who read in order do not ask for every page. */
    assert_true(medium.fills <= 64);
    assert_int_equal(k42_destroy((k42_ref)again), 0);
    end(fcm);
    medium_close(&medium);
}

static void what_the_medium_has_behind_the_end_is_not_in_the_file(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_open(&medium);
    fcm_ref before = make(pm_machine, &medium, 0);
    put_word(before, 8, 1);
    put_word(before, 2048, 2);
    assert_int_equal(CALL(before, sync, 0, 1, 0), 0);
    for (unsigned late = 0; late < 2; late++) {
        medium.late = late;
        fcm_ref fcm = make(pm_machine, &medium, 100);
        assert_int_equal(word_at(fcm, 8), 1);
        put_word(fcm, 3000, 3);
        assert_int_equal(word_at(fcm, 2048), 0);
        assert_int_equal(k42_destroy((k42_ref)fcm), 0);
    }
    /* Also when the end is to move while the page comes. */
    medium_set_by_hand(&medium, true);
    fcm_ref fcm = make(pm_machine, &medium, 100);
    uint64_t word = 4;
    struct copy copy = copy_of_kernel(&word, sizeof word);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &(struct fcm_page){0}), -K42_WAIT);
    assert_int_equal(TRY(fcm, resize, 4000), -K42_WAIT);
    assert_int_equal(TRY(fcm, write, 3000, &copy, NULL), -K42_WAIT);
    assert_int_equal(medium_answer(&medium), 1);
    put_word(fcm, 3000, 3);
    assert_int_equal(word_at(fcm, 2048), 0);
    assert_int_equal(k42_destroy((k42_ref)fcm), 0);
    medium_set_by_hand(&medium, false);
    end(before);
    medium_close(&medium);
}

static void a_file_that_others_changed_is_read_again(void **state) {
    (void)state;
    struct medium medium = {.late = true};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(3)), other = make(pm_machine, &medium, BYTES(3));
    struct space space;
    struct fcm_page page;
    uint64_t value;
    space_open(&space, fcm);
    put_word(fcm, 0, 1);
    put_word(fcm, BYTES(2), 1);
    assert_int_equal(CALL(fcm, sync, 0, 3, 0), 0);
    assert_int_equal(space_load(&space, 0, &value), 0);
    put_word(other, 0, 2);
    assert_int_equal(CALL(other, sync, 0, 3, 0), 0);
    put_word(fcm, 0, 3); /* lost */
    assert_int_equal(CALL(fcm, get_page, 2, 0, &page), 0);
    assert_int_equal(TRY(fcm, renew, BYTES(5)), -K42_WAIT);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    assert_int_equal(CALL(fcm, put_page, 2), 0);
    assert_int_equal(CALL(fcm, renew, BYTES(5)), 0);
    assert_int_equal(space_mapped(&space), 0);
    assert_int_equal(CALL(fcm, size), BYTES(5));
    assert_int_equal(word_at(fcm, 0), 2);
    assert_int_equal(word_at(fcm, BYTES(2)), 1);
    space_close(&space);
    assert_int_equal(CALL(fcm, renew, 0), 0);
    assert_int_equal(usage_of(fcm).present, 0);
    assert_int_equal(medium_word(&medium, 0, 0), 2);
    assert_int_equal(k42_destroy((k42_ref)fcm), 0);
    end(other);
    medium_close(&medium);
}

static void a_page_written_after_its_write_back_is_written_again(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(1));
    struct space space;
    space_open(&space, fcm);
    for (uint64_t round = 1; round < 5; round++) {
        assert_int_equal(space_store(&space, 8, round), 0);
        assert_int_equal(usage_of(fcm).dirty, 1);
        assert_int_equal(CALL(fcm, sync, 0, 1, 0), 0);
        assert_int_equal(usage_of(fcm).dirty, 0);
        assert_int_equal(medium_word(&medium, 0, 1), round);
    }
    space_close(&space);
    end(fcm);
    medium_close(&medium);
}

static void a_page_that_cannot_be_read_is_an_error_once(void **state) {
    (void)state;
    struct medium medium = {.fail_fill = -EIO};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(100));
    uint64_t word;
    for (unsigned late = 0; late < 2; late++) {
        medium.late = late;
        medium.fail_fill = -EIO;
        assert_int_equal(stage_read(fcm, BYTES(90 * late), &word, sizeof word), -EIO);
        assert_int_equal(stage_read(fcm, BYTES(90 * late), &word, sizeof word), sizeof word);
    }
    end(fcm);
    medium_close(&medium);
}

static void a_failure_is_told_to_who_has_yet_to_begin_to_wait(void **state) {
    (void)state;
    struct medium medium = {.late = true, .by_hand = true};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(1));
    struct fcm_page page;
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    medium.fail_fill = -EIO;
    assert_int_equal(medium_answer(&medium), 1);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -EIO);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), -K42_WAIT);
    assert_int_equal(medium_answer(&medium), 1);
    assert_int_equal(TRY(fcm, get_page, 0, 0, &page), 0);
    assert_int_equal(TRY(fcm, put_page, 0), 0);
    end(fcm);
    medium_close(&medium);
}

static void a_page_that_cannot_be_written_is_told_once_by_sync(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, 0);
    for (unsigned late = 0; late < 2; late++) {
        medium.late = late;
        medium.fail_write = -ENOSPC;
        put_word(fcm, 0, 1);
        assert_int_equal(CALL(fcm, sync, 0, 1, 1), -ENOSPC);
        assert_int_equal(CALL(fcm, sync, 0, 1, 1), 0);
    }
    end(fcm);
    medium_close(&medium);
}

static void a_medium_that_is_full_is_asked_again(void **state) {
    (void)state;
    struct medium medium = {.refuse = 2};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(1));
    assert_int_equal(TRY(fcm, get_page, 0, 0, &(struct fcm_page){0}), -K42_WAIT);
    assert_int_equal(usage_of(fcm).in_transit, 0);
    assert_int_equal(word_at(fcm, 0), 0);
    put_word(fcm, 0, 5);
    medium.refuse = 1;
    assert_int_equal(TRY(fcm, sync, 0, 1, 0), -K42_WAIT);
    assert_int_equal(usage_of(fcm).dirty, 1);
    assert_int_equal(CALL(fcm, sync, 0, 1, 0), 0);
    assert_int_equal(medium_word(&medium, 0, 0), 5);
    end(fcm);
    medium_close(&medium);
}

static void a_sync_waits_for_a_held_page(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(1));
    struct fcm_page page;
    assert_int_equal(CALL(fcm, get_page, 0, FCM_WRITE, &page), 0);
    assert_true(page.writable);
    assert_int_equal(TRY(fcm, sync, 0, 1, 0), -K42_WAIT);
    assert_int_equal(medium.writes, 0);
    assert_int_equal(TRY(fcm, put_page, 0), 0);
    assert_int_equal(TRY(fcm, sync, 0, 1, 0), 0);
    assert_int_equal(medium.writes, 1);
    assert_int_equal(CALL(fcm, get_page, 0, 0, &page), 0);
    assert_false(page.writable);
    assert_int_equal(TRY(fcm, put_page, 0), 0);
    end(fcm);
    medium_close(&medium);
}

static void a_sync_is_over_when_what_was_dirty_has_been_written(void **state) {
    (void)state;
    struct medium medium = {.late = true, .by_hand = true};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, 0);
    static char page[FRAME_BYTES];
    struct copy copy = copy_of_kernel(page, sizeof page);
    put_word(fcm, 0, 1);
    assert_int_equal(TRY(fcm, sync, 0, 9, 0), -K42_WAIT);
    assert_int_equal(TRY(fcm, write, BYTES(1), &copy, NULL), sizeof page);
    assert_int_equal(medium_answer(&medium), 1);
    assert_int_equal(TRY(fcm, sync, 0, 9, 0), 0);
    assert_int_equal(usage_of(fcm).dirty, 1);
    medium_set_by_hand(&medium, false);
    assert_int_equal(CALL(fcm, sync, 0, 9, 0), 0);
    assert_int_equal(usage_of(fcm).dirty, 0);
    end(fcm);
    medium_close(&medium);
}

static void what_is_dirty_is_written_though_nobody_syncs(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(3));
    struct fcm_page page;
    for (uint64_t round = 1; round < 3; round++) {
        put_word(fcm, 0, round);
        assert_int_equal(CALL(fcm, get_page, 2, FCM_WRITE, &page), 0);
        medium.fail_write = round == 2 ? -EIO : 0;
        assert_int_equal(CALL(fcm, give_back, 0), 0);
        if (class_ == &fcm_pinned) {
            medium.fail_write = 0;
            assert_int_equal(CALL(fcm, put_page, 2), 0);
            continue;
        }
        assert_int_equal(medium_word(&medium, 0, 0), 1);
        assert_int_equal(usage_of(fcm).dirty, 1);
        assert_int_equal(CALL(fcm, put_page, 2), 0);
        assert_int_equal(CALL(fcm, give_back, 0), 0);
        assert_int_equal(usage_of(fcm).dirty, 0);
    }
    /* What failed is the next sync's to tell. */
    assert_int_equal(CALL(fcm, sync, 0, 3, 0), class_ == &fcm_pinned ? 0 : -EIO);
    end(fcm);
    medium_close(&medium);
}

/* ---- memory ---- */

static void only_pages_nobody_holds_are_given_back(void **state) {
    (void)state;
    struct medium medium = {.late = false};
    medium_open(&medium);
    fcm_ref fcm = make(pm_machine, &medium, BYTES(8));
    struct space space;
    struct fcm_page page;
    uint64_t value;
    space_open(&space, fcm);
    for (unsigned i = 0; i < 8; i++)
        put_word(fcm, BYTES(i), i + 1);
    assert_int_equal(space_load(&space, BYTES(2), &value), 0);
    assert_int_equal(CALL(fcm, get_page, 5, 0, &page), 0);
    k42_result freed = 0;
    for (unsigned round = 0; round < 4; round++)
        freed += CALL(fcm, give_back, 100);
    if (class_ == &fcm_pinned) {
        assert_int_equal(freed, 0);
    } else {
        assert_int_equal(freed, 7);
        assert_int_equal(space_mapped(&space), 0);
        assert_int_equal(usage_of(fcm).present, 1);
    }
    assert_int_equal(CALL(fcm, put_page, 5), 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(word_at(fcm, BYTES(i)), i + 1);
    space_close(&space);
    end(fcm);
    medium_close(&medium);
}

static void a_file_larger_than_the_limit_passes_through_it(void **state) {
    (void)state;
    struct medium medium = {.late = true};
    k42_ref below;
    medium_open(&medium);
    assert_int_equal(CALL(pm_machine, divide, 40, &below), 0);
    fcm_ref fcm = make((pm_ref)below, &medium, 0);
    if (class_ != &fcm_pinned) {
        struct pm_usage usage;
        for (unsigned page = 0; page < 200; page++)
            put_word(fcm, BYTES(page), page + 1);
        for (unsigned page = 0; page < 200; page++)
            assert_int_equal(word_at(fcm, BYTES(page)), page + 1);
        assert_int_equal(CALL((pm_ref)below, usage, &usage), 0);
        assert_true(usage.peak <= 40);
        assert_true(usage.given_back >= 160);
        assert_int_equal(usage.fcms, 1);
    }
    end(fcm);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(k42_destroy(below), 0);
    medium_close(&medium);
}

static void a_limit_that_nothing_can_keep_is_no_memory(void **state) {
    (void)state;
    k42_ref below;
    assert_int_equal(CALL(pm_machine, divide, 10, &below), 0);
    fcm_ref fcm = make((pm_ref)below, NULL, BYTES(20)), pinned;
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
    end(pinned);
    assert_int_equal(k42_defer_flush(), 0);
    assert_int_equal(CALL((pm_ref)below, usage, &usage), 0);
    assert_int_equal(usage.used, 0);
    assert_int_equal(k42_destroy(below), 0);
}

static uint32_t killed;
static fcm_ref victim;

static bool kill_victim(void) {
    if (!victim)
        return false;
    assert_int_equal(CALL(victim, resize, 0), 0);
    victim = (fcm_ref)K42_NULL_REF;
    killed++;
    return true;
}

static void when_memory_is_out_somebody_is_ended_and_then_there_is_none(void **state) {
    (void)state;
    struct fcm_page page;
    pm_out_of_memory = kill_victim;
    killed = 0;
    class_ = &fcm_pinned;
    victim = make_in_memory(BYTES(STAGE_FRAMES));
    fcm_ref large = victim, other = make_in_memory(BYTES(STAGE_FRAMES));
    for (unsigned i = 0; i < STAGE_FRAMES / 2; i++)
        assert_int_equal(CALL(large, get_page, i, 0, &page) | CALL(large, put_page, i), 0);
    k42_result result = 0;
    unsigned got = 0;
    for (; got < STAGE_FRAMES && !result; got++) {
        result = CALL(other, get_page, got, 0, &page);
        if (!result)
            assert_int_equal(CALL(other, put_page, got), 0);
    }
    assert_int_equal(killed, 1);
    assert_int_equal(result, -ENOMEM);
    assert_true(got > STAGE_FRAMES / 2);
    pm_out_of_memory = NULL;
    end(large);
    end(other);
}

static void urgent_frames_are_there_when_others_are_out(void **state) {
    (void)state;
    k42_ref below;
    assert_int_equal(CALL(pm_machine, divide, ~0ul, &below), 0);
    k42_enter();
    struct k42_pair taken = k42_call((pm_ref)below, take, 3, PM_ZERO | PM_TRY);
    assert_int_equal(taken.result, 0);
    for (unsigned i = 0; i < 8 * 512; i++)
        assert_int_equal(((uint64_t *)machine_memory(taken.word))[i], 0);
    assert_int_equal(k42_call((pm_ref)below, give, taken.word, 3, 0), 0);
    assert_int_equal(k42_call((pm_ref)below, take, 30, PM_TRY).result, -EINVAL);
    k42_exit();
    assert_int_equal(k42_destroy(below), 0);
}

/* ---- swaps at rest ---- */

static void swap(fcm_ref fcm, struct k42_class *to, k42_result expected) {
    struct k42_swap request = {
        .ref = (k42_ref)fcm, .to = to, .deadline_ns = 60000000000ul, .attempts = 4};
    k42_result result = k42_swap_run(&request);
    if (result != expected)
        print_error("%s\n", request.report.text);
    assert_int_equal(result, expected);
}

static void a_page_in_transit_arrives_at_the_new_object(void **state) {
    (void)state;
    static struct k42_class *const classes[] = {&fcm_shared, &fcm_pinned, &fcm_plain};
    struct medium medium = {.late = true, .by_hand = true};
    medium_open(&medium);
    for (unsigned i = 0; i < 3; i++) {
        fcm_ref fcm = make(pm_machine, &medium, BYTES(100));
        struct space space;
        struct fcm_page page;
        space_open(&space, fcm);
        assert_int_equal(TRY(fcm, get_page, 70, 0, &page), -K42_WAIT);
        swap(fcm, classes[i], 0);
        assert_int_equal(usage_of(fcm).in_transit, 1);
        assert_int_equal(usage_of(fcm).attachments, 1);
        assert_int_equal(medium_answer(&medium), 1);
        assert_int_equal(TRY(fcm, get_page, 70, FCM_WRITE, &page), 0);
        swap(fcm, classes[(i + 1) % 3], 0);
        assert_int_equal(usage_of(fcm).held, 1);
        assert_int_equal(TRY(fcm, put_page, 70), 0);
        assert_int_equal(TRY(fcm, sync, 0, 100, 0), -K42_WAIT);
        swap(fcm, classes[(i + 2) % 3], 0);
        assert_int_equal(medium_answer(&medium), 1);
        assert_int_equal(TRY(fcm, sync, 0, 100, 0), 0);
        space_close(&space);
        end(fcm);
    }
    medium_close(&medium);
}

static void a_device_maps_what_it_is_and_swaps_with_nothing_else(void **state) {
    (void)state;
    struct fcm_registers registers = {.physical = 0xfe000000, .pages = 4};
    struct fcm_page page;
    struct space space;
    k42_ref ref;
    assert_int_equal(k42_create(&fcm_device, &registers, &ref), 0);
    fcm_ref fcm = (fcm_ref)ref;
    space_open(&space, fcm);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(TRY(fcm, get_page, 3, FCM_WRITE, &page), 0);
        assert_int_equal(page.physical, 0xfe003000);
        assert_true(page.writable);
        assert_int_equal(TRY(fcm, mapped, 3, 1), 0);
        assert_int_equal(TRY(fcm, get_page, 4, 0, &page), -ENXIO);
        assert_int_equal(TRY(fcm, size), BYTES(4));
        assert_int_equal(usage_of(fcm).attachments, 1);
        swap(fcm, &fcm_device, 0);
    }
    swap(fcm, &fcm_shared, -EINVAL);
    fcm_ref file = make_in_memory(BYTES(1));
    swap(file, &fcm_device, -EINVAL);
    assert_int_equal(word_at(file, 0), 0);
    end(file);
    space_close(&space);
    assert_int_equal(k42_destroy(ref), 0);
}

static void zeros_stay_zeros_whatever_is_written_back(void **state) {
    (void)state;
    k42_ref fr;
    assert_int_equal(k42_create(&fr_zero, NULL, &fr), 0);
    struct fcm_file file = {.pm = pm_machine, .fr = (fr_ref)fr, .size = BYTES(4)};
    k42_ref ref;
    assert_int_equal(k42_create(class_, &file, &ref), 0);
    fcm_ref fcm = (fcm_ref)ref;
    put_word(fcm, BYTES(1), 7);
    assert_int_equal(CALL(fcm, sync, 0, 4, 1), 0);
    swap((fcm_ref)fr, &fr_zero, 0);
    assert_int_equal(word_at(fcm, BYTES(1)), 7);
    for (unsigned round = 0; round < 3; round++)
        assert_true(CALL(fcm, give_back, 10) >= 0);
    assert_int_equal(word_at(fcm, BYTES(1)), 0);
    assert_int_equal(CALL(fcm, punch, 0, BYTES(4)), 0);
    end(fcm);
    assert_int_equal(k42_destroy(fr), 0);
}

#define TEST(statement) cmocka_unit_test_setup_teardown(statement, begin_test, end_test)

int main(int count, char **arguments) {
    const struct CMUnitTest tests[] = {
        TEST(a_file_begins_as_zeros_and_keeps_what_is_written),
        TEST(reading_stops_at_the_end),
        TEST(writing_moves_the_end_and_what_was_skipped_is_zero),
        TEST(no_file_is_longer_than_an_offset_can_say),
        TEST(a_copy_that_ends_early_moves_as_far_as_it_came),
        TEST(a_page_is_not_written_back_before_the_file_reaches_it),
        TEST(one_writer_at_a_time_moves_the_end),
        TEST(what_was_cut_off_is_zero_when_the_file_grows_again),
        TEST(what_a_program_wrote_behind_the_end_is_not_in_the_file),
        TEST(a_hole_reads_as_zero_and_the_size_stays),
        TEST(a_held_page_is_not_cut_off),
        TEST(what_was_begun_to_be_cut_off_is_so_after_a_swap),
        TEST(a_page_that_is_being_filled_is_not_cut_off),
        TEST(a_mapped_page_that_is_cut_off_is_nowhere_mapped),
        TEST(what_is_synced_is_on_the_medium_and_comes_back),
        TEST(what_the_medium_has_behind_the_end_is_not_in_the_file),
        TEST(a_file_that_others_changed_is_read_again),
        TEST(a_page_written_after_its_write_back_is_written_again),
        TEST(a_page_that_cannot_be_read_is_an_error_once),
        TEST(a_failure_is_told_to_who_has_yet_to_begin_to_wait),
        TEST(a_page_that_cannot_be_written_is_told_once_by_sync),
        TEST(a_medium_that_is_full_is_asked_again),
        TEST(a_sync_waits_for_a_held_page),
        TEST(a_sync_is_over_when_what_was_dirty_has_been_written),
        TEST(what_is_dirty_is_written_though_nobody_syncs),
        TEST(only_pages_nobody_holds_are_given_back),
        TEST(a_file_larger_than_the_limit_passes_through_it),
        TEST(a_limit_that_nothing_can_keep_is_no_memory),
        TEST(a_page_in_transit_arrives_at_the_new_object),
    };
    const struct CMUnitTest others[] = {
        TEST(urgent_frames_are_there_when_others_are_out),
        TEST(zeros_stay_zeros_whatever_is_written_back),
        TEST(a_device_maps_what_it_is_and_swaps_with_nothing_else),
        TEST(when_memory_is_out_somebody_is_ended_and_then_there_is_none),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    stage_open();
    class_ = count > 1 ? k42_class_find(arguments[1]) : NULL;
    return class_ ? cmocka_run_group_tests(tests, NULL, NULL)
                  : (class_ = &fcm_shared, cmocka_run_group_tests(others, NULL, NULL));
}
