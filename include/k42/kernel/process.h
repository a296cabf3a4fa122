/*
 * What implementing a process takes: the body behind its root, and the methods on it.
 */
#ifndef K42_KERNEL_PROCESS_PARTS_H
#define K42_KERNEL_PROCESS_PARTS_H

#include <k42/kernel.h>

#include "../../../kernel/body.h"
#include "../../../kernel/linux/process/body.h"
#include "../../../kernel/linux/process/process.h"

#endif
