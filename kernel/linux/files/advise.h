/*
 * What madvise says of a way of reading, for the page caches of the files that are mapped.
 */
#ifndef KERNEL_LINUX_FILES_ADVISE_H
#define KERNEL_LINUX_FILES_ADVISE_H

#include <stdint.h>

/* Of those in a range of the caller's addresses. Active; does not wait, and cannot fail: it is
 * advice. `advice` as madvise has it; what is not of a way of reading changes nothing. */
void files_advise_mapped(uintptr_t start, uintptr_t end, int advice);

#endif
