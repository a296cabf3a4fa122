/*
 * Reserves and translation tables: zero until written, the template's until written, frames only
 * for what is touched and all of them back, whatever several CPUs do to one page at once.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../core/platform.h"
#include "../../kernel/mem/frame/frame.h"
#include "../../kernel/mem/heap/heap.h"
#include "../../kernel/mem/reserve/reserve.h"
#include "machine/machine.h"

#define KIB  1024ul
#define MIB  (1024 * KIB)
#define GIB  (1024 * MIB)
#define PAGE MACHINE_PAGE_SIZE

/* The index of reserves, and page tables that a translation table shares with its surroundings. */
static void make_what_stays(void) {
    void *tables[MACHINE_CPUS];
    if (k42_platform_tables_open(PAGE))
        abort();
    for (uint32_t i = 0; i < MACHINE_CPUS; i++) {
        tables[i] = k42_platform_table_map();
        (void)machine_load((uintptr_t)tables[i]);
    }
    for (uint32_t i = 0; i < MACHINE_CPUS; i++)
        k42_platform_table_unmap(tables[i]);
    k42_platform_tables_close();
}

static int open_memory(void **state) {
    (void)state;
    static const struct frame_range range = {0, 48 * MIB, FRAME_RANGE_FREE};
    machine_add_bank(0, 48 * MIB);
    machine_fault = reserve_fault;
    if (frames_open(&range, 1) || heap_open() || reserve_open())
        return -1;
    make_what_stays();
    return 0;
}

static uint64_t frames_used(void) {
    struct frame_statistics now;
    for (machine_this_cpu = 0; machine_this_cpu < MACHINE_CPUS; machine_this_cpu++)
        heap_flush();
    machine_this_cpu = 0;
    frames_collect();
    frames_count(&now);
    return now.used;
}

static uint64_t used_before;

static int begin(void **state) {
    (void)state;
    used_before = frames_used();
    return 0;
}

static bool all_is_as_before(void) {
    return frames_used() == used_before && reserve_frames() == 0 &&
           machine_interrupts_forbidden == 0;
}

/* Every test ends with the frames it began with. */
static int end(void **state) {
    (void)state;
    return all_is_as_before() ? 0 : -1;
}

static uintptr_t reserve(size_t bytes) {
    void *memory = k42_platform_reserve(bytes);
    assert_non_null(memory);
    return (uintptr_t)memory;
}

static void unreserve(uintptr_t memory, size_t bytes) {
    k42_platform_unreserve((void *)memory, bytes);
}

static void load_it(void *address) {
    (void)machine_load((uintptr_t)address);
}

static void store_it(void *address) {
    machine_store((uintptr_t)address, 1);
}

static bool faults(uintptr_t address) {
    return machine_panics(load_it, (void *)address) && machine_panics(store_it, (void *)address);
}

/* ---- reserves ---- */

static void reserves_read_as_zero_and_keep_what_is_written(void **state) {
    (void)state;
    uintptr_t memory = reserve(3 * MIB);
    for (uintptr_t at = 0; at < 3 * MIB; at += 1000 * 8) {
        assert_int_equal(machine_load(memory + at), 0);
        machine_store(memory + at, at + 1);
    }
    for (uintptr_t at = 0; at < 3 * MIB; at += 1000 * 8)
        assert_int_equal(machine_load(memory + at), at + 1);
    unreserve(memory, 3 * MIB);
    memory = reserve(3 * MIB);
    for (uintptr_t at = 0; at < 3 * MIB; at += 1000 * 8)
        assert_int_equal(machine_load(memory + at), 0);
    unreserve(memory, 3 * MIB);
}

static void reserves_take_frames_by_the_page_touched(void **state) {
    (void)state;
    uintptr_t memory = reserve(512 * MIB);
    assert_int_equal(reserve_frames(), 0);
    for (uintptr_t at = 0; at < 512 * MIB; at += 64 * MIB)
        machine_store(memory + at + 8, 1);
    assert_int_equal(reserve_frames(), 8);
    unreserve(memory, 512 * MIB);
}

static void touching_beyond_a_reserve_is_a_fault(void **state) {
    (void)state;
    uintptr_t first = reserve(2 * MIB), second = reserve(10), third = reserve(2 * MIB - PAGE);
    assert_true(faults(first + 2 * MIB));
    assert_true(faults(second + PAGE));
    assert_true(faults(third + 2 * MIB - PAGE));
    assert_true(faults(machine_reserve_end() - 8));
    assert_true(faults(0x1000));
    unreserve(first, 2 * MIB);
    unreserve(second, 10);
    assert_true(faults(second));
    unreserve(third, 2 * MIB - PAGE);
}

