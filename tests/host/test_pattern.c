/*
 * In which pattern pages come to a PM: loops, what is used often, and what only passes are told
 * apart, whatever the memory's size.
 */
#include "pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct pattern pattern;

static void begin(uint64_t frames) {
    memset(&pattern, 0, sizeof pattern);
    pattern_begin(&pattern, frames);
}

/* Pages of a cache in order, once. */
static void round_of(uint32_t cache, uint64_t pages) {
    for (uint64_t index = 0; index < pages; index++)
        pattern_came(&pattern, cache, index);
}

static uint64_t seed;

static uint64_t chance(uint64_t of) {
    seed = seed * 6364136223846793005ul + 1442695040888963407ul;
    return (seed >> 33) % of;
}

static void a_loop_over_more_than_memory_is_told_of_every_size(void **state) {
    (void)state;
    for (uint64_t frames = 64; frames <= 1 << 18; frames *= 4)
        for (uint64_t times = 2; times <= 4; times++) {
            begin(frames);
            round_of(1, frames * times);
            assert_int_equal(pattern_of(&pattern.counts), PATTERN_NONE);
            round_of(1, frames * times);
            round_of(1, frames * times);
            assert_int_equal(pattern_of(&pattern.counts), PATTERN_LOOP);
        }
}

static void loops_over_two_files_by_turns_are_loops(void **state) {
    (void)state;
    begin(512);
    for (unsigned round = 0; round < 4; round++)
        for (uint64_t index = 0; index < 512; index++) {
            pattern_came(&pattern, 1, index);
            pattern_came(&pattern, 2, index);
        }
    assert_int_equal(pattern_of(&pattern.counts), PATTERN_LOOP);
}

static void what_passes_once_is_no_pattern(void **state) {
    (void)state;
    begin(512);
    for (uint32_t cache = 1; cache < 20; cache++)
        round_of(cache, 4096);
    assert_int_equal(pattern_of(&pattern.counts), PATTERN_NONE);
}

static void a_loop_so_large_that_little_of_it_can_be_kept_is_none(void **state) {
    (void)state;
    begin(512);
    for (unsigned round = 0; round < 4; round++)
        round_of(1, 512 * 20);
    assert_int_equal(pattern_of(&pattern.counts), PATTERN_NONE);
}

static void pages_of_which_some_come_back_soon_are_frequent(void **state) {
    (void)state;
    for (uint64_t frames = 64; frames <= 1 << 16; frames *= 4) {
        begin(frames);
        for (uint64_t n = 0; n < frames * 32; n++)
            pattern_came(&pattern, 1, chance(n % 2 ? frames : frames * 16));
        assert_int_equal(pattern_of(&pattern.counts), PATTERN_FREQUENT);
    }
}

static void pages_at_random_of_very_many_do_not_come_back(void **state) {
    (void)state;
    begin(512);
    for (uint64_t n = 0; n < 1 << 18; n++)
        pattern_came(&pattern, 1, chance(1 << 24));
    assert_int_equal(pattern_of(&pattern.counts), PATTERN_NONE);
}

static void pieces_at_random_are_not_in_order(void **state) {
    (void)state;
    begin(512);
    for (uint64_t n = 0; n < 4096; n++) {
        uint64_t first = chance(4096) / 16 * 16;
        for (uint64_t index = first; index < first + 16; index++)
            pattern_came(&pattern, 1, index);
    }
    assert_false(pattern_is_ordered(pattern.counts.came, pattern.counts.went_back));
    assert_int_not_equal(pattern_of(&pattern.counts), PATTERN_LOOP);
}

static void nothing_that_came_is_no_pattern(void **state) {
    (void)state;
    begin(0);
    assert_int_equal(pattern_of(&pattern.counts), PATTERN_NONE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loop_over_more_than_memory_is_told_of_every_size),
        cmocka_unit_test(loops_over_two_files_by_turns_are_loops),
        cmocka_unit_test(what_passes_once_is_no_pattern),
        cmocka_unit_test(a_loop_so_large_that_little_of_it_can_be_kept_is_none),
        cmocka_unit_test(pages_of_which_some_come_back_soon_are_frequent),
        cmocka_unit_test(pages_at_random_of_very_many_do_not_come_back),
        cmocka_unit_test(pieces_at_random_are_not_in_order),
        cmocka_unit_test(nothing_that_came_is_no_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
