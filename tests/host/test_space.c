/*
 * Address spaces: what programs read is what they wrote, whatever is mapped, unmapped, protected,
 * moved and forked; and every frame comes back. Compared with a plain model: one record a page, and
 * fork copies them all.
 */
#include "paging_fixture.h"

#define BASE  0x10000000ul
#define BLOCK (LARGE / PAGE)
#define PAGES 4096u /* of the window that the random test uses: eight leaves */

static unsigned random_state = 1;

static unsigned random_below(unsigned limit) {
    random_state = random_state * 1103515245 + 12345;
    return (random_state >> 8) % limit;
}

/* ---- single statements ---- */

static void untouched_memory_reads_as_zero(void **state) {
    (void)state;
    space_ref space = fixture_space();
    uintptr_t at = program_map_memory(space, 0, 8 * PAGE, 0);
    uint64_t value = 1;
    assert_int_equal(program_read(space, at + 3 * PAGE, &value), 0);
    assert_int_equal(value, 0);
    assert_int_equal(program_write(space, at + 3 * PAGE, 42), 0);
    assert_int_equal(program_read(space, at + 3 * PAGE, &value), 0);
    assert_int_equal(value, 42);
    fixture_end_space(space);
}

static void what_is_not_mapped_faults_as_linux_says(void **state) {
    (void)state;
    space_ref space = fixture_space();
    uint64_t value;
    uintptr_t at = program_map_memory(space, 0, 4 * PAGE, 0);
    assert_int_equal(program_read(space, at - PAGE, &value), -EFAULT);
    assert_int_equal(program_protect(space, at, PAGE, SPACE_READ), 0);
    assert_int_equal(program_read(space, at, &value), 0);
    assert_int_equal(program_write(space, at, 1), -EACCES);
    assert_int_equal(program_protect(space, at, PAGE, 0), 0);
    assert_int_equal(program_read(space, at, &value), -EACCES);
    assert_int_equal(program_unmap(space, at, PAGE), 0);
    assert_int_equal(program_read(space, at, &value), -EFAULT);
    assert_int_equal(program_read(space, at + PAGE, &value), 0);
    fixture_end_space(space);
}

static void beyond_the_end_of_a_file_is_a_bus_error(void **state) {
    (void)state;
    space_ref space = fixture_space();
    k42_ref file = fixture_file();
    struct space_request request = {.length = 4 * PAGE,
                                    .protection = SPACE_READ,
                                    .most = SPACE_ALL,
                                    .fcm = file,
                                    .first = FILE_PAGES - 2};
    struct k42_pair place = program_map(space, &request);
    uint64_t value = 0;
    assert_int_equal(place.result, 0);
    assert_int_equal(program_read(space, place.word + PAGE, &value), 0);
    assert_int_equal(value, file_word(FILE_PAGES - 1));
    assert_int_equal(program_read(space, place.word + 2 * PAGE, &value), -ENXIO);
    fixture_end_space(space);
    fixture_settle();
    assert_int_equal(fixture_attachments(file), 0);
    assert_int_equal(k42_destroy(file), 0);
}

static void a_protected_page_keeps_what_it_has(void **state) {
    (void)state;
    space_ref space = fixture_space();
    uintptr_t at = program_map_memory(space, 0, 4 * PAGE, 0);
    uint64_t value = 0;
    assert_int_equal(program_write(space, at, 7), 0);
    assert_int_equal(program_protect(space, at, 4 * PAGE, 0), 0);
    assert_int_equal(program_protect(space, at, 4 * PAGE, SPACE_READ | SPACE_WRITE), 0);
    assert_int_equal(program_read(space, at, &value), 0);
    assert_int_equal(value, 7);
    fixture_end_space(space);
}

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

