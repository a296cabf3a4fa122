/*
 * Frames of a machine with memory far up: beyond 4 GiB and beyond 1 TiB, in blocks of up to 1 GiB.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../kernel/mem/frame/frame.h"
#include "machine/machine.h"

#define MIB (1024ul * 1024)
#define GIB (1024 * MIB)

static const struct frame_range ranges[] = {
    {MIB, 16 * MIB, FRAME_RANGE_FREE},
    {4 * GIB, 5 * GIB + 256 * MIB, FRAME_RANGE_FREE},
    {1536 * GIB, 1537 * GIB, FRAME_RANGE_FREE},
    {1600 * GIB + 512 * MIB, 1600 * GIB + 544 * MIB, FRAME_RANGE_KEPT},
};

static int open_memory(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        machine_add_bank(ranges[i].start, ranges[i].end - ranges[i].start);
    return frames_open(ranges, sizeof(ranges) / sizeof(ranges[0]));
}

static struct frame_statistics statistics(void) {
    struct frame_statistics now;
    frames_collect();
    frames_count(&now);
    return now;
}

static void memory_of_every_range_is_there(void **state) {
    (void)state;
    struct frame_statistics now = statistics();
    assert_int_equal(now.present, (15 + 1024 + 256 + 1024 + 32) * MIB / FRAME_BYTES);
    assert_int_equal(now.kept, 32 * MIB / FRAME_BYTES);
    assert_int_equal(now.present - now.records - now.kept, now.free + now.idle);
}

static void a_gibibyte_far_up_is_one_block(void **state) {
    (void)state;
    struct frame *frame, *again;
    assert_int_equal(statistics().largest_order, FRAME_ORDER_MAX);
    assert_int_equal(frame_allocate(FRAME_ORDER_MAX, NULL, &frame), 0);
    assert_int_equal(frame_physical(frame), 1536 * GIB);
    assert_int_equal(frame_allocate(FRAME_ORDER_MAX, NULL, &again), -12);
    assert_null(frame_find(1536 * GIB + FRAME_BYTES));
    frame_free(frame, FRAME_ORDER_MAX);
    assert_int_equal(statistics().largest_order, FRAME_ORDER_MAX);
}

static void a_gibibyte_comes_together_from_its_pieces(void **state) {
    (void)state;
    static struct frame *pieces[2000];
    unsigned count = 0;
    while (frame_allocate(10, NULL, &pieces[count]) == 0)
        count++;
    assert_true(count > 256 + 300);
    assert_int_equal(frame_allocate(FRAME_ORDER_MAX, NULL, &pieces[count]), -12);
    for (unsigned i = 0; i < count; i++)
        frame_free(pieces[i], 10);
    assert_int_equal(statistics().largest_order, FRAME_ORDER_MAX);
}

static void a_module_far_up_can_be_released(void **state) {
    (void)state;
    uint64_t free = statistics().free;
    assert_int_equal(frames_release(ranges[3].start, ranges[3].end), 0);
    assert_int_equal(statistics().free, free + 32 * MIB / FRAME_BYTES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of_every_range_is_there),
        cmocka_unit_test(a_gibibyte_far_up_is_one_block),
        cmocka_unit_test(a_gibibyte_comes_together_from_its_pieces),
        cmocka_unit_test(a_module_far_up_can_be_released),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("frame layout", tests, open_memory, NULL);
}
