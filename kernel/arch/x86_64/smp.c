/*
 * Starting the other CPUs: INIT to all of them, then one after the other is sent to the trampoline
 * and takes its number and stack from the hand-over.
 *
 * A CPU that does not come within the time is left out, with a message; should it come later it
 * finds the hand-over taken back and halts. Numbers are given in the order of arrival, 0 is the
 * boot CPU's.
 *
 * Owns: the hand-over (the boot CPU puts a pointer there, the CPU that comes exchanges it for NULL)
 * and `arrived`, the number of the last CPU that runs on its own stack.
 */
#include "../../acpi/acpi.h"
#include "../../kernel.h"
#include "../../print.h"
#include "cpu.h"

#define MILLISECOND     1000000ul
#define SECOND          1000000000ul
#define PATIENCE        (SECOND / 5) /* before the second attempt */
#define LONG_PATIENCE   (10 * SECOND)
#define XAPIC_IDS       255u
#define INIT_DELAY      (10 * MILLISECOND)
#define FAMILY_NO_DELAY 6 /* processors since 1995 need no pause after INIT */

/* trampoline.S knows the layout. */
struct secondary {
    uint64_t page_table, stack;
    uint32_t number, efer;
};

struct secondary *secondary_handover;
static struct secondary secondary;
static uint32_t arrived;
static uint32_t gate_open;

extern char trampoline_begin[], trampoline_end[], trampoline_gdt_base[], trampoline_jump[];
_Noreturn void secondary_entry(uint32_t number);

_Noreturn void secondary_entry(uint32_t number) {
    features_enable();
    cpu_load(number);
    traps_load();
    apic_enable();
    struct cpu *self = cpu_self();
    self->apic_id = apic_id();
    tsc_follow();
    __atomic_store_n(&self->online, 1, __ATOMIC_RELEASE);
    __atomic_store_n(&arrived, number, __ATOMIC_RELEASE);
    /* Nobody interrupts before the boot CPU has counted everybody and opens the gate. */
    while (!__atomic_load_n(&gate_open, __ATOMIC_ACQUIRE)) {
        cpu_idle();
        interrupts_disable();
    }
    kernel_secondary();
}

static void add_at(char *page, const char *field, uint32_t base) {
    uint32_t value;
    char *at = page + (field - trampoline_begin);
    __builtin_memcpy(&value, at, sizeof value);
    value += base;
    __builtin_memcpy(at, &value, sizeof value);
}

static bool place_trampoline(uint64_t page) {
    if (!page)
        return false;
    char *copy = phys_to_virt(page);
    __builtin_memcpy(copy, trampoline_begin, (size_t)(trampoline_end - trampoline_begin));
    add_at(copy, trampoline_gdt_base, (uint32_t)page);
    add_at(copy, trampoline_jump, (uint32_t)page);
    return true;
}

static bool comes_within(uint32_t number, uint64_t ns) {
    uint64_t end = time_ns() + ns;
    while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) != number) {
        if (time_ns() > end)
            return false;
        tsc_answer();
        __builtin_ia32_pause();
    }
    return true;
}

/* True when the CPU runs as `number`. */
static bool start(uint32_t target, uint32_t number, uint64_t page) {
    secondary = (struct secondary){kernel_page_table, cpu_stack_top(number), number,
                                   features.nx ? EFER_NXE : 0};
    __atomic_store_n(&secondary_handover, &secondary, __ATOMIC_RELEASE);
    apic_send(target, APIC_START | (uint32_t)(page / FRAME_SIZE));
    if (comes_within(number, PATIENCE))
        return true;
    apic_send(target, APIC_START | (uint32_t)(page / FRAME_SIZE));
    if (comes_within(number, LONG_PATIENCE))
        return true;
    if (__atomic_exchange_n(&secondary_handover, NULL, __ATOMIC_ACQ_REL))
        return false;
    /* It has taken the stack, which nobody else can be given any more. */
    if (!comes_within(number, LONG_PATIENCE))
        panic("boot: CPU with APIC id %u began to start and did not finish", target);
    return true;
}

static bool startable(const struct acpi_cpu *cpu) {
    if (!cpu->enabled || cpu->apic_id == apic_id())
        return false;
    if (cpu->apic_id < XAPIC_IDS || features.x2apic)
        return true;
    print("boot: CPU with APIC id %u needs x2APIC and is left out", cpu->apic_id);
    return false;
}

static unsigned family(void) {
    uint32_t version = cpuid(1, 0).eax;
    return version >> 8 & 15;
}

static void initialise_all(void) {
    struct acpi_cpu cpu;
    for (size_t at = 0; acpi_next_cpu(&firmware_tables, &at, &cpu);)
        if (startable(&cpu))
            apic_send(cpu.apic_id, APIC_INIT);
    delay_ns(family() < FAMILY_NO_DELAY ? INIT_DELAY : MILLISECOND / 100);
}

void smp_start(void) {
    char value[12];
    uint64_t page = memory_map_take_low(FRAME_SIZE);
    cpu_self()->online = 1;
    if (boot_option("one-cpu", value, sizeof value))
        return;
    if (!place_trampoline(page)) {
        print("boot: no free page below 640 KiB, so the other CPUs cannot be started");
        return;
    }
    initialise_all();
    unsigned number = 1, opened = 0;
    struct acpi_cpu cpu;
    for (size_t at = 0; acpi_next_cpu(&firmware_tables, &at, &cpu);) {
        if (!startable(&cpu))
            continue;
        if (opened < number)
            cpu_open(number, cpu.apic_id);
        opened = number;
        if (start(cpu.apic_id, number, page))
            number++;
        else
            print("boot: CPU with APIC id %u does not answer and is left out", cpu.apic_id);
    }
    smp_count(number);
    __atomic_store_n(&gate_open, 1, __ATOMIC_RELEASE);
    for (unsigned i = 1; i < number; i++)
        cpu_poke(i);
}
