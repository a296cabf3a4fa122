/*
 * The time of day, for the times of nodes: the kernel's wall clock in another form.
 */
#include "now.h"

#include "../vdso/wall_clock.h"

struct node_time node_now(void) {
    uint64_t now = wall_clock_ns();
    return (struct node_time){(int64_t)(now / 1000000000), (uint32_t)(now % 1000000000)};
}
