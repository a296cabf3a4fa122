/*
 * The order in which the kernel comes up, from the loader to kernel_main on the boot CPU and
 * kernel_secondary on the others. Each step may use those before it.
 *
 *     entry tables    console, traps, what the loader said, features
 *     own tables      the boot CPU's area and stack, ACPI, local APIC, clock, timer
 *     all CPUs        the other CPUs, top-level slots of the kernel's half sealed
 *
 * Owns: the account of where the time went, printed when the option boot-times is there.
 */
#include "../../acpi/acpi.h"
#include "../../dev/serial.h"
#include "../../kernel.h"
#include "../../print.h"
#include "cpu.h"

#define MARKS_MAX 16

struct acpi firmware_tables;

static struct {
    const char *what;
    uint64_t tsc;
} marks[MARKS_MAX];
static unsigned mark_count;

void boot_mark(const char *what) {
    if (mark_count < MARKS_MAX) {
        marks[mark_count].what = what;
        marks[mark_count++].tsc = read_tsc();
    }
}

void boot_print_times(void) {
    uint64_t before = entry_time;
    for (unsigned i = 0; i < mark_count; i++) {
        uint64_t took = clock_ns_at(marks[i].tsc) - clock_ns_at(before);
        print("boot time: %s %lu us", marks[i].what, took / 1000);
        before = marks[i].tsc;
    }
    print("boot time: all %lu us", clock_ns_at(before) / 1000);
}

static const void *read_firmware(void *context, uint64_t physical, size_t size) {
    (void)context;
    return firmware_map(physical, size);
}

static void read_tables(void) {
    struct acpi_memory memory = {read_firmware, NULL};
    uint64_t rsdp = boot_rsdp ? boot_rsdp : acpi_find_rsdp(&memory);
    if (acpi_open(&firmware_tables, &memory, rsdp))
        print("boot: no ACPI tables; only this CPU and the usual addresses are used");
    power_open(&firmware_tables);
}

/* The old interrupt controllers would raise exceptions' vectors: move and mask them. */
static void silence_8259(void) {
    static const uint8_t commands[][2] = {{0x20, 0x11}, {0xa0, 0x11}, {0x21, 0xf0}, {0xa1, 0xf8},
                                          {0x21, 0x04}, {0xa1, 0x02}, {0x21, 0x01}, {0xa1, 0x01},
                                          {0x21, 0xff}, {0xa1, 0xff}};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        port_write8(commands[i][0], commands[i][1]);
}

static void on_own_stack(void *unused) {
    (void)unused;
    read_tables();
    boot_mark("ACPI tables");
    silence_8259();
    uint64_t apic = acpi_local_apic(&firmware_tables);
    apic_open(apic ? apic : 0xfee00000);
    apic_enable();
    cpu_self()->apic_id = apic_id();
    clock_open(acpi_hpet(&firmware_tables));
    boot_mark("clock");
    timer_open();
    calls_open();
    fast_reboot_open();
    smp_start();
    paging_seal();
    boot_mark("other CPUs");
    kernel_main();
}

void kernel_entry(uint32_t magic, uint32_t information) {
    cpu_open_early();
    serial_open();
    traps_open();
    boot_info_read(magic, information);
    features_find();
    features_enable();
    boot_mark("loader's information");
    paging_open();
    boot_mark("page tables");
    cpu_open(0, 0);
    cpu_load(0);
    traps_use_separate_stacks();
    stack_switch(cpu_stack_top(0), on_own_stack, NULL);
}
