/*
 * Frames: blocks are aligned and nobody else's, what is freed comes back whole, consumers do not
 * fragment each other, misuse is named, running low is told and survived.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "frames_fixture.h"

/* ---- boot ---- */

static void overlapping_ranges_are_refused(void **state) {
    (void)state;
    struct frame_range wrong[] = {{0, 2 * MIB, FRAME_RANGE_FREE}, {MIB, 4 * MIB, FRAME_RANGE_KEPT}};
    assert_int_equal(frames_open(wrong, 2), -22);
    assert_non_null(strstr(machine_last_line, "overlaps"));
}

static void ranges_above_sixteen_tib_are_refused(void **state) {
    (void)state;
    struct frame_range wrong = {0, 16 * 1024 * GIB, FRAME_RANGE_FREE};
    assert_int_equal(frames_open(&wrong, 1), -22);
    assert_non_null(strstr(machine_last_line, "16 TiB"));
}

static void no_room_for_the_records_is_an_error(void **state) {
    (void)state;
    struct frame_range small = {MIB, MIB + 8 * KIB, FRAME_RANGE_FREE};
    assert_int_equal(frames_open(&small, 1), -12);
}

static void all_memory_is_present_and_little_of_it_taken_for_records(void **state) {
    (void)state;
    assert_int_equal(frames_open(frames_ranges, FRAMES_RANGES), 0);
    struct frame_statistics now = frames_statistics();
    uint64_t low = 0x9f - 2, first = (19 * MIB) / FRAME_BYTES + 1;
    assert_int_equal(now.present, low + first + (6 + 102 + 34) * MIB / FRAME_BYTES);
    assert_int_equal(now.kept, 6 * MIB / FRAME_BYTES);
    assert_int_equal(now.used, 0);
    assert_true(now.records <= now.present / 100);
    assert_int_equal(now.present, now.records + now.kept + now.free + now.idle);
}

static void what_was_kept_can_be_released_in_parts(void **state) {
    (void)state;
    uint64_t before = frames_available();
    assert_int_equal(frames_release(21 * MIB, 21 * MIB + 12 * KIB), 0);
    assert_int_equal(frames_release(21 * MIB, 22 * MIB), -22);
    assert_int_equal(frames_release(21 * MIB + 12 * KIB, 25 * MIB), 0);
    assert_int_equal(frames_release(25 * MIB, 27 * MIB), 0);
    assert_int_equal(frames_available(), before + 6 * MIB / FRAME_BYTES);
    assert_int_equal(frames_statistics().kept, 0);
}

static void memory_not_given_has_no_frame(void **state) {
    (void)state;
    assert_null(frame_find(0x9fc00));
    assert_null(frame_find(20 * MIB + 8 * KIB));
    assert_null(frame_find(2 * GIB));
    assert_null(frame_find(5000 * GIB));
    assert_non_null(frame_find(0x2000));
}

/* ---- blocks ---- */

static void blocks_are_aligned_to_their_size(void **state) {
    (void)state;
    for (unsigned order = 0; order <= 13; order++) {
        struct frame *frame = frames_get(order, NULL);
        assert_non_null(frame);
        assert_int_equal(frame->number & ((1u << order) - 1), 0);
        assert_int_equal(frame_order(frame), order);
        assert_ptr_equal(frame_at(frame_physical(frame)), frame);
        assert_ptr_equal(frame_find(frame_physical(frame)), frame);
        frame_free(frame, order);
    }
}

static void a_block_of_no_such_order_is_refused(void **state) {
    (void)state;
    struct frame *frame;
    assert_int_equal(frame_allocate(FRAME_ORDER_MAX + 1, NULL, &frame), -22);
    assert_int_equal(frame_allocate(FRAME_ORDER_MAX, NULL, &frame), -12);
}

static void records_of_a_new_block_are_blank(void **state) {
    (void)state;
    for (int round = 0; round < 2; round++) {
        struct frame *frame = frames_get(3, NULL);
        for (int i = 0; i < 8; i++) {
            assert_int_equal(frame[i].holds | frame[i].tag, 0);
            assert_int_equal(frame[i].user[0] | frame[i].user[1], 0);
            frame[i].holds = frame[i].tag = 7;
            frame[i].user[0] = frame[i].user[1] = 7;
        }
        frame_free(frame, 3);
    }
}

#define EVERYTHING 44000u

