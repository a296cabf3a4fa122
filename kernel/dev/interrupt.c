/*
 * Interrupts of devices: a table for each CPU, one trap handler for all vectors.
 *
 * Owns: tables. An entry is claimed by compare-and-swap of its handler, after which the claimer
 * fills in the argument; nothing is raised before the claimer has told the device. An entry that is
 * given back stays claimed until its CPU has taken a call, and so has left any handler.
 *
 * An interrupt that nobody has (a device that was reset had one on its way) is counted and ended.
 */
#include "interrupt.h"

#include "../arch/x86_64/arch.h"
#include "runtime.h"

#define VECTORS          (VECTOR_DEVICES_END - VECTOR_DEVICES)
#define MESSAGE_ADDRESS  0xfee00000ul
#define APIC_IDS_REACHED 256u /* a message's address has eight bits for them */

struct entry {
    void (*handler)(void *);
    void *argument;
};

struct cpu_table {
    struct entry entries[VECTORS];
    uint64_t stray;
};

static struct cpu_table **tables;

/* Holds an entry while nobody may be called. */
static void nobody(void *unused) {
    (void)unused;
}

static void dispatch(struct trap_frame *frame) {
    struct cpu_table *table = tables[cpu_number()];
    struct entry *entry = &table->entries[frame->vector - VECTOR_DEVICES];
    void (*handler)(void *) = k42_load_acquire(&entry->handler);
    if (handler)
        handler(entry->argument);
    else
        k42_store_relaxed(&table->stray, table->stray + 1);
    interrupt_end();
}

int interrupts_open(void) {
    tables = k42_platform_alloc(cpu_count() * sizeof *tables);
    if (!tables)
        return -ENOMEM;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (!(tables[cpu] = k42_platform_alloc(sizeof **tables)))
            return -ENOMEM;
    for (unsigned vector = VECTOR_DEVICES; vector < VECTOR_DEVICES_END; vector++)
        trap_handle(vector, dispatch);
    return 0;
}

int interrupt_take(uint32_t cpu, void (*handler)(void *), void *argument,
                   struct interrupt *interrupt) {
    if (cpu >= cpu_count() || cpu_apic_id(cpu) >= APIC_IDS_REACHED)
        return -ENOTSUP;
    for (unsigned i = 0; i < VECTORS; i++) {
        struct entry *entry = &tables[cpu]->entries[i];
        void (*empty)(void *) = NULL;
        if (!__atomic_compare_exchange_n(&entry->handler, &empty, nobody, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        entry->argument = argument;
        k42_store_release(&entry->handler, handler);
        *interrupt = (struct interrupt){cpu, (uint8_t)(VECTOR_DEVICES + i)};
        return 0;
    }
    return -EBUSY;
}

static void pass(void *unused) {
    (void)unused;
}

void interrupt_give(struct interrupt interrupt) {
    struct entry *entry = &tables[interrupt.cpu]->entries[interrupt.vector - VECTOR_DEVICES];
    k42_store_release(&entry->handler, nobody);
    /* Handlers run with interrupts off: once that CPU answers, none is inside. */
    cpu_call(interrupt.cpu, pass, NULL);
    k42_store_release(&entry->handler, NULL);
}

uint64_t interrupt_message_address(struct interrupt interrupt) {
    return MESSAGE_ADDRESS | (uint64_t)cpu_apic_id(interrupt.cpu) << 12;
}

/* Fixed delivery, edge triggered. */
uint32_t interrupt_message_data(struct interrupt interrupt) {
    return interrupt.vector;
}

uint64_t interrupts_stray(void) {
    uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        sum += k42_load_relaxed(&tables[cpu]->stray);
    return sum;
}
