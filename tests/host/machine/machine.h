/*
 * What tests do with the machine that k42_machine.h makes for kernel memory.
 */
#ifndef K42_TESTS_MACHINE_MACHINE_H
#define K42_TESTS_MACHINE_MACHINE_H

#include "../../../kernel/mem/machine.h"

/* Physical memory, before frames_open(); at most MACHINE_BANKS. */
void machine_add_bank(uint64_t start, uint64_t bytes);

/* Runs the function on CPUs 0 .. count-1, each a thread, and waits for all. */
void machine_run_cpus(uint32_t count, void (*run)(uint32_t cpu, void *argument), void *argument);

/* An access to reserved address space: through this CPU's translation buffer, page tables, faults.
 */
uint64_t machine_load(uintptr_t address);
void machine_store(uintptr_t address, uint64_t value);
/* What handles its faults. */
extern bool (*machine_fault)(uintptr_t address, bool write);

/* The last line logged, or panicked with. */
extern char machine_last_line[256];
/* True when act() panics, which then ends there, whatever locks it holds. */
bool machine_panics(void (*act)(void *), void *argument);

#endif
