/*
 * The time of day, for the times of nodes.
 */
#ifndef KERNEL_FS_NOW_H
#define KERNEL_FS_NOW_H

#include "node.h"

struct node_time node_now(void);

#endif
