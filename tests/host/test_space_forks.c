/*
 * Address spaces that are forked: parents and children see their own writes and what they share,
 * and a page that leaves is forgotten by all of them, whoever has which leaf of the tables.
 */
#include "space_fixture.h"

static void a_child_and_its_parent_see_their_own_writes_only(void **state) {
    (void)state;
    space_ref parent = fixture_space();
    uintptr_t at = program_map_memory(parent, 0, 64 * PAGE, 0);
    uint64_t value;
    for (unsigned n = 0; n < 64; n++)
        assert_int_equal(program_write(parent, at + n * PAGE, n), 0);
    space_ref child = program_fork(parent);
    space_ref grandchild = program_fork(child);
    assert_int_equal(program_write(child, at, 100), 0);
    assert_int_equal(program_write(parent, at + PAGE, 200), 0);
    assert_int_equal(program_write(grandchild, at + 2 * PAGE, 300), 0);
    space_ref all[3] = {parent, child, grandchild};
    uint64_t expected[3][3] = {{0, 200, 2}, {100, 1, 2}, {0, 1, 300}};
    for (unsigned who = 0; who < 3; who++)
        for (unsigned n = 0; n < 3; n++) {
            assert_int_equal(program_read(all[who], at + n * PAGE, &value), 0);
            assert_int_equal(value, expected[who][n]);
        }
    fixture_end_space(parent);
    fixture_settle();
    assert_int_equal(program_write(child, at + 5 * PAGE, 5), 0);
    assert_int_equal(program_read(grandchild, at + 6 * PAGE, &value), 0);
    assert_int_equal(value, 6);
    fixture_end_space(child);
    fixture_end_space(grandchild);
}

static void shared_memory_is_the_same_for_parent_and_child(void **state) {
    (void)state;
    space_ref parent = fixture_space();
    uintptr_t at = program_map_memory(parent, 0, 16 * PAGE, SPACE_SHARED);
    uint64_t value;
    assert_int_equal(program_write(parent, at, 1), 0);
    space_ref child = program_fork(parent);
    assert_int_equal(program_write(child, at, 2), 0);
    assert_int_equal(program_write(child, at + PAGE, 3), 0);
    assert_int_equal(program_read(parent, at, &value), 0);
    assert_int_equal(value, 2);
    fixture_end_space(child);
    fixture_settle();
    assert_int_equal(program_unmap(parent, at, PAGE), 0);
    assert_int_equal(program_read(parent, at + PAGE, &value), 0);
    assert_int_equal(value, 3);
    fixture_end_space(parent);
}

static void a_page_that_leaves_is_forgotten_by_children_too(void **state) {
    (void)state;
    space_ref parent = fixture_space();
    k42_ref file = fixture_file();
    struct space_request request = {
        .length = 8 * PAGE, .protection = SPACE_READ, .most = SPACE_ALL, .fcm = file};
    uintptr_t at = program_map(parent, &request).word;
    uint64_t value = 0;
    assert_int_equal(program_read(parent, at + PAGE, &value), 0);
    space_ref child = program_fork(parent);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(program_read(child, at + PAGE, &value), 0);
        assert_int_equal(value, file_word(1));
        assert_int_equal(program_read(parent, at + PAGE, &value), 0);
        assert_int_equal(value, file_word(1));
        machine_this_cpu = 1; /* another processor, with a buffer of its own */
        assert_int_equal(program_read(child, at + PAGE, &value), 0);
        machine_this_cpu = 0;
        fixture_file_evict(file, 1);
        machine_this_cpu = 1;
        assert_int_equal(program_read(child, at + PAGE, &value), 0);
        assert_int_equal(value, file_word(1));
        machine_this_cpu = 0;
    }
    fixture_end_space(child);
    fixture_end_space(parent);
    fixture_settle();
    assert_int_equal(k42_destroy(file), 0);
}

#define FILE_AT 0x10000000ul
#define BESIDE  (FILE_AT + 64 * PAGE) /* memory in the same leaf */

static space_ref writers[2];

static void write_beside(void) {
    for (unsigned n = 0; n < 2; n++)
        if (writers[n] != (space_ref)K42_NULL_REF)
            assert_int_equal(program_write(writers[n], BESIDE, n), 0);
}

static void reads_are_right(space_ref space) {
    uint64_t value = 0;
    machine_this_cpu = 1;
    assert_int_equal(program_read(space, FILE_AT + PAGE, &value), 0);
    assert_int_equal(value, file_word(1));
    assert_int_equal(program_read(space, BESIDE + PAGE, &value), 0);
    assert_int_equal(value, 7);
    machine_this_cpu = 0;
}

/* A page of the file leaves. When it has left the leaf that both share, on the parent's behalf, the
 * writers get leaves of their own; and nobody will tell the child's CPUs again. */
static void evict_while_leaves_part(bool parent_writes) {
    space_ref parent = fixture_space();
    k42_ref file = fixture_file();
    struct space_request request = {.address = FILE_AT,
                                    .length = 8 * PAGE,
                                    .protection = SPACE_READ,
                                    .most = SPACE_ALL,
                                    .flags = SPACE_FIXED,
                                    .fcm = file};
    uint64_t value = 0;
    assert_int_equal(program_map(parent, &request).word, FILE_AT);
    assert_int_equal(program_map_memory(parent, BESIDE, 8 * PAGE, 0), BESIDE);
    assert_int_equal(program_read(parent, FILE_AT + PAGE, &value), 0);
    assert_int_equal(program_write(parent, BESIDE + PAGE, 7), 0);
    space_ref child = program_fork(parent);
    writers[0] = parent_writes ? parent : (space_ref)K42_NULL_REF;
    writers[1] = child;
    reads_are_right(child);
    fixture_after_unmap = write_beside;
    fixture_file_evict(file, 1);
    fixture_after_unmap = NULL;
    reads_are_right(child);
    reads_are_right(parent);
    fixture_end_space(child);
    fixture_end_space(parent);
    fixture_settle();
    assert_int_equal(k42_destroy(file), 0);
}

static void a_page_that_left_a_shared_leaf_is_forgotten_with_its_copy(void **state) {
    (void)state;
    evict_while_leaves_part(false);
}

static void a_page_that_left_a_shared_leaf_is_forgotten_when_it_is_nobody_elses(void **state) {
    (void)state;
    evict_while_leaves_part(true);
}

static void fork_takes_no_frames_for_pages(void **state) {
    (void)state;
    space_ref parent = fixture_space();
    uintptr_t at = program_map_memory(parent, 0, 8 * LARGE - PAGE, 0);
    for (uintptr_t page = 0; page < 8 * LARGE - PAGE; page += PAGE)
        assert_int_equal(program_write(parent, at + page, page), 0);
    uint64_t before = fixture_frames();
    space_ref child = program_fork(parent);
    assert_true(fixture_frames() - before <= 4);
    fixture_end_space(child);
    fixture_end_space(parent);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_child_and_its_parent_see_their_own_writes_only),
        TEST(shared_memory_is_the_same_for_parent_and_child),
        TEST(a_page_that_leaves_is_forgotten_by_children_too),
        TEST(a_page_that_left_a_shared_leaf_is_forgotten_with_its_copy),
        TEST(a_page_that_left_a_shared_leaf_is_forgotten_when_it_is_nobody_elses),
        TEST(fork_takes_no_frames_for_pages),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
