/*
 * What the files of the Linux host share among themselves; nobody outside core/host includes it.
 */
#ifndef K42_CORE_HOST_H
#define K42_CORE_HOST_H

#include "../platform.h"

/* True when `address` is, or once was, the start of a table that k42_platform_table_map() made. */
int k42_host_table_known(uintptr_t address);

#endif
