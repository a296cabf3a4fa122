/*
 * The processor for kernel memory: what kernel/mem/machine.h asks of the machine it runs on.
 *
 * Translation entries are those of the lowest level of the kernel's page table, changed in place.
 * Busy is a bit that the processor ignores in an entry that is not present.
 */
#ifndef KERNEL_K42_MACHINE_H
#define KERNEL_K42_MACHINE_H

#include "../../sched/preempt.h"
#include "arch.h"

static inline uint32_t machine_cpu(void) {
    return cpu_number();
}

static inline uint32_t machine_cpu_count(void) {
    return cpu_count();
}

static inline uintptr_t machine_interrupts_off(void) {
    return interrupts_save();
}

static inline void machine_interrupts_restore(uintptr_t before) {
    interrupts_restore(before);
}

static inline void machine_preemption_off(void) {
    preempt_off();
}

static inline void machine_preemption_on(void) {
    preempt_on();
}

static inline void machine_relax(void) {
    cpu_wait_turn();
}

static inline void *machine_memory(uint64_t physical) {
    return phys_to_virt(physical);
}

static inline uint64_t machine_physical(const void *memory) {
    return virt_to_phys(memory);
}

/* Without fast string instructions a page is 576 instructions to zero and 1,100 to copy. */
static inline void machine_zero_page(void *page) {
    if (string_moves) {
        size_t words = MACHINE_PAGE_SIZE / 8;
        __asm__ volatile("rep stosq" : "+D"(page), "+c"(words) : "a"(0ul) : "memory");
        return;
    }
    uint64_t *at = page, *end = at + MACHINE_PAGE_SIZE / sizeof *at;
    for (; at < end; at += 16) {
        at[0] = at[1] = at[2] = at[3] = 0;
        at[4] = at[5] = at[6] = at[7] = 0;
        at[8] = at[9] = at[10] = at[11] = 0;
        at[12] = at[13] = at[14] = at[15] = 0;
    }
}

static inline __attribute__((always_inline)) void machine_copy_four(uint64_t *to,
                                                                    const uint64_t *from) {
    uint64_t a = from[0], b = from[1], c = from[2], d = from[3];
    to[0] = a, to[1] = b, to[2] = c, to[3] = d;
}

static inline void machine_copy_page(void *to, const void *from) {
    if (string_moves) {
        size_t words = MACHINE_PAGE_SIZE / 8;
        __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
        return;
    }
    uint64_t *at = to, *end = at + MACHINE_PAGE_SIZE / sizeof *at;
    const uint64_t *source = from;
    for (; at < end; at += 32, source += 32) {
#pragma GCC unroll 8
        for (unsigned four = 0; four < 32; four += 4)
            machine_copy_four(at + four, source + four);
    }
}

/* ---- reserves: a quarter into the heap's addresses; half-way begin the threads' stacks ---- */

static inline uintptr_t machine_reserve_start(void) {
    return KERNEL_HEAP + KERNEL_HEAP_SIZE / 4;
}

static inline uintptr_t machine_reserve_end(void) {
    return machine_reserve_start() + (512ul << 30);
}

/* ---- the runtime's tables: one for each CPU, where its GS base points ---- */

static inline uint32_t machine_table_count(void) {
    return cpu_count();
}

static inline size_t machine_table_bytes(void) {
    return CPU_TABLE_SIZE;
}

static inline uintptr_t machine_table_at(uint32_t number) {
    return cpu_table(number);
}

static inline uint32_t machine_table_number(uintptr_t address) {
    uintptr_t from = address - cpu_table(0);
    if (address < cpu_table(0) || from / CPU_AREA_SIZE >= cpu_count() ||
        from % CPU_AREA_SIZE >= CPU_TABLE_SIZE)
        return cpu_count();
    return (uint32_t)(from / CPU_AREA_SIZE);
}

/* ---- entries ---- */

#define MACHINE_ENTRY_BUSY ((machine_entry)1 << 9)

static inline machine_entry *machine_entry_find(uintptr_t address) {
    return page_entry_find(address);
}

static inline machine_entry *machine_entry_make(uintptr_t address) {
    return page_entry_make(address);
}

/* Page tables of the kernel's half stay for ever: processors walk them, and others read them,
 * without a lock; and what is ended is soon touched again. */
static inline void machine_tables_drop(uintptr_t start, uintptr_t end) {
    (void)start, (void)end;
}

static inline machine_entry machine_entry_to(uint64_t physical, bool writable) {
    return page_entry(physical, writable ? KERNEL_WRITE : KERNEL_READ);
}

static inline bool machine_entry_writable(machine_entry entry) {
    return entry & 2;
}

static inline uint64_t machine_entry_physical(machine_entry entry) {
    return entry & 0x000ffffffffff000ul;
}

static inline void machine_flush(uintptr_t start, uintptr_t end) {
    tlb_flush_all(start, (end - start) / FRAME_SIZE);
}

#endif
