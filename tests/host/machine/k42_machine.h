/*
 * A machine for the tests of kernel memory: threads stand in for CPUs, mapped memory for banks of
 * physical memory at any address, and arrays for page tables and translation buffers.
 *
 * Each test thread makes itself a CPU by setting machine_this_cpu. Interrupts and preemption do not
 * exist; what the kernel does with them off is checked to be balanced.
 */
#ifndef K42_TESTS_MACHINE_H
#define K42_TESTS_MACHINE_H

#include <sched.h>
#include <string.h>

#define MACHINE_CPUS  8u
#define MACHINE_BANKS 8u

struct machine_bank {
    uint64_t start, bytes;
    char *memory;
};

extern struct machine_bank machine_banks[MACHINE_BANKS];
extern __thread uint32_t machine_this_cpu;
extern __thread uint32_t machine_interrupts_forbidden, machine_preemption_forbidden;

static inline uint32_t machine_cpu(void) {
    return machine_this_cpu;
}

static inline uint32_t machine_cpu_count(void) {
    return MACHINE_CPUS;
}

static inline uintptr_t machine_interrupts_off(void) {
    return machine_interrupts_forbidden++;
}

static inline void machine_interrupts_restore(uintptr_t before) {
    machine_interrupts_forbidden = (uint32_t)before;
}

static inline void machine_preemption_off(void) {
    machine_preemption_forbidden++;
}

static inline void machine_preemption_on(void) {
    machine_preemption_forbidden--;
}

static inline void machine_relax(void) {
    sched_yield();
}

static inline void *machine_memory(uint64_t physical) {
    const struct machine_bank *bank = machine_banks;
    while (physical - bank->start >= bank->bytes)
        bank++;
    return bank->memory + (physical - bank->start);
}

static inline uint64_t machine_physical(const void *memory) {
    const struct machine_bank *bank = machine_banks;
    while ((uintptr_t)memory - (uintptr_t)bank->memory >= bank->bytes)
        bank++;
    return bank->start + ((uintptr_t)memory - (uintptr_t)bank->memory);
}

static inline void machine_zero_page(void *page) {
    memset(page, 0, MACHINE_PAGE_SIZE);
}

static inline void machine_copy_page(void *to, const void *from) {
    memcpy(to, from, MACHINE_PAGE_SIZE);
}

uintptr_t machine_reserve_start(void);
uintptr_t machine_reserve_end(void);
uint32_t machine_table_count(void);
size_t machine_table_bytes(void);
uintptr_t machine_table_at(uint32_t number);
uint32_t machine_table_number(uintptr_t address);
machine_entry *machine_entry_find(uintptr_t address);
machine_entry *machine_entry_make(uintptr_t address);
void machine_tables_drop(uintptr_t start, uintptr_t end);
void machine_flush(uintptr_t start, uintptr_t end);

#define MACHINE_ENTRY_PRESENT  ((machine_entry)1)
#define MACHINE_ENTRY_WRITABLE ((machine_entry)2)
#define MACHINE_ENTRY_BUSY     ((machine_entry)4)

static inline machine_entry machine_entry_to(uint64_t physical, bool writable) {
    return physical | MACHINE_ENTRY_PRESENT | (writable ? MACHINE_ENTRY_WRITABLE : 0);
}

static inline bool machine_entry_writable(machine_entry entry) {
    return entry & MACHINE_ENTRY_WRITABLE;
}

static inline uint64_t machine_entry_physical(machine_entry entry) {
    return entry & ~(machine_entry)(MACHINE_PAGE_SIZE - 1);
}

#endif
