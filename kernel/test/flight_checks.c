/*
 * Checks of the flight recorder: test=flight. What it prints, tests/kernel/test_boot.py reads.
 */
#include "../kernel.h"
#include "../trace/events.h"
#include "../trace/flight.h"

KERNEL_CHECK(flight, the_newest_events_are_printed_in_order) {
    for (uint32_t n = 0; n < 1000; n++)
        K42_TRACE(event_exec, n, n & 1 ? "odd" : "even");
    K42_TRACE(event_clone, 1, 2);
    flight_print();
    return true;
}
