/*
 * Reserves: kernel address space that takes frames as it is touched, and the translation tables of
 * the object runtime, whose pages are a template's until they are written.
 *
 * Together they are the memory half of the runtime's platform: k42_platform_reserve(),
 * k42_platform_unreserve(), k42_platform_template() and k42_platform_table(s)_*(), with the
 * contracts of core/platform.h.
 */
#ifndef K42_KERNEL_RESERVE_H
#define K42_KERNEL_RESERVE_H

#include "../machine.h"

/* After heap_open(), once. 0 or -ENOMEM. */
int reserve_open(void);

/*
 * What the page fault handler calls, with interrupts off, for a fault in kernel mode that is not an
 * attempt to execute. True: make the access again. False: the address is not reserved, or there is
 * not a single frame left; nothing has changed.
 */
bool reserve_fault(uintptr_t address, bool write);

/* Frames that hold touched pages. */
uint64_t reserve_frames(void);

#endif
