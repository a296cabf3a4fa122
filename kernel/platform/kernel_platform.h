/*
 * The kernel's side of core/platform.h: how it is opened.
 */
#ifndef KERNEL_PLATFORM_H
#define KERNEL_PLATFORM_H

#include <stdint.h>

/*
 * Starts memory, threads and the object runtime; afterwards all CPUs run threads. Once, on the boot
 * CPU, interrupts on. Panics when the machine has too little memory.
 */
void platform_open(void);

/* Memory alone: frames, heap, reserves, and the kernel's page faults. */
void platform_memory_open(void);
/* Frames that became page tables of the kernel's own address space since then. They stay: there are
 * as many as the most stacks and reserved pages at a time needed. */
uint64_t platform_page_tables(void);

/* Hands the kernel's own classes and trace events to the runtime, before it starts. */
void platform_module_register(void);

#endif
