/*
 * Fuzzes the kernel's reader of ACPI tables: the bytes are what lies in memory from 0xE0000 on.
 *
 * Read twice, as they are and with the sums of all tables made right, since hardly any damage
 * would get past those. Whatever the reader says it found must lie inside the memory, every list
 * must come to an end, and what is read is summed up so that a sanitizer sees each byte.
 */
#include "bytes.h"
#include "fuzz.h"

#include <string.h>

#define BASE 0xe0000ul
#define RSDP (BASE + 0x40)

struct machine {
    uint8_t *bytes;
    size_t size;
};

static const void *map(void *context, uint64_t physical, size_t size) {
    struct machine *machine = context;
    if (physical < BASE || physical - BASE > machine->size ||
        size > machine->size - (physical - BASE))
        return NULL;
    return machine->bytes + (physical - BASE);
}

static unsigned sum_table(const struct machine *machine, struct acpi_table table) {
    unsigned sum = 0;
    if (!table.bytes) {
        expect(table.size == 0, "a table that is not there has a size");
        return 0;
    }
    expect(table.bytes >= machine->bytes &&
               table.size <= machine->size - (size_t)(table.bytes - machine->bytes),
           "a table lies outside memory");
    for (size_t i = 0; i < table.size; i++)
        sum += table.bytes[i];
    expect(!(sum & 255), "a table with a wrong sum was taken");
    return sum;
}

static void read_lists(const struct acpi *acpi, size_t size) {
    struct acpi_cpu cpu;
    struct acpi_io_apic io_apic;
    struct acpi_override override;
    struct acpi_pci_segment segment;
    size_t steps = 0;
    for (size_t at = 0; acpi_next_cpu(acpi, &at, &cpu); steps++)
        ;
    for (size_t at = 0; acpi_next_io_apic(acpi, &at, &io_apic); steps++)
        ;
    for (size_t at = 0; acpi_next_override(acpi, &at, &override); steps++)
        ;
    for (size_t at = 0; acpi_next_pci_segment(acpi, &at, &segment); steps++)
        ;
    expect(steps <= 4 * size, "a list has more entries than bytes");
}

static void read_all(struct machine *machine) {
    struct acpi acpi;
    struct acpi_power power;
    struct acpi_memory memory = {map, machine};
    uint64_t rsdp = acpi_find_rsdp(&memory);
    int error = acpi_open(&acpi, &memory, rsdp ? rsdp : RSDP);
    const struct acpi_table tables[] = {acpi.madt, acpi.fadt, acpi.hpet,
                                        acpi.mcfg, acpi.srat, acpi.dsdt};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        sum_table(machine, tables[i]);
        expect(!error || !tables[i].bytes, "a table was found in spite of an error");
    }
    read_lists(&acpi, machine->size);
    if (!acpi_read_power(&acpi, &power))
        expect(power.sleep_a < 8 && power.sleep_b < 8, "a sleep value does not fit its field");
    (void)acpi_local_apic(&acpi);
    (void)acpi_hpet(&acpi);
    (void)acpi_has_8259(&acpi);
}

/* ---- making sums right ---- */

static void make_right(uint8_t *bytes, size_t size, size_t place) {
    uint8_t sum = 0;
    bytes[place] = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    bytes[place] = (uint8_t)-sum;
}

/* The table at an address, when its length leaves it inside memory. */
static uint8_t *mend_table(struct machine *machine, uint64_t physical, size_t *size) {
    uint8_t *bytes = (uint8_t *)(uintptr_t)map(machine, physical, 36);
    if (!bytes)
        return NULL;
    *size = acpi_read32(bytes + 4);
    if (*size < 36 || !map(machine, physical, *size))
        return NULL;
    make_right(bytes, *size, 9);
    return bytes;
}

static void mend_list(struct machine *machine, uint64_t physical, size_t width) {
    size_t size, table_size;
    uint8_t *list = mend_table(machine, physical, &size);
    for (size_t at = 36; list && at + width <= size; at += width) {
        uint64_t address = width == 8 ? acpi_read64(list + at) : acpi_read32(list + at);
        uint8_t *table = mend_table(machine, address, &table_size);
        if (table && acpi_same(table, "FACP", 4) && table_size >= 44)
            mend_table(machine, acpi_read32(table + 40), &table_size);
    }
}

static void mend(struct machine *machine) {
    if (machine->size < 0x40 + 36)
        return;
    uint8_t *rsdp = machine->bytes + 0x40;
    mend_list(machine, acpi_read32(rsdp + 16), 4);
    mend_list(machine, acpi_read64(rsdp + 24), 8);
    make_right(rsdp, 20, 8);
    make_right(rsdp, 36, 32);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct machine machine = {malloc(size ? size : 1), size};
    if (!machine.bytes)
        abort();
    memcpy(machine.bytes, data, size);
    read_all(&machine);
    mend(&machine);
    read_all(&machine);
    free(machine.bytes);
    return 0;
}
