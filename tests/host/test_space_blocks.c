/*
 * Blocks of a file in an address space: mapped by one entry where that is possible, in single pages
 * where it is not, and from the one to the other without a word that is wrong.
 */
#include "space_fixture.h"

#define BASE  0x10000000ul
#define BLOCK (LARGE / PAGE)

static uintptr_t map_blocks(space_ref space, k42_ref file, uint64_t first, unsigned protection,
                            unsigned flags) {
    struct space_request request = {.length = (FILE_PAGES - first) * PAGE,
                                    .protection = protection,
                                    .most = SPACE_ALL,
                                    .flags = flags,
                                    .fcm = file,
                                    .first = first};
    struct k42_pair place = program_map(space, &request);
    assert_int_equal(place.result, 0);
    assert_int_equal((place.word / PAGE - first) % BLOCK, 0);
    return place.word - first * PAGE;
}

static void expect_word(space_ref space, uintptr_t at, uint64_t page, uint64_t expected) {
    uint64_t value = 0;
    assert_int_equal(program_read(space, at + page * PAGE, &value), 0);
    assert_int_equal(value, expected);
}

static void expect_file(space_ref space, uintptr_t at, uint64_t first, uint64_t end) {
    for (uint64_t page = first; page < end; page++)
        expect_word(space, at, page, file_word(page));
}

static uint64_t frames_of_tables(space_ref space) {
    struct space_usage usage;
    k42_enter();
    assert_int_equal(k42_call(space, usage, &usage), 0);
    k42_exit();
    return usage.tables;
}

static void a_block_of_a_file_needs_one_fault_and_no_leaf(void **state) {
    (void)state;
    k42_ref file = fixture_file_of_blocks();
    space_ref space = fixture_space();
    for (unsigned shared = 0; shared < 2; shared++) {
        uintptr_t at = map_blocks(space, file, 0, SPACE_READ, shared ? SPACE_SHARED : 0);
        expect_word(space, at, 700, file_word(700));
        uint64_t tables = frames_of_tables(space);
        expect_file(space, at, BLOCK, FILE_PAGES);
        assert_int_equal(frames_of_tables(space), tables);
        expect_file(space, at, 0, BLOCK);
        assert_int_equal(frames_of_tables(space), tables);
    }
    /* Populated, as well. */
    uintptr_t at = map_blocks(space, file, 0, SPACE_READ, SPACE_SHARED);
    uint64_t tables = frames_of_tables(space);
    assert_int_equal(program_advise(space, at, FILE_PAGES * PAGE, 22), 0);
    assert_true(frames_of_tables(space) <= tables + 1);
    /* Where blocks are not blocks of addresses there are single pages. */
    struct space_request request = {.address = BASE + PAGE,
                                    .length = FILE_PAGES * PAGE,
                                    .protection = SPACE_READ,
                                    .most = SPACE_READ,
                                    .flags = SPACE_FIXED,
                                    .fcm = file};
    assert_int_equal(program_map(space, &request).result, 0);
    expect_word(space, BASE + PAGE, BLOCK + 3, file_word(BLOCK + 3));
    expect_file(space, BASE + PAGE, 0, FILE_PAGES);
    /* A part of a block is in single pages, and the block behind it is not. */
    at = map_blocks(space, file, 5, SPACE_READ, 0);
    uint64_t before = frames_of_tables(space);
    expect_file(space, at, BLOCK, FILE_PAGES);
    uint64_t with_block = frames_of_tables(space);
    expect_file(space, at, 5, BLOCK);
    assert_int_equal(frames_of_tables(space), with_block + 1);
    assert_true(with_block <= before + 2);
    fixture_end_space(space);
    fixture_settle();
    assert_int_equal(k42_destroy(file), 0);
}

static void one_page_of_a_private_block_is_copied_when_it_is_written(void **state) {
    (void)state;
    k42_ref file = fixture_file_of_blocks();
    space_ref space = fixture_space(), other = fixture_space();
    uintptr_t at = map_blocks(space, file, 0, SPACE_READ | SPACE_WRITE, 0);
    uintptr_t there = map_blocks(other, file, 0, SPACE_READ, SPACE_SHARED);
    expect_word(space, at, 3, file_word(3));
    expect_word(other, there, 3, file_word(3));
    uint64_t before = fixture_frames();
    assert_int_equal(program_write(space, at + 7 * PAGE, 77), 0);
    assert_int_equal(fixture_frames(), before + 2); /* the copy, and a leaf */
    expect_file(space, at, 0, 7);
    expect_word(space, at, 7, 77);
    expect_file(space, at, 8, BLOCK);
    expect_file(other, there, 0, BLOCK);
    fixture_file_evict(file, 7);
    fixture_file_evict(file, 8);
    expect_word(space, at, 7, 77);
    expect_word(space, at, 8, file_word(8));
    expect_file(other, there, 0, BLOCK);
    fixture_end_space(space);
    fixture_end_space(other);
    fixture_settle();
    assert_int_equal(k42_destroy(file), 0);
}

