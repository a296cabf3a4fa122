/*
 * The time of day, for the times of nodes.
 */
#ifndef KERNEL_FS_NOW_H
#define KERNEL_FS_NOW_H

#include "../vdso/wall_clock.h"
#include "node.h"

static inline struct node_time node_now(void) {
    uint64_t now = wall_clock_ns();
    return (struct node_time){(int64_t)(now / 1000000000), (uint32_t)(now % 1000000000)};
}

#endif