static void places_are_used_again(void **state) {
    (void)state;
    uintptr_t first = reserve(5 * MIB), second = reserve(5 * MIB);
    unreserve(first, 5 * MIB);
    assert_int_equal(reserve(4 * MIB), first);
    assert_true(reserve(7 * MIB) > second);
    unreserve(first, 4 * MIB);
    unreserve(second, 5 * MIB);
    unreserve(second + 6 * MIB, 7 * MIB);
}

static void reserves_that_do_not_fit_are_null(void **state) {
    (void)state;
    assert_null(k42_platform_reserve(0));
    assert_null(k42_platform_reserve(GIB));
    assert_null(k42_platform_reserve(SIZE_MAX));
}

static void end_nothing(void *memory) {
    k42_platform_unreserve(memory, PAGE);
}

static void ending_what_is_not_reserved_is_named(void **state) {
    (void)state;
    uintptr_t memory = reserve(2 * PAGE);
    assert_true(machine_panics(end_nothing, (void *)(memory + PAGE)));
    assert_true(machine_panics(end_nothing, (void *)memory));
    assert_non_null(strstr(machine_last_line, "there is none"));
    unreserve(memory, 2 * PAGE);
}

static void without_frames_a_fault_fails_and_later_succeeds(void **state) {
    (void)state;
    uintptr_t memory = reserve(64 * MIB), at = 0;
    while (!machine_panics(store_it, (void *)(memory + at)))
        at += PAGE;
    assert_true(at > 40 * MIB);
    assert_int_equal(reserve_frames(), at / PAGE);
    assert_int_equal(machine_load(memory + at - PAGE), 1);
    unreserve(memory, 64 * MIB);
    memory = reserve(64 * MIB);
    machine_store(memory + at, 1);
    unreserve(memory, 64 * MIB);
}

/* Each CPU stores its word in each page. A page that two CPUs filled would have lost one. */
#define RACE_PAGES 1500u

static void fill_race(uint32_t cpu, void *argument) {
    uintptr_t memory = (uintptr_t)argument;
    for (uint32_t page = 0; page < RACE_PAGES; page++)
        machine_store(memory + page * PAGE + cpu * 8, page * 8 + cpu + 1);
}

static void cpus_that_fill_one_page_see_each_others_stores(void **state) {
    (void)state;
    for (int round = 0; round < 5; round++) {
        uintptr_t memory = reserve(RACE_PAGES * PAGE);
        machine_run_cpus(4, fill_race, (void *)memory);
        for (uint32_t page = 0; page < RACE_PAGES; page++)
            for (uint32_t cpu = 0; cpu < 4; cpu++)
                assert_int_equal(machine_load(memory + page * PAGE + cpu * 8), page * 8 + cpu + 1);
        assert_int_equal(reserve_frames(), RACE_PAGES);
        unreserve(memory, RACE_PAGES * PAGE);
    }
}

static void reserve_and_end(uint32_t cpu, void *argument) {
    (void)argument;
    for (uint32_t round = 0; round < 500; round++) {
        size_t bytes = (1 + (round * 7 + cpu * 3) % 5) * MIB;
        uintptr_t memory = (uintptr_t)k42_platform_reserve(bytes);
        for (uintptr_t at = 0; at < bytes; at += 300 * KIB) {
            if (machine_load(memory + at) != 0)
                abort();
            machine_store(memory + at, cpu + 1);
        }
        for (uintptr_t at = 0; at < bytes; at += 300 * KIB)
            if (machine_load(memory + at) != cpu + 1)
                abort();
        k42_platform_unreserve((void *)memory, bytes);
    }
}

static void cpus_reserve_and_end_without_meeting(void **state) {
    (void)state;
    machine_run_cpus(4, reserve_and_end, NULL);
}

/* ---- translation tables ---- */

#define TABLE_PAGES 64u
#define TABLE_BYTES (TABLE_PAGES * PAGE)

static uintptr_t table_template;

static int open_tables(void **state) {
    begin(state);
    if (k42_platform_tables_open(TABLE_BYTES))
        return -1;
    table_template = (uintptr_t)k42_platform_template(0);
    return 0;
}

static int close_tables(void **state) {
    (void)state;
    k42_platform_tables_close();
    return all_is_as_before() ? 0 : -1;
}