/* What is asked of a part goes by letting the whole go, which needs nothing; the rest comes back.
 */
static void parts_of_a_mapped_block_go_and_change_without_memory(void **state) {
    (void)state;
    k42_ref file = fixture_file_of_blocks();
    space_ref space = fixture_space();
    uint64_t value;
    uintptr_t at = map_blocks(space, file, 0, SPACE_READ | SPACE_EXECUTE, 0);
    expect_word(space, at, 0, file_word(0));
    expect_word(space, at, BLOCK, file_word(BLOCK));
    fixture_limit_frames(0);
    fixture_file_evict(file, 20);
    fixture_limit_frames(~0ul);
    expect_word(space, at, 20, file_word(20));
    fixture_limit_frames(0);
    assert_int_equal(program_unmap(space, at + 30 * PAGE, PAGE), 0);
    assert_int_equal(program_protect(space, at + (BLOCK + 9) * PAGE, PAGE, 0), 0);
    fixture_limit_frames(~0ul);
    expect_file(space, at, 0, 30);
    assert_int_equal(program_read(space, at + 30 * PAGE, &value), -EFAULT);
    expect_file(space, at, 31, BLOCK + 9);
    assert_int_equal(program_read(space, at + (BLOCK + 9) * PAGE, &value), -EACCES);
    expect_file(space, at, BLOCK + 10, FILE_PAGES);
    /* All of a block keeps its entry when it may be read still. */
    at = map_blocks(space, file, 0, SPACE_READ | SPACE_EXECUTE, 0);
    expect_word(space, at, 0, file_word(0));
    uint64_t tables = frames_of_tables(space);
    assert_int_equal(program_protect(space, at, LARGE, SPACE_READ), 0);
    fixture_limit_frames(0);
    expect_file(space, at, 0, BLOCK);
    fixture_limit_frames(~0ul);
    assert_int_equal(frames_of_tables(space), tables);
    fixture_end_space(space);
    fixture_settle();
    assert_int_equal(k42_destroy(file), 0);
}

static void a_block_that_leaves_is_forgotten_by_children_too(void **state) {
    (void)state;
    k42_ref file = fixture_file_of_blocks();
    space_ref parent = fixture_space();
    uintptr_t at = map_blocks(parent, file, 0, SPACE_READ, 0);
    expect_word(parent, at, 0, file_word(0));
    space_ref child = program_fork(parent);
    machine_this_cpu = 1;
    expect_word(child, at, 1, file_word(1));
    machine_this_cpu = 0;
    for (uint64_t page = 0; page < BLOCK; page += 100) {
        fixture_file_evict(file, page);
        machine_this_cpu = 1;
        expect_word(child, at, page, file_word(page));
        machine_this_cpu = 0;
        expect_word(parent, at, page, file_word(page));
    }
    fixture_end_space(child);
    fixture_end_space(parent);
    fixture_settle();
    assert_int_equal(k42_destroy(file), 0);
}

static void a_shared_block_is_single_pages_where_it_may_be_written(void **state) {
    (void)state;
    k42_ref file = fixture_file_of_blocks();
    space_ref space = fixture_space();
    uintptr_t at = map_blocks(space, file, 0, SPACE_READ, SPACE_SHARED);
    expect_word(space, at, 4, file_word(4));
    uint64_t tables = frames_of_tables(space);
    /* Allowed more, it is written page by page. */
    assert_int_equal(program_protect(space, at, LARGE, SPACE_READ | SPACE_WRITE), 0);
    expect_file(space, at, 0, BLOCK);
    assert_int_equal(frames_of_tables(space), tables);
    assert_int_equal(program_write(space, at + 4 * PAGE, 44), 0);
    assert_int_equal(frames_of_tables(space), tables + 1);
    expect_word(space, at, 4, 44);
    expect_file(space, at, 5, BLOCK);
    /* Where it may be written from the beginning there is a leaf from the beginning. */
    at = map_blocks(space, file, 0, SPACE_READ | SPACE_WRITE, SPACE_SHARED);
    expect_word(space, at, 5, file_word(5));
    tables = frames_of_tables(space);
    assert_int_equal(program_write(space, at + 6 * PAGE, 66), 0);
    assert_int_equal(frames_of_tables(space), tables);
    expect_word(space, at, 6, 66);
    fixture_end_space(space);
    fixture_settle();
    assert_int_equal(k42_destroy(file), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_block_of_a_file_needs_one_fault_and_no_leaf),
        TEST(one_page_of_a_private_block_is_copied_when_it_is_written),
        TEST(parts_of_a_mapped_block_go_and_change_without_memory),
        TEST(a_block_that_leaves_is_forgotten_by_children_too),
        TEST(a_shared_block_is_single_pages_where_it_may_be_written),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
