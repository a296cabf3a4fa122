/*
 * The machine for the tests of kernel memory: banks, page tables, translation buffers, a console.
 *
 * A CPU's translation buffer is locked while an access looks there and uses what it found, so a
 * flush waits for accesses under way, as an interrupt would wait for the end of an instruction, and
 * everything not flushed stays remembered for as long as a processor might remember it.
 */
#include "machine.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "../../../core/platform.h"
#include "../../../kernel/mem/frame/frame.h"
#include "../../../kernel/mem/frame/spin.h"

struct machine_bank machine_banks[MACHINE_BANKS];
__thread uint32_t machine_this_cpu;
__thread uint32_t machine_interrupts_forbidden, machine_preemption_forbidden;

void machine_add_bank(uint64_t start, uint64_t bytes) {
    struct machine_bank *bank = machine_banks;
    while (bank->bytes)
        bank++;
    char *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mapping a bank of memory");
        abort();
    }
    *bank = (struct machine_bank){start, bytes, memory};
}

/* ---- CPUs ---- */

struct cpu_thread {
    void (*run)(uint32_t cpu, void *argument);
    void *argument;
    uint32_t cpu;
};

static void *run_cpu(void *argument) {
    struct cpu_thread *thread = argument;
    machine_this_cpu = thread->cpu;
    thread->run(thread->cpu, thread->argument);
    return NULL;
}