static void large_areas_get_large_pages_and_lose_parts_of_them(void **state) {
    (void)state;
    space_ref space = fixture_space();
    uintptr_t at = program_map_memory(space, 0, 16 * LARGE, 0);
    uint64_t value;
    assert_int_equal(at % LARGE, 0);
    uint64_t before = fixture_frames();
    assert_int_equal(program_write(space, at + 5 * PAGE, 5), 0);
    assert_true(fixture_frames() - before >= 512);
    before = fixture_frames();
    assert_int_equal(program_write(space, at + 6 * PAGE, 6), 0);
    assert_int_equal(fixture_frames(), before);
    space_ref child = program_fork(space);
    assert_int_equal(program_write(child, at + 5 * PAGE, 50), 0);
    assert_int_equal(program_unmap(space, at + 6 * PAGE, PAGE), 0);
    assert_int_equal(program_read(space, at + 5 * PAGE, &value), 0);
    assert_int_equal(value, 5);
    assert_int_equal(program_read(child, at + 6 * PAGE, &value), 0);
    assert_int_equal(value, 6);
    assert_int_equal(program_read(space, at + 6 * PAGE, &value), -EFAULT);
    fixture_end_space(space);
    fixture_end_space(child);
}

/* ---- blocks of a file ---- */

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

static void a_stack_grows_to_its_limit_and_keeps_its_gap(void **state) {
    (void)state;
    space_ref space = fixture_space();
    struct space_request request = {.address = BASE + 4096 * PAGE,
                                    .length = 4 * PAGE,
                                    .protection = SPACE_READ | SPACE_WRITE,
                                    .most = SPACE_ALL,
                                    .flags = SPACE_FIXED | SPACE_GROWS_DOWN,
                                    .limit = 1024 * PAGE};
    assert_int_equal(program_map(space, &request).result, 0);
    uintptr_t top = BASE + 4100 * PAGE;
    assert_int_equal(program_write(space, top - 500 * PAGE, 1), 0);
    assert_int_equal(program_write(space, top - 1023 * PAGE, 1), 0);
    assert_int_equal(program_write(space, top - 1025 * PAGE, 1), -EFAULT);
    program_map_memory(space, top - 1400 * PAGE, PAGE, 0);
    fixture_end_space(space);
    space = fixture_space();
    assert_int_equal(program_map(space, &request).result, 0);
    program_map_memory(space, top - 400 * PAGE, PAGE, 0);
    assert_int_equal(program_write(space, top - 140 * PAGE, 1), 0);
    assert_int_equal(program_write(space, top - 150 * PAGE, 1), -EFAULT);
    fixture_end_space(space);
}

static void neighbours_become_one_region_and_holes_two(void **state) {
    (void)state;
    space_ref space = fixture_space();
    struct space_usage usage;
    program_map_memory(space, BASE, 4 * PAGE, 0);
    program_map_memory(space, BASE + 8 * PAGE, 4 * PAGE, 0);
    program_map_memory(space, BASE + 4 * PAGE, 4 * PAGE, 0);
    k42_enter();
    assert_int_equal(k42_call(space, usage, &usage), 0);
    assert_int_equal(usage.regions, 1);
    k42_exit();
    assert_int_equal(program_unmap(space, BASE + 5 * PAGE, PAGE), 0);
    assert_int_equal(program_protect(space, BASE + PAGE, PAGE, SPACE_READ), 0);
    k42_enter();
    assert_int_equal(k42_call(space, usage, &usage), 0);
    assert_int_equal(usage.regions, 4);
    assert_int_equal(usage.mapped, 11);
    k42_exit();
    assert_int_equal(program_protect(space, BASE + PAGE, PAGE, SPACE_READ | SPACE_WRITE), 0);
    k42_enter();
    assert_int_equal(k42_call(space, usage, &usage), 0);
    assert_int_equal(usage.regions, 2);
    k42_exit();
    fixture_end_space(space);
}

