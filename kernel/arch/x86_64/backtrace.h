/* Who called whom, by frame pointers, with names from the table that the build put in the image. */
#ifndef KERNEL_BACKTRACE_H
#define KERNEL_BACKTRACE_H

#include <stdint.h>

struct trap_frame;

/* From the caller of this function. Any context. */
void backtrace_here(void);
/* From where a trap came. */
void backtrace_trap(const struct trap_frame *frame);

#endif
