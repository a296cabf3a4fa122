/*
 * The machine as programs see it: its versions and its memory.
 */
#ifndef KERNEL_LINUX_SYSTEM_H
#define KERNEL_LINUX_SYSTEM_H

#define SYSTEM_RELEASE "6.1.0-k42"
#define SYSTEM_VERSION "#1 SMP K42"

#include <stdint.h>

/* Frames there are, and those that nobody uses. */
void system_memory(uint64_t *total, uint64_t *available);
/* Frames of the archives that the first file system's files lie in. */
uint64_t system_archives(void);

#endif