/* Takes all there is in blocks of one order, marks each frame as taken, gives all back. */
static uint64_t take_everything(unsigned order, struct frame_consumer *consumer) {
    static struct frame *blocks[EVERYTHING];
    static uint8_t taken[2][131 * MIB / FRAME_BYTES];
    memset(taken, 0, sizeof(taken));
    uint64_t count = 0;
    while (count < EVERYTHING && (blocks[count] = frames_get(order, consumer))) {
        uint64_t first = frame_physical(blocks[count]);
        uint8_t *bank = taken[first >= 4 * GIB] + first % (4 * GIB) / FRAME_BYTES;
        for (uint32_t i = 0; i < 1u << order; i++)
            assert_int_equal(bank[i]++, 0);
        count++;
    }
    for (uint64_t i = 0; i < count; i++)
        frame_free(blocks[i * 7919 % count], order);
    return count << order;
}

static void every_frame_can_be_had_once_and_only_once(void **state) {
    (void)state;
    struct frame_consumer *urgent = frame_consumer_create("urgent", FRAME_URGENT);
    uint64_t before = frames_available();
    assert_int_equal(take_everything(0, urgent), before);
    assert_true(take_everything(3, urgent) > before - 400);
    assert_int_equal(take_everything(9, urgent), frames_statistics().free);
    frame_consumer_destroy(urgent);
}

static void the_last_frames_are_kept_for_the_urgent(void **state) {
    (void)state;
    assert_int_equal(take_everything(0, NULL), frames_available() - 512);
}

static void frames_cached_by_another_cpu_are_had_when_nothing_else_is_left(void **state) {
    (void)state;
    struct frame *cached[64];
    machine_this_cpu = 1;
    for (int i = 0; i < 64; i++)
        cached[i] = frames_get(0, NULL);
    for (int i = 0; i < 64; i++)
        frame_free(cached[i], 0);
    machine_this_cpu = 0;
    uint64_t taken = take_everything(0, NULL);
    assert_int_equal(taken, frames_available() - 512);
}

/* ---- consumers ---- */

static void grow(struct frame_consumer *consumer, struct frame **frames, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        assert_non_null(frames[i] = frames_get(0, consumer));
}

static void shrink(struct frame **frames, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        frame_free(frames[i], 0);
}

static void a_consumer_is_charged_for_what_it_uses(void **state) {
    (void)state;
    struct frame_consumer *consumer = frame_consumer_create("charged", 0);
    struct frame *frame = frames_get(0, consumer), *block = frames_get(4, consumer);
    struct frame *chunks = frames_get(10, consumer);
    struct frame_usage usage;
    frame_consumer_usage(consumer, &usage);
    assert_int_equal(usage.used, 1 + 16 + 1024);
    assert_string_equal(usage.name, "charged");
    frame_free(frame, 0);
    frame_free(block, 4);
    frame_free(chunks, 10);
    frame_consumer_usage(consumer, &usage);
    assert_int_equal(usage.used, 0);
    assert_int_equal(frame_consumer_destroy(consumer), 0);
}

static void small_consumers_have_no_chunks_of_their_own(void **state) {
    (void)state;
    struct frame_consumer *consumers[16];
    struct frame *frames[16][32];
    struct frame_usage usage;
    uint64_t before = frames_statistics().free;
    for (int i = 0; i < 16; i++) {
        consumers[i] = frame_consumer_create("small", 0);
        grow(consumers[i], frames[i], 32);
        frame_consumer_usage(consumers[i], &usage);
        assert_int_equal(usage.chunks, 0);
    }
    assert_true(before - frames_statistics().free <= 2 * 512);
    for (int i = 0; i < 16; i++) {
        shrink(frames[i], 32);
        frame_consumer_destroy(consumers[i]);
    }
}

/* Consumers that grow in turns and end one after the other leave whole chunks, not holes. */
static void consumers_that_grow_together_do_not_fragment_each_other(void **state) {
    (void)state;
    static struct frame *frames[8][1600];
    struct frame_consumer *consumers[8];
    for (int i = 0; i < 8; i++)
        consumers[i] = frame_consumer_create("growing", 0);
    for (unsigned count = 0; count < 1600; count += 16)
        for (int i = 0; i < 8; i++)
            grow(consumers[i], &frames[i][count], 16);
    uint64_t before = frames_statistics().free;
    for (int i = 0; i < 8; i += 2)
        shrink(frames[i], 1600);
    assert_int_equal(frames_statistics().free, before + 4 * 4 * 512 - 4 * 512);
    for (int i = 1; i < 8; i += 2)
        shrink(frames[i], 1600);
    for (int i = 0; i < 8; i++)
        assert_int_equal(frame_consumer_destroy(consumers[i]), 0);
}