static void a_hundred_thousand_mappings_are_found(void **state) {
    (void)state;
    enum { MANY = 100000 };
    space_ref space = fixture_space();
    struct space_request request = {.length = PAGE, .most = SPACE_ALL};
    for (unsigned n = 0; n < MANY; n++) {
        request.protection = n & 1 ? SPACE_READ : SPACE_READ | SPACE_WRITE;
        assert_int_equal(program_map(space, &request).result, 0);
    }
    struct space_usage usage;
    k42_enter();
    assert_int_equal(k42_call(space, usage, &usage), 0);
    k42_exit();
    assert_int_equal(usage.regions, MANY);
    struct space_mapping mapping;
    unsigned found = 0;
    for (uintptr_t at = 0;; at = mapping.end) {
        k42_enter();
        k42_result result = k42_call(space, find, at, 0, &mapping);
        k42_exit();
        if (result < 0)
            break;
        found++;
    }
    assert_int_equal(found, MANY);
    assert_int_equal(program_unmap(space, PAGE * 16, USER_END - 16 * PAGE), 0);
    k42_enter();
    assert_int_equal(k42_call(space, usage, &usage), 0);
    k42_exit();
    assert_int_equal(usage.regions + usage.mapped, 0);
    fixture_end_space(space);
}

static void without_memory_there_is_an_error_and_nothing_is_lost(void **state) {
    (void)state;
    space_ref parent = fixture_space();
    uint64_t value;
    uintptr_t at = program_map_memory(parent, BASE, 600 * PAGE, 0);
    for (unsigned n = 0; n < 600; n++)
        assert_int_equal(program_write(parent, at + n * PAGE, n), 0);
    for (unsigned left = 0; left < 12; left++) {
        k42_ref child = K42_NULL_REF;
        fixture_limit_frames(left);
        k42_enter();
        k42_result result = k42_call(parent, fork, fixture_pm, &child);
        k42_exit();
        fixture_limit_frames(~0ul);
        assert_true(result == 0 || result == -ENOMEM);
        if (result < 0)
            continue;
        fixture_limit_frames(1);
        assert_int_equal(program_write((space_ref)child, at, 1), -ENOMEM);
        assert_int_equal(program_unmap((space_ref)child, at + PAGE, PAGE), 0);
        fixture_limit_frames(~0ul);
        fixture_end_space((space_ref)child);
    }
    fixture_settle();
    for (unsigned n = 0; n < 600; n++) {
        assert_int_equal(program_read(parent, at + n * PAGE, &value), 0);
        assert_int_equal(value, n);
    }
    fixture_end_space(parent);
}

/* ---- the model ---- */

struct model_page {
    bool mapped, file;
    unsigned protection;
    uint64_t value, initial;
};

struct program {
    space_ref space;
    struct model_page pages[PAGES];
};

enum { PROGRAMS = 4 };
static struct program *programs[PROGRAMS];
static k42_ref model_file;

static uintptr_t address_of(unsigned page) {
    return BASE + page * PAGE;
}

static void program_check(struct program *program, unsigned n) {
    struct model_page *page = &program->pages[n];
    uint64_t value = 0;
    k42_result result = program_read(program->space, address_of(n), &value);
    k42_result expected = !page->mapped ? -EFAULT : page->protection ? 0 : -EACCES;
    if (result != expected || (result == 0 && value != page->value))
        print_error("page %u: %ld, %lx; expected %ld, %lx\n", n, result, value, expected,
                    page->value);
    assert_int_equal(result, expected);
    if (result == 0)
        assert_int_equal(value, page->value);
}

static void do_map(struct program *program, unsigned first, unsigned count) {
    bool file = random_below(3) == 0;
    unsigned from = random_below(FILE_PAGES - 1);
    if (random_below(2)) /* such that blocks are blocks */
        from = first % BLOCK + random_below(2) * BLOCK;
    if (file && from + count > FILE_PAGES)
        count = FILE_PAGES - from;
    struct space_request request = {.address = address_of(first),
                                    .length = count * PAGE,
                                    .protection = random_below(4) ? SPACE_READ | SPACE_WRITE : 1,
                                    .most = SPACE_ALL,
                                    .flags = SPACE_FIXED | (random_below(3) ? 0 : SPACE_LARGE),
                                    .fcm = file ? model_file : K42_NULL_REF,
                                    .first = from};
    assert_int_equal(program_map(program->space, &request).result, 0);
    for (unsigned n = 0; n < count; n++) {
        uint64_t initial = file ? file_word(from + n) : 0;
        program->pages[first + n] =
            (struct model_page){true, file, request.protection, initial, initial};
    }
}

