/*
 * Address spaces, one at a time: what programs read is what they wrote, faults are what Linux says,
 * regions are as few as they can be, and every frame comes back.
 */
#include "space_fixture.h"

#define BASE 0x10000000ul

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
    enum { MANY = 100000, RETIRED_AT_ONCE = 4096 };
    space_ref space = fixture_space();
    struct space_request request = {.length = PAGE, .most = SPACE_ALL};
    for (unsigned n = 0; n < MANY; n++) {
        /* What the changes retired would fill the machine while the thread that frees it, a thread
         * of the host's, does not run. */
        if (n % RETIRED_AT_ONCE == 0)
            fixture_settle();
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

static void who_makes_an_address_space_waits_for_its_first_table(void **state) {
    (void)state;
    space_ref space = fixture_space(), made;
    k42_ref child;
    fixture_refusal = -K42_WAIT;
    fixture_limit_frames(0);
    k42_enter();
    k42_result created = space_create(fixture_pm, &made);
    k42_result forked = k42_call(space, fork, fixture_pm, &child);
    k42_exit();
    fixture_limit_frames(~0ul);
    fixture_refusal = -ENOMEM;
    assert_int_equal(created, -K42_WAIT);
    assert_int_equal(forked, -K42_WAIT);
    fixture_end_space(space);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_begin, fixture_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(untouched_memory_reads_as_zero),
        TEST(who_makes_an_address_space_waits_for_its_first_table),
        TEST(what_is_not_mapped_faults_as_linux_says),
        TEST(beyond_the_end_of_a_file_is_a_bus_error),
        TEST(a_protected_page_keeps_what_it_has),
        TEST(large_areas_get_large_pages_and_lose_parts_of_them),
        TEST(a_stack_grows_to_its_limit_and_keeps_its_gap),
        TEST(neighbours_become_one_region_and_holes_two),
        TEST(a_hundred_thousand_mappings_are_found),
        TEST(without_memory_there_is_an_error_and_nothing_is_lost),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fixture_open, fixture_close);
}
