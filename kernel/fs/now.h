/*
 * The time of day, for the times of nodes.
 */
#ifndef KERNEL_FS_NOW_H
#define KERNEL_FS_NOW_H

#include "node.h"

/* Nanoseconds from 1970 to the moment that the machine's clock counts from. Set by whoever knows
 * the time of day, atomically. */
extern int64_t now_base_ns;

struct node_time node_now(void);

#endif