static uintptr_t map_table(void) {
    void *table = k42_platform_table_map();
    assert_non_null(table);
    return (uintptr_t)table;
}

static void unmap_table(uintptr_t table) {
    k42_platform_table_unmap((void *)table);
}

static void trim(uintptr_t table, size_t offset, size_t bytes) {
    k42_platform_table_trim((void *)table, offset, bytes);
}

static void tables_show_the_template_until_written(void **state) {
    (void)state;
    uintptr_t first = map_table(), second = map_table();
    machine_store(table_template + 3 * PAGE, 5);
    assert_int_equal(machine_load(first + 3 * PAGE), 5);
    machine_store(table_template + 3 * PAGE + 8, 6);
    assert_int_equal(machine_load(first + 3 * PAGE + 8), 6);
    machine_store(first + 3 * PAGE, 7);
    machine_store(table_template + 3 * PAGE, 8);
    assert_int_equal(machine_load(first + 3 * PAGE), 7);
    assert_int_equal(machine_load(first + 3 * PAGE + 8), 6);
    assert_int_equal(machine_load(second + 3 * PAGE), 8);
    unmap_table(first);
    unmap_table(second);
}

static void a_page_written_first_is_a_copy_of_the_template(void **state) {
    (void)state;
    uintptr_t table = map_table();
    machine_store(table_template + PAGE + 8, 5);
    machine_store(table + PAGE, 1);
    assert_int_equal(machine_load(table + PAGE + 8), 5);
    assert_int_equal(machine_load(table_template + PAGE), 0);
    unmap_table(table);
}

static void reading_tables_takes_no_frames_but_the_templates(void **state) {
    (void)state;
    uintptr_t tables[4];
    for (int i = 0; i < 4; i++) {
        tables[i] = map_table();
        for (uint32_t page = 0; page < TABLE_PAGES; page++)
            (void)machine_load(tables[i] + page * PAGE);
    }
    assert_int_equal(reserve_frames(), TABLE_PAGES);
    machine_store(tables[2] + 5 * PAGE, 1);
    assert_int_equal(reserve_frames(), TABLE_PAGES + 1);
    for (int i = 0; i < 4; i++)
        unmap_table(tables[i]);
}

static void a_store_is_seen_by_a_cpu_that_remembers_the_template(void **state) {
    (void)state;
    uintptr_t table = map_table();
    for (uint32_t page = 0; page < TABLE_PAGES; page++) {
        machine_this_cpu = 0;
        assert_int_equal(machine_load(table + page * PAGE), 0);
        machine_this_cpu = 1;
        assert_int_equal(machine_load(table + page * PAGE), 0);
        machine_store(table + page * PAGE, page + 1);
        machine_this_cpu = 0;
        assert_int_equal(machine_load(table + page * PAGE), page + 1);
    }
    unmap_table(table);
}

static void trimming_shows_the_template_again(void **state) {
    (void)state;
    uintptr_t table = map_table();
    for (uint32_t page = 0; page < 6; page++)
        machine_store(table + page * PAGE, 100 + page);
    machine_store(table_template + 3 * PAGE, 5);
    uint64_t before = reserve_frames();
    trim(table, PAGE + 8, 4 * PAGE);
    assert_int_equal(reserve_frames(), before - 3);
    static const uint64_t expected[] = {100, 101, 0, 5, 0, 105};
    for (uint32_t page = 0; page < 6; page++)
        assert_int_equal(machine_load(table + page * PAGE), expected[page]);
    trim(table, 5 * PAGE + 8, PAGE);
    assert_int_equal(machine_load(table + 5 * PAGE), 105);
    unmap_table(table);
}

static void a_trimmed_page_is_seen_by_a_cpu_that_remembers_the_copy(void **state) {
    (void)state;
    uintptr_t table = map_table();
    machine_store(table, 9);
    machine_this_cpu = 1;
    assert_int_equal(machine_load(table), 9);
    machine_this_cpu = 0;
    trim(table, 0, PAGE);
    machine_this_cpu = 1;
    assert_int_equal(machine_load(table), 0);
    machine_this_cpu = 0;
    unmap_table(table);
}

static void a_table_used_again_shows_the_template(void **state) {
    (void)state;
    uintptr_t table = map_table();
    machine_store(table + 8, 3);
    unmap_table(table);
    assert_int_equal(map_table(), table);
    assert_int_equal(machine_load(table + 8), 0);
    unmap_table(table);
}

