/* A small machine with everything awkward, and the accounts of its frames at the ends of a test. */
#include "frames_fixture.h"

#include <stddef.h>

const struct frame_range frames_ranges[FRAMES_RANGES] = {
    {4 * GIB + 3 * MIB, 4 * GIB + 37 * MIB, FRAME_RANGE_FREE},
    {0x1234, 0x9fc00, FRAME_RANGE_FREE},
    {1 * MIB, 20 * MIB + 5 * KIB, FRAME_RANGE_FREE},
    {21 * MIB, 27 * MIB, FRAME_RANGE_KEPT},
    {28 * MIB, 130 * MIB, FRAME_RANGE_FREE},
    {50 * GIB, 50 * GIB, FRAME_RANGE_FREE},
};

void frames_add_banks(void) {
    machine_add_bank(0, 130 * MIB);
    machine_add_bank(4 * GIB, 40 * MIB);
}

struct frame *frames_get(unsigned order, struct frame_consumer *consumer) {
    struct frame *frame;
    return frame_allocate(order, consumer, &frame) == 0 ? frame : NULL;
}

struct frame_statistics frames_statistics(void) {
    struct frame_statistics now;
    frames_collect();
    frames_count(&now);
    return now;
}

uint64_t frames_available(void) {
    struct frame_statistics now = frames_statistics();
    return now.free + now.idle + now.cached;
}

static uint64_t available_before, free_before;

/* Records of consumers are made by the frame and stay. */
static void make_records_of_consumers(void) {
    struct frame_consumer *consumers[48];
    for (int i = 0; i < 48; i++)
        consumers[i] = frame_consumer_create("early", 0);
    for (int i = 0; i < 48; i++)
        frame_consumer_destroy(consumers[i]);
}

int frames_begin(void **state) {
    (void)state;
    make_records_of_consumers();
    available_before = frames_available();
    free_before = frames_statistics().free;
    return 0;
}

int frames_end(void **state) {
    (void)state;
    return frames_available() == available_before && frames_statistics().free == free_before &&
                   machine_interrupts_forbidden == 0
               ? 0
               : -1;
}