static void do_unmap(struct program *program, unsigned first, unsigned count) {
    assert_int_equal(program_unmap(program->space, address_of(first), count * PAGE), 0);
    memset(&program->pages[first], 0, count * sizeof(struct model_page));
}

static void do_protect(struct program *program, unsigned first, unsigned count) {
    static const unsigned kinds[] = {0, SPACE_READ, SPACE_READ | SPACE_WRITE,
                                     SPACE_READ | SPACE_WRITE};
    unsigned protection = kinds[random_below(4)];
    unsigned n = first;
    k42_result result =
        program_protect(program->space, address_of(first), count * PAGE, protection);
    for (; n < first + count && program->pages[n].mapped; n++)
        program->pages[n].protection = protection;
    assert_int_equal(result, n == first + count ? 0 : -ENOMEM);
}

/* Only within one region, whose ends the model does not know; where the result decides. */
static void do_move(struct program *program, unsigned first, unsigned count) {
    unsigned to = random_below(PAGES - count);
    struct space_move move = {.address = address_of(first),
                              .new_address = address_of(to),
                              .length = count * PAGE,
                              .new_length = count * PAGE,
                              .flags = SPACE_MAY_MOVE | SPACE_MOVE_TO};
    if (to < first + count && first < to + count)
        return;
    struct k42_pair place = program_resize(program->space, &move);
    if (place.result == -EFAULT)
        return;
    assert_int_equal(place.result, 0);
    memcpy(&program->pages[to], &program->pages[first], count * sizeof(struct model_page));
    memset(&program->pages[first], 0, count * sizeof(struct model_page));
}

static void do_discard(struct program *program, unsigned first, unsigned count) {
    bool gap = false;
    k42_result result = program_advise(program->space, address_of(first), count * PAGE, 4);
    for (unsigned n = first; n < first + count; n++) {
        program->pages[n].value = program->pages[n].initial;
        gap |= !program->pages[n].mapped;
    }
    assert_int_equal(result, gap ? -ENOMEM : 0);
}

static void do_write(struct program *program, unsigned first, unsigned count) {
    for (unsigned n = first; n < first + count; n++) {
        struct model_page *page = &program->pages[n];
        uint64_t value = random_below(1u << 20) + 1;
        k42_result result = program_write(program->space, address_of(n), value);
        assert_int_equal(result, !page->mapped                       ? -EFAULT
                                 : !(page->protection & SPACE_WRITE) ? -EACCES
                                                                     : 0);
        if (result == 0)
            page->value = value;
    }
}

static void do_read(struct program *program, unsigned first, unsigned count) {
    for (unsigned n = first; n < first + count; n++)
        program_check(program, n);
}

static void do_evict(struct program *program, unsigned first, unsigned count) {
    (void)program, (void)first, (void)count;
    for (unsigned n = 0; n < 8; n++)
        fixture_file_evict(model_file, random_below(FILE_PAGES));
}

static bool paging;

/* Some go out, some of those are forgotten by the cache; now and then all. */
static void do_page_out(struct program *program, unsigned first, unsigned count) {
    (void)program, (void)first;
    if (!paging)
        return;
    if (random_below(8) == 0)
        fixture_all_out();
    for (unsigned n = 0; n < count / 32; n++)
        (void)fixture_page_out(1 + random_below(64));
    k42_enter();
    (void)swap_give_back(random_below(200));
    k42_exit();
}

static void program_end(unsigned number) {
    fixture_end_space(programs[number]->space);
    free(programs[number]);
    programs[number] = NULL;
}

static void do_fork(struct program *program, unsigned first, unsigned count) {
    (void)first, (void)count;
    unsigned number = random_below(PROGRAMS);
    if (programs[number] == program)
        return;
    if (programs[number])
        program_end(number);
    programs[number] = malloc(sizeof(struct program));
    *programs[number] = *program;
    programs[number]->space = program_fork(program->space);
}