static void tables_end_where_they_end(void **state) {
    (void)state;
    uintptr_t table = map_table();
    assert_true(faults(table + TABLE_BYTES));
    assert_true(faults(table - 8));
    unmap_table(table);
    assert_true(faults(table));
}

static void there_are_as_many_tables_as_places(void **state) {
    (void)state;
    uintptr_t tables[MACHINE_CPUS];
    for (uint32_t i = 0; i < MACHINE_CPUS; i++)
        tables[i] = map_table();
    assert_null(k42_platform_table_map());
    for (uint32_t i = 0; i < MACHINE_CPUS; i++)
        unmap_table(tables[i]);
}

static void tables_open_once_and_no_larger_than_their_place(void **state) {
    (void)state;
    assert_int_equal(k42_platform_tables_open(PAGE), -114);
    k42_platform_tables_close();
    assert_int_equal(k42_platform_tables_open(GIB), -22);
    assert_non_null(strstr(machine_last_line, "max_objects"));
    assert_int_equal(k42_platform_tables_open(TABLE_BYTES), 0);
}

/* Every CPU looks at every page and then stores its word there: no store may be lost. */
static void copy_race(uint32_t cpu, void *argument) {
    uintptr_t table = (uintptr_t)argument;
    for (uint32_t page = 0; page < TABLE_PAGES; page++) {
        (void)machine_load(table + page * PAGE + cpu * 8);
        machine_store(table + page * PAGE + cpu * 8, page + cpu + 1);
        if (machine_load(table + page * PAGE + cpu * 8) != page + cpu + 1)
            abort();
    }
}

static void cpus_that_write_one_page_of_a_table_lose_no_store(void **state) {
    (void)state;
    for (int round = 0; round < 50; round++) {
        uintptr_t table = map_table();
        machine_run_cpus(4, copy_race, (void *)table);
        for (uint32_t page = 0; page < TABLE_PAGES; page++)
            for (uint32_t cpu = 0; cpu < 4; cpu++)
                assert_int_equal(machine_load(table + page * PAGE + cpu * 8), page + cpu + 1);
        unmap_table(table);
    }
}

/* What a CPU stored is there or trimmed away; never anything else, and no frame is lost. */
static void trim_race(uint32_t cpu, void *argument) {
    uintptr_t table = (uintptr_t)argument;
    for (uint32_t turn = 0; turn < 4000; turn++) {
        uintptr_t place = table + turn * 7 % TABLE_PAGES * PAGE + cpu * 8;
        if (cpu == 0) {
            trim(table, turn % 5 * PAGE, (turn % TABLE_PAGES) * PAGE);
            continue;
        }
        machine_store(place, cpu);
        uint64_t now = machine_load(place);
        if (now != cpu && now != 0)
            abort();
    }
}

static void trimming_races_with_stores_and_keeps_every_frame(void **state) {
    (void)state;
    uintptr_t table = map_table();
    machine_run_cpus(4, trim_race, (void *)table);
    unmap_table(table);
    for (uint32_t page = 0; page < TABLE_PAGES; page++)
        assert_int_equal(machine_load(table_template + page * PAGE), 0);
}

#define t(name) cmocka_unit_test_setup_teardown(name, begin, end)
#define u(name) cmocka_unit_test_setup_teardown(name, open_tables, close_tables)

int main(void) {
    const struct CMUnitTest tests[] = {
        t(reserves_read_as_zero_and_keep_what_is_written),
        t(reserves_take_frames_by_the_page_touched),
        t(touching_beyond_a_reserve_is_a_fault),
        t(places_are_used_again),
        t(reserves_that_do_not_fit_are_null),
        t(ending_what_is_not_reserved_is_named),
        t(without_frames_a_fault_fails_and_later_succeeds),
        t(cpus_that_fill_one_page_see_each_others_stores),
        t(cpus_reserve_and_end_without_meeting),
        u(tables_show_the_template_until_written),
        u(a_page_written_first_is_a_copy_of_the_template),
        u(reading_tables_takes_no_frames_but_the_templates),
        u(a_store_is_seen_by_a_cpu_that_remembers_the_template),
        u(trimming_shows_the_template_again),
        u(a_trimmed_page_is_seen_by_a_cpu_that_remembers_the_copy),
        u(a_table_used_again_shows_the_template),
        u(tables_end_where_they_end),
        u(there_are_as_many_tables_as_places),
        u(tables_open_once_and_no_larger_than_their_place),
        u(cpus_that_write_one_page_of_a_table_lose_no_store),
        u(trimming_races_with_stores_and_keeps_every_frame),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("reserve", tests, open_memory, NULL);
}