static void a_consumer_that_ends_leaves_its_frames_to_the_kernel(void **state) {
    (void)state;
    static struct frame *frames[1000];
    struct frame_consumer *consumer = frame_consumer_create("ending", 0);
    grow(consumer, frames, 1000);
    assert_int_equal(frame_consumer_destroy(consumer), 1000);
    struct frame_usage usage;
    frame_consumer_usage(NULL, &usage);
    assert_true(usage.used >= 1000);
    struct frame_consumer *other = frame_consumer_create("next", 0);
    assert_ptr_not_equal(other, consumer);
    shrink(frames, 1000);
    frame_consumer_usage(other, &usage);
    assert_int_equal(usage.used, 0);
    frame_consumer_destroy(other);
}

static void count_consumers(void *argument, const struct frame_usage *usage) {
    (void)usage;
    ++*(int *)argument;
}

static void every_consumer_is_visited(void **state) {
    (void)state;
    struct frame_consumer *consumers[40];
    int count = 0;
    for (int i = 0; i < 40; i++)
        consumers[i] = frame_consumer_create("visited", 0);
    frame_consumers_each(count_consumers, &count);
    assert_int_equal(count, 41);
    for (int i = 0; i < 40; i++)
        frame_consumer_destroy(consumers[i]);
}

/* ---- misuse ---- */

struct misuse {
    struct frame *frame;
    unsigned order;
};

static void free_it(void *argument) {
    struct misuse *misuse = argument;
    frame_free(misuse->frame, misuse->order);
}

static bool names(const struct frame *frame) {
    char number[32];
    snprintf(number, sizeof(number), "frame 0x%x ", frame->number);
    return strstr(machine_last_line, number) != NULL;
}

static void freeing_twice_is_named(void **state) {
    (void)state;
    static const unsigned orders[] = {0, 2, 9, 10};
    for (int i = 0; i < 4; i++) {
        struct misuse misuse = {frames_get(orders[i], NULL), orders[i]};
        frame_free(misuse.frame, misuse.order);
        assert_true(machine_panics(free_it, &misuse));
        assert_true(names(misuse.frame));
        assert_non_null(strstr(machine_last_line, "free already"));
    }
}

static void freeing_with_another_order_is_named(void **state) {
    (void)state;
    struct misuse misuse = {frames_get(3, NULL), 2};
    assert_true(machine_panics(free_it, &misuse));
    assert_true(names(misuse.frame));
    assert_non_null(strstr(machine_last_line, "allocated with order 3"));
    frame_free(misuse.frame, 3);
}

static void freeing_the_inside_of_a_block_is_named(void **state) {
    (void)state;
    struct frame *block = frames_get(3, NULL);
    struct misuse misuse = {block + 1, 0};
    assert_true(machine_panics(free_it, &misuse));
    assert_non_null(strstr(machine_last_line, "not the first of its block"));
    frame_free(block, 3);
}

#ifdef K42_DEBUG
static void allocate_it(void *argument) {
    *(struct frame **)argument = frames_get(4, NULL);
}

static void writing_to_a_freed_frame_is_named(void **state) {
    (void)state;
    struct frame *block = frames_get(4, NULL);
    char *byte = (char *)frame_memory(block) + 5000;
    frame_free(block, 4);
    char before = *byte;
    *byte = 1;
    struct frame *again;
    assert_true(machine_panics(allocate_it, &again));
    assert_non_null(strstr(machine_last_line, "written after it was freed"));
    *byte = before;
    /* What panicked had taken the block out already. */
    frame_free(block, 4);
}

static void free_as_zero(void *argument) {
    frame_free_zeroed(argument);
}

static void a_frame_given_back_as_zero_that_is_not_is_named(void **state) {
    (void)state;
    struct frame *frame = frames_get(0, NULL);
    char *byte = (char *)frame_memory(frame) + 4095;
    memset(frame_memory(frame), 0, FRAME_BYTES);
    *byte = 1;
    assert_true(machine_panics(free_as_zero, frame));
    assert_non_null(strstr(machine_last_line, "should be zero"));
    *byte = 0;
    frame_free_zeroed(frame);
}
#endif

static bool is_zero(struct frame *frame) {
    const char *byte = frame_memory(frame);
    for (size_t at = 0; at < FRAME_BYTES; at++)
        if (byte[at])
            return false;
    return true;
}

