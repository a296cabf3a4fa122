/*
 * The machine as programs see it: its name, and how it ends.
 */
#ifndef KERNEL_LINUX_SYSTEM_H
#define KERNEL_LINUX_SYSTEM_H

#define SYSTEM_RELEASE "6.1.0-k42"
#define SYSTEM_VERSION "#1 SMP K42"
#define SYSTEM_NAME    65

#include <stdint.h>

/* Copies the host's name and its domain, SYSTEM_NAME bytes each. */
void system_names(char *host, char *domain);

/* Frames there are, and those that nobody uses. */
void system_memory(uint64_t *total, uint64_t *available);

#endif
