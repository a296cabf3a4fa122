/*
 * Frames for the kernel's own use, one at a time, and memory that appears when it is touched.
 */
#ifndef KERNEL_PLATFORM_MEMORY_H
#define KERNEL_PLATFORM_MEMORY_H

#include "../arch/x86_64/arch.h"

/* Physical address of a frame, or 0: there is none. Any context. */
uint64_t platform_frame_take(void);
void platform_frame_give(uint64_t frame);

/* Once, on the boot CPU, before anything is allocated. */
void platform_memory_open(void);
/* Before the first reserve. */
void platform_reserves_open(void);

/*
 * A range of addresses whose pages are made when they are touched, by fill(), which writes a whole
 * page, with interrupts off and no locks.
 */
struct platform_range {
    uintptr_t start, end;
    void (*fill)(uintptr_t page, void *memory);
    struct platform_range *next;
};
/* The range is the caller's and stays for ever. */
void platform_range_add(struct platform_range *range);
/*
 * Takes pages of [start, end) away; what is touched afterwards is filled anew. On `cpu` no thread
 * runs between the change and its own forgetting of it. Interrupts on.
 */
void platform_range_drop(unsigned cpu, uintptr_t start, uintptr_t end);

#endif
