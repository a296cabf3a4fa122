/*
 * What kernel memory needs from the machine. The kernel gives it for the processor it runs on, the
 * host tests with threads that stand in for CPUs: each in a header <k42_machine.h> on its include
 * path, as inline functions where speed counts.
 *
 * None of these waits or fails unless it says so; all may be called in any context.
 *
 * Spinning. Whoever spins with interrupts off calls machine_relax() in the loop, which answers the
 * flushes that other CPUs wait for. With that kept everywhere, a CPU may wait for a flush while it
 * holds something that others spin for: the flush always ends.
 */
#ifndef K42_KERNEL_MACHINE_H
#define K42_KERNEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MACHINE_PAGE_SHIFT 12u
#define MACHINE_PAGE_SIZE  ((size_t)1 << MACHINE_PAGE_SHIFT)
/* What one page of translation entries covers. */
#define MACHINE_TABLE_SPAN ((uintptr_t)2 << 20)

/*
 * A translation entry. Zero: nothing is there, and the processor remembers nothing of it. Entries
 * change by atomic operations only. One that is busy translates nothing either, but is not zero.
 */
typedef uint64_t machine_entry;

#include <k42_machine.h>

/*
 * The header provides, as functions or inline functions:
 *
 *   uint32_t  machine_cpu(void)                  this CPU's number; its caller cannot migrate
 *   uint32_t  machine_cpu_count(void)            CPUs are numbered 0 .. count-1; constant
 *   uintptr_t machine_interrupts_off(void)       forbids interrupts here; returns what was before
 *   void      machine_interrupts_restore(uintptr_t before)
 *   void      machine_preemption_off(void)       nests; the thread stays on its CPU
 *   void      machine_preemption_on(void)
 *   void      machine_relax(void)                one turn of a spinning wait, see above
 *
 *   void     *machine_memory(uint64_t physical)  where physical memory is visible to the kernel:
 *                                                neighbours are neighbours within one range
 *   uint64_t  machine_physical(const void *memory)   the way back
 *   void      machine_zero_page(void *page)
 *   void      machine_copy_page(void *to, const void *from)
 *
 *   uintptr_t machine_reserve_start(void)        address space for reserves, both ends multiples of
 *   uintptr_t machine_reserve_end(void)          MACHINE_TABLE_SPAN, at most 512 GiB
 *   uint32_t  machine_table_count(void)          how many translation tables of the runtime can be,
 *   size_t    machine_table_bytes(void)          how large one can be,
 *   uintptr_t machine_table_at(uint32_t number)  and where each lies, page aligned
 *   uint32_t  machine_table_number(uintptr_t address)   whose it is; the count when it is nobody's
 *   machine_entry *machine_entry_find(uintptr_t address)   the page's entry; NULL: there is none in
 *                                                this whole MACHINE_TABLE_SPAN
 *   machine_entry *machine_entry_make(uintptr_t address)   makes the tables it needs (with frames,
 *                                                not through the heap); NULL: no memory. Two CPUs
 *                                                may make the same
 *   void      machine_tables_drop(uintptr_t start, uintptr_t end)   frees the page tables that
 *                                                translate nothing outside a range, which is empty,
 *                                                flushed, and which nobody touches meanwhile
 *   machine_entry machine_entry_to(uint64_t physical, bool writable)   kernel data, not executable
 *   bool      machine_entry_writable(machine_entry entry)
 *   uint64_t  machine_entry_physical(machine_entry entry)
 *   MACHINE_ENTRY_BUSY                           the constant of a busy entry
 *   void      machine_flush(uintptr_t start, uintptr_t end)   returns when no CPU remembers an
 *                                                entry of the range from before the call
 */

#endif