void machine_run_cpus(uint32_t count, void (*run)(uint32_t cpu, void *argument), void *argument) {
    pthread_t threads[MACHINE_CPUS];
    struct cpu_thread cpus[MACHINE_CPUS];
    for (uint32_t i = 0; i < count; i++) {
        cpus[i] = (struct cpu_thread){run, argument, i};
        if (pthread_create(&threads[i], NULL, run_cpu, &cpus[i])) {
            perror("starting a CPU");
            abort();
        }
    }
    for (uint32_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
}

/* ---- page tables ---- */

#define RESERVE_START ((uintptr_t)0x7000 << 28)
#define RESERVE_SPANS 512u
#define PER_TABLE     (MACHINE_TABLE_SPAN / MACHINE_PAGE_SIZE)
/* Behind the reserves: 8 MiB for each CPU, of which its translation table has all but the first. */
#define TABLES_START (RESERVE_START + RESERVE_SPANS * MACHINE_TABLE_SPAN)
#define TABLE_AREA   (4 * MACHINE_TABLE_SPAN)
#define TABLE_OFFSET (MACHINE_TABLE_SPAN / 2)
#define SPANS        (RESERVE_SPANS + MACHINE_CPUS * 4)

static machine_entry *tables[SPANS];

uintptr_t machine_reserve_start(void) {
    return RESERVE_START;
}

uintptr_t machine_reserve_end(void) {
    return TABLES_START;
}

uint32_t machine_table_count(void) {
    return MACHINE_CPUS;
}

size_t machine_table_bytes(void) {
    return TABLE_AREA - TABLE_OFFSET;
}

uintptr_t machine_table_at(uint32_t number) {
    return TABLES_START + number * TABLE_AREA + TABLE_OFFSET;
}

uint32_t machine_table_number(uintptr_t address) {
    uintptr_t from = address - TABLES_START;
    if (address < TABLES_START || from >= MACHINE_CPUS * TABLE_AREA ||
        from % TABLE_AREA < TABLE_OFFSET)
        return MACHINE_CPUS;
    return (uint32_t)(from / TABLE_AREA);
}

static machine_entry **table_of(uintptr_t address) {
    return &tables[(address - RESERVE_START) / MACHINE_TABLE_SPAN];
}

static machine_entry *entry_in(machine_entry *table, uintptr_t address) {
    return table ? &table[address / MACHINE_PAGE_SIZE % PER_TABLE] : NULL;
}

machine_entry *machine_entry_find(uintptr_t address) {
    if (address < RESERVE_START || address >= RESERVE_START + SPANS * MACHINE_TABLE_SPAN)
        return NULL;
    return entry_in(__atomic_load_n(table_of(address), __ATOMIC_ACQUIRE), address);
}

machine_entry *machine_entry_make(uintptr_t address) {
    machine_entry **slot = table_of(address);
    machine_entry *table = __atomic_load_n(slot, __ATOMIC_ACQUIRE);
    struct frame *frame;
    if (table)
        return entry_in(table, address);
    if (frame_allocate(0, NULL, &frame))
        return NULL;
    machine_entry *made = frame_memory(frame);
    machine_zero_page(made);
    if (__atomic_compare_exchange_n(slot, &table, made, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return entry_in(made, address);
    frame_free(frame, 0);
    return entry_in(table, address);
}

void machine_tables_drop(uintptr_t start, uintptr_t end) {
    start = (start + MACHINE_TABLE_SPAN - 1) & ~(MACHINE_TABLE_SPAN - 1);
    for (; start + MACHINE_TABLE_SPAN <= end; start += MACHINE_TABLE_SPAN) {
        machine_entry *table = __atomic_exchange_n(table_of(start), NULL, __ATOMIC_ACQ_REL);
        if (table)
            frame_free(frame_at(machine_physical(table)), 0);
    }
}

/* ---- translation buffers ---- */

#define BUFFER_ENTRIES 64u

static struct buffer {
    struct spin lock;
    struct {
        uintptr_t page;
        machine_entry entry;
    } entries[BUFFER_ENTRIES];
} buffers[MACHINE_CPUS];

bool (*machine_fault)(uintptr_t address, bool write);

void machine_flush(uintptr_t start, uintptr_t end) {
    for (uint32_t cpu = 0; cpu < MACHINE_CPUS; cpu++) {
        struct buffer *buffer = &buffers[cpu];
        spin_enter(&buffer->lock);
        for (uint32_t i = 0; i < BUFFER_ENTRIES; i++)
            if (buffer->entries[i].page >= start && buffer->entries[i].page < end)
                buffer->entries[i].page = 0;
        spin_leave(&buffer->lock);
    }
}

/* Under the buffer's lock: where the address is now, or NULL: a fault. */
static void *translate(struct buffer *buffer, uintptr_t address, bool write) {
    uintptr_t page = address & ~(MACHINE_PAGE_SIZE - 1);
    uint32_t i = (uint32_t)(page / MACHINE_PAGE_SIZE % BUFFER_ENTRIES);
    if (buffer->entries[i].page != page) {
        machine_entry *entry = machine_entry_find(address);
        machine_entry value = entry ? __atomic_load_n(entry, __ATOMIC_ACQUIRE) : 0;
        if (!(value & MACHINE_ENTRY_PRESENT))
            return NULL;
        buffer->entries[i].page = page;
        buffer->entries[i].entry = value;
    }
    machine_entry entry = buffer->entries[i].entry;
    if (write && !machine_entry_writable(entry)) {
        buffer->entries[i].page = 0; /* a fault forgets its own entry */
        return NULL;
    }
    return machine_memory(machine_entry_physical(entry) + (address - page));
}

static uint64_t access(uintptr_t address, bool write, uint64_t value) {
    struct buffer *buffer = &buffers[machine_this_cpu];
    for (;;) {
        spin_enter(&buffer->lock);
        uint64_t *word = translate(buffer, address, write);
        if (word) {
            if (write)
                __atomic_store_n(word, value, __ATOMIC_RELEASE);
            else
                value = __atomic_load_n(word, __ATOMIC_ACQUIRE);
            spin_leave(&buffer->lock);
            return value;
        }
        spin_leave(&buffer->lock);
        if (!machine_fault(address, write))
            k42_platform_panic("page fault");
    }
}

uint64_t machine_load(uintptr_t address) {
    return access(address, false, 0);
}

void machine_store(uintptr_t address, uint64_t value) {
    (void)access(address, true, value);
}

/* ---- console ---- */

char machine_last_line[256];
static jmp_buf *panic_catcher;

void k42_platform_log(const char *line) {
    snprintf(machine_last_line, sizeof(machine_last_line), "%s", line);
}

_Noreturn void k42_platform_panic(const char *line) {
    k42_platform_log(line);
    if (panic_catcher)
        longjmp(*panic_catcher, 1);
    fprintf(stderr, "panic: %s\n", line);
    abort();
}

bool machine_panics(void (*act)(void *), void *argument) {
    jmp_buf here;
    uint32_t interrupts = machine_interrupts_forbidden, preemption = machine_preemption_forbidden;
    panic_catcher = &here;
    bool panicked = setjmp(here);
    if (!panicked)
        act(argument);
    panic_catcher = NULL;
    machine_interrupts_forbidden = interrupts;
    machine_preemption_forbidden = preemption;
    return panicked;
}
