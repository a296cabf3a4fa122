/* Who called whom, by frame pointers, with names from the table that the build put in the image. */
#ifndef KERNEL_BACKTRACE_H
#define KERNEL_BACKTRACE_H

#include <stdint.h>

struct trap_frame;

/* The function around an address and how far into it; NULL: none. */
const char *backtrace_name(uintptr_t address, uintptr_t *offset);

/* From the caller of this function. Any context. */
void backtrace_here(void);
/* From where a trap came. */
void backtrace_trap(const struct trap_frame *frame);

#endif