static void random_operation(void) {
    static void (*const operations[])(struct program *, unsigned, unsigned) = {
        do_map,   do_map,   do_unmap, do_protect, do_move, do_discard, do_write,
        do_write, do_write, do_read,  do_read,    do_fork, do_evict,   do_page_out,
    };
    struct program *program;
    do
        program = programs[random_below(PROGRAMS)];
    while (!program);
    unsigned count = random_below(4) ? 1 + random_below(40) : 1 + random_below(1500);
    unsigned first = random_below(PAGES - count);
    operations[random_below(sizeof operations / sizeof *operations)](program, first, count);
}

static void run_model(unsigned seed, unsigned operations, k42_ref file) {
    random_state = seed;
    model_file = file;
    programs[0] = calloc(1, sizeof(struct program));
    programs[0]->space = fixture_space();
    for (unsigned n = 0; n < operations; n++)
        random_operation();
    for (unsigned n = 0; n < PROGRAMS; n++)
        if (programs[n]) {
            do_read(programs[n], 0, PAGES);
            program_end(n);
        }
    fixture_settle();
    assert_int_equal(fixture_attachments(model_file), 0);
    assert_int_equal(k42_destroy(model_file), 0);
    fixture_settle();
}

static void run_seeds(unsigned count) {
    const char *seeds = getenv("K42_SPACE_SEEDS");
    count = seeds ? (unsigned)atoi(seeds) : count;
    for (unsigned seed = 1; seed <= count; seed++) {
        uint64_t before = fixture_frames();
        run_model(seed, 600, seed % 2 ? fixture_file() : fixture_file_of_blocks());
        if (paging)
            fixture_swap_settle();
        if (fixture_frames() != before)
            print_error("seed %u: %ld frames\n", seed, (long)(fixture_frames() - before));
        assert_int_equal(fixture_frames(), before);
    }
}

static void programs_read_what_a_plain_model_says(void **state) {
    (void)state;
    run_seeds(8);
}

/* Programs that have ended leave nothing in the swap, which is full at times. */
static void the_same_while_pages_go_out_and_come_back(void **state) {
    (void)state;
    fixture_swap_on(PROGRAMS * PAGES / 2);
    paging = true;
    run_seeds(4);
    paging = false;
    assert_int_equal(fixture_swap_used(), 0);
    fixture_swap_off();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(untouched_memory_reads_as_zero),
        TEST(what_is_not_mapped_faults_as_linux_says),
        TEST(beyond_the_end_of_a_file_is_a_bus_error),
        TEST(a_protected_page_keeps_what_it_has),
        TEST(a_child_and_its_parent_see_their_own_writes_only),
        TEST(shared_memory_is_the_same_for_parent_and_child),
        TEST(a_page_that_leaves_is_forgotten_by_children_too),
        TEST(a_page_that_left_a_shared_leaf_is_forgotten_with_its_copy),
        TEST(a_page_that_left_a_shared_leaf_is_forgotten_when_it_is_nobody_elses),
        TEST(fork_takes_no_frames_for_pages),
        TEST(large_areas_get_large_pages_and_lose_parts_of_them),
        TEST(a_block_of_a_file_needs_one_fault_and_no_leaf),
        TEST(one_page_of_a_private_block_is_copied_when_it_is_written),
        TEST(parts_of_a_mapped_block_go_and_change_without_memory),
        TEST(a_block_that_leaves_is_forgotten_by_children_too),
        TEST(a_shared_block_is_single_pages_where_it_may_be_written),
        TEST(a_stack_grows_to_its_limit_and_keeps_its_gap),
        TEST(neighbours_become_one_region_and_holes_two),
        TEST(a_hundred_thousand_mappings_are_found),
        TEST(without_memory_there_is_an_error_and_nothing_is_lost),
        TEST(programs_read_what_a_plain_model_says),
        TEST(the_same_while_pages_go_out_and_come_back),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
