/*
 * What the kernel offers to components, by name and version.
 *
 * A component's undefined symbols carry the version they were compiled against:
 * "k42_create.1a2b3c4d". The table is made when the kernel is built, from include/k42/kernel.h
 * (host/exports).
 */
#ifndef KERNEL_COMPONENT_EXPORTS_H
#define KERNEL_COMPONENT_EXPORTS_H

#include <stddef.h>
#include <stdint.h>

/* The address of a symbol, or 0 and a sentence in `why`, which may be NULL. */
uintptr_t export_find(const char *versioned, char *why, size_t why_size);

#endif