/* More than are kept: those above the limit go the way of others. */
static void zeroed_frames_are_zero_and_nothing_is_lost(void **state) {
    (void)state;
    struct frame_consumer *consumer = frame_consumer_create("tables", 0);
    struct frame *frames[200];
    struct frame_usage usage;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
            assert_int_equal(frame_allocate_zeroed(consumer, &frames[i]), 0);
            assert_true(is_zero(frames[i]));
            assert_int_equal(frames[i]->holds, 0);
            frames[i]->holds = 1;
            frames[i]->tag = 7;
        }
        frame_consumer_usage(consumer, &usage);
        assert_int_equal(usage.used, 200);
        for (int i = 0; i < 200; i++)
            frame_free_zeroed(frames[i]);
        /* Dirty ones in between are not taken for zero. */
        struct frame *dirty = frames_get(0, NULL);
        memset(frame_memory(dirty), 0xff, FRAME_BYTES);
        frame_free(dirty, 0);
    }
    frame_consumer_usage(consumer, &usage);
    assert_int_equal(usage.used, 0);
    frame_consumer_destroy(consumer);
}

static void free_twice_as_zero(void *argument) {
    frame_free_zeroed(argument);
    frame_free_zeroed(argument);
}

static void freeing_twice_as_zero_is_named(void **state) {
    (void)state;
    struct frame *frame;
    assert_int_equal(frame_allocate_zeroed(NULL, &frame), 0);
    assert_true(machine_panics(free_twice_as_zero, frame));
    assert_non_null(strstr(machine_last_line, "free already"));
}

/* ---- running low ---- */

static int woken;

static void wake(void) {
    woken++;
}

struct hoard {
    struct frame_reliever reliever;
    struct frame *chunks[80];
    int count, asked;
};

static uint64_t give_some(struct frame_reliever *self, enum frame_pressure pressure,
                          uint64_t wanted) {
    struct hoard *hoard = (struct hoard *)self;
    uint64_t freed = 0;
    assert_int_not_equal(pressure, FRAME_PRESSURE_NONE);
    hoard->asked++;
    for (; freed < wanted && hoard->count; freed += 512)
        frame_free(hoard->chunks[--hoard->count], 9);
    return freed;
}

static void who_holds_frames_is_asked_for_them_when_they_run_low(void **state) {
    (void)state;
    struct hoard hoard = {.reliever = {.name = "hoard", .relieve = give_some}};
    woken = 0;
    frames_watch_pressure(wake);
    frame_reliever_add(&hoard.reliever);
    assert_int_equal(frames_pressure(), FRAME_PRESSURE_NONE);
    while ((hoard.chunks[hoard.count] = frames_get(9, NULL)))
        hoard.count++;
    assert_true(woken > 0);
    assert_int_equal(frames_pressure(), FRAME_PRESSURE_CRITICAL);
    assert_true(frames_relieve() >= 512);
    assert_int_equal(frames_pressure(), FRAME_PRESSURE_NONE);
    assert_int_equal(hoard.asked, 1);
    frame_reliever_remove(&hoard.reliever);
    frames_watch_pressure(NULL);
    while (hoard.count)
        frame_free(hoard.chunks[--hoard.count], 9);
}

#define t(name) cmocka_unit_test_setup_teardown(name, frames_begin, frames_end)

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlapping_ranges_are_refused),
        cmocka_unit_test(ranges_above_sixteen_tib_are_refused),
        cmocka_unit_test(no_room_for_the_records_is_an_error),
        cmocka_unit_test(all_memory_is_present_and_little_of_it_taken_for_records),
        cmocka_unit_test(what_was_kept_can_be_released_in_parts),
        t(memory_not_given_has_no_frame),
        t(blocks_are_aligned_to_their_size),
        t(a_block_of_no_such_order_is_refused),
        t(records_of_a_new_block_are_blank),
        t(every_frame_can_be_had_once_and_only_once),
        t(the_last_frames_are_kept_for_the_urgent),
        t(frames_cached_by_another_cpu_are_had_when_nothing_else_is_left),
        t(a_consumer_is_charged_for_what_it_uses),
        t(small_consumers_have_no_chunks_of_their_own),
        t(consumers_that_grow_together_do_not_fragment_each_other),
        t(a_consumer_that_ends_leaves_its_frames_to_the_kernel),
        t(every_consumer_is_visited),
        t(freeing_twice_is_named),
        t(freeing_with_another_order_is_named),
        t(freeing_the_inside_of_a_block_is_named),
#ifdef K42_DEBUG
        t(writing_to_a_freed_frame_is_named),
        t(a_frame_given_back_as_zero_that_is_not_is_named),
#endif
        t(zeroed_frames_are_zero_and_nothing_is_lost),
        t(freeing_twice_as_zero_is_named),
        t(who_holds_frames_is_asked_for_them_when_they_run_low),
    };
    frames_add_banks();
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("frames", tests, NULL, NULL);
}
