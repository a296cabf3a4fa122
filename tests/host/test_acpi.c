/*
 * The kernel's reader of ACPI tables, on the host: tables that iasl compiled are laid out in memory
 * as firmware does (acpi/image.py), read whole, and then damaged in one place each.
 *
 * usage: test_acpi IMAGE
 */
#define _GNU_SOURCE /* memmem */
#include "acpi.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE         0xe0000ul
#define RSDP         (BASE + 0x40)
#define MACHINE_SIZE 0x20000ul

static uint8_t pristine[MACHINE_SIZE];
static size_t image_size;

/* Memory of this test: the image, and nothing around it. */
struct machine {
    uint8_t bytes[MACHINE_SIZE];
    size_t size;
    struct acpi acpi;
};

static const void *map(void *context, uint64_t physical, size_t size) {
    struct machine *machine = context;
    if (physical < BASE || physical - BASE > machine->size ||
        size > machine->size - (physical - BASE))
        return NULL;
    return machine->bytes + (physical - BASE);
}

static struct acpi_memory memory_of(struct machine *machine) {
    return (struct acpi_memory){map, machine};
}

static struct machine *fresh(void) {
    static struct machine machine;
    memcpy(machine.bytes, pristine, sizeof pristine);
    machine.size = image_size;
    return &machine;
}

static int open_tables(struct machine *machine) {
    struct acpi_memory memory = memory_of(machine);
    return acpi_open(&machine->acpi, &memory, RSDP);
}

/* Where a table begins in the image. */
static uint8_t *find(struct machine *machine, const char *signature) {
    uint8_t *found = memmem(machine->bytes + 0x80, machine->size - 0x80, signature, 4);
    assert_non_null(found);
    return found;
}

static void sum_up(uint8_t *table) {
    uint32_t size;
    memcpy(&size, table + 4, sizeof size);
    uint8_t sum = 0;
    table[9] = 0;
    for (uint32_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + table[i]);
    table[9] = (uint8_t)-sum;
}

static void the_tables_are_found(void **state) {
    (void)state;
    struct machine *machine = fresh();
    assert_int_equal(open_tables(machine), 0);
    struct acpi *acpi = &machine->acpi;
    assert_true(acpi->madt.bytes && acpi->fadt.bytes && acpi->hpet.bytes && acpi->mcfg.bytes);
    assert_memory_equal(acpi->dsdt.bytes, "DSDT", 4);
    assert_null(acpi->srat.bytes);
}

/* The area is searched as a whole, so the image must fill it. */
static void the_rsdp_is_found_in_the_bios_area(void **state) {
    (void)state;
    struct machine *machine = fresh();
    machine->size = MACHINE_SIZE;
    struct acpi_memory memory = memory_of(machine);
    assert_int_equal(acpi_find_rsdp(&memory), RSDP);
    machine->bytes[0x40 + 9]++;
    assert_int_equal(acpi_find_rsdp(&memory), 0);
}

static void processors_of_both_kinds_are_read(void **state) {
    (void)state;
    struct machine *machine = fresh();
    assert_int_equal(open_tables(machine), 0);
    struct acpi_cpu cpu[4];
    size_t at = 0, n = 0;
    while (n < 4 && acpi_next_cpu(&machine->acpi, &at, &cpu[n]))
        n++;
    assert_int_equal(n, 3);
    assert_true(cpu[0].enabled && cpu[0].apic_id == 0);
    assert_true(!cpu[1].enabled && cpu[1].apic_id == 4 && cpu[1].uid == 1);
    assert_true(cpu[2].enabled && cpu[2].apic_id == 0x123 && cpu[2].uid == 7);
}

static void interrupt_controllers_are_read(void **state) {
    (void)state;
    struct machine *machine = fresh();
    assert_int_equal(open_tables(machine), 0);
    struct acpi_io_apic io_apic;
    struct acpi_override override;
    size_t at = 0;
    assert_true(acpi_next_io_apic(&machine->acpi, &at, &io_apic));
    assert_true(io_apic.id == 2 && io_apic.address == 0xfec00000 && io_apic.first_interrupt == 24);
    assert_false(acpi_next_io_apic(&machine->acpi, &at, &io_apic));
    at = 0;
    assert_true(acpi_next_override(&machine->acpi, &at, &override));
    assert_true(override.isa == 9 && override.interrupt == 20 && override.low && override.level);
    assert_int_equal(acpi_local_apic(&machine->acpi), 0xfee10000);
    assert_true(acpi_has_8259(&machine->acpi));
}

static void timers_and_pci_are_read(void **state) {
    (void)state;
    struct machine *machine = fresh();
    assert_int_equal(open_tables(machine), 0);
    assert_int_equal(acpi_hpet(&machine->acpi), 0xfed00000);
    struct acpi_pci_segment segment;
    size_t at = 0;
    assert_true(acpi_next_pci_segment(&machine->acpi, &at, &segment));
    assert_true(segment.address == 0xb0000000 && segment.first_bus == 0 && segment.last_bus == 127);
    assert_false(acpi_next_pci_segment(&machine->acpi, &at, &segment));
}

static void power_off_and_reset_are_read(void **state) {
    (void)state;
    struct machine *machine = fresh();
    assert_int_equal(open_tables(machine), 0);
    struct acpi_power power;
    assert_int_equal(acpi_read_power(&machine->acpi, &power), 0);
    assert_int_equal(power.control_a, 0x604);
    assert_int_equal(power.control_b, 0);
    assert_true(power.sleep_a == 5 && power.sleep_b == 3);
    assert_true(power.reset_port == 0xcf9 && power.reset_value == 6);
}

static void an_old_rsdp_leads_to_32_bit_addresses(void **state) {
    (void)state;
    struct machine *machine = fresh();
    uint8_t *rsdp = machine->bytes + 0x40;
    rsdp[8] = (uint8_t)(rsdp[8] + rsdp[15]);
    rsdp[15] = 0;
    find(machine, "XSDT")[0] = 'Y';
    assert_int_equal(open_tables(machine), 0);
    assert_non_null(machine->acpi.madt.bytes);
}

static void a_damaged_xsdt_leaves_the_rsdt(void **state) {
    (void)state;
    struct machine *machine = fresh();
    find(machine, "XSDT")[20]++;
    assert_int_equal(open_tables(machine), 0);
    assert_non_null(machine->acpi.madt.bytes);
}

static void without_a_whole_rsdp_nothing_is_known(void **state) {
    (void)state;
    struct machine *machine = fresh();
    machine->bytes[0x40 + 9]++;
    assert_true(open_tables(machine) < 0);
    assert_null(machine->acpi.madt.bytes);
    struct acpi_power power;
    assert_true(acpi_read_power(&machine->acpi, &power) < 0);
    assert_int_equal(acpi_local_apic(&machine->acpi), 0);
}

static void a_table_with_a_wrong_sum_is_not_there(void **state) {
    (void)state;
    struct machine *machine = fresh();
    find(machine, "HPET")[20]++;
    assert_int_equal(open_tables(machine), 0);
    assert_int_equal(acpi_hpet(&machine->acpi), 0);
    assert_non_null(machine->acpi.madt.bytes);
}

static void a_table_longer_than_memory_is_not_there(void **state) {
    (void)state;
    struct machine *machine = fresh();
    uint32_t huge = 0x7fffffff;
    memcpy(find(machine, "MCFG") + 4, &huge, sizeof huge);
    assert_int_equal(open_tables(machine), 0);
    assert_null(machine->acpi.mcfg.bytes);
}

static void an_entry_without_length_ends_the_list(void **state) {
    (void)state;
    struct machine *machine = fresh();
    uint8_t *madt = find(machine, "APIC");
    madt[44 + 8 + 1] = 0; /* the second processor's */
    sum_up(madt);
    assert_int_equal(open_tables(machine), 0);
    struct acpi_cpu cpu;
    size_t at = 0;
    assert_true(acpi_next_cpu(&machine->acpi, &at, &cpu));
    assert_false(acpi_next_cpu(&machine->acpi, &at, &cpu));
}

static void an_entry_behind_the_table_ends_the_list(void **state) {
    (void)state;
    struct machine *machine = fresh();
    uint8_t *madt = find(machine, "APIC");
    madt[44 + 1] = 255;
    sum_up(madt);
    assert_int_equal(open_tables(machine), 0);
    struct acpi_cpu cpu;
    size_t at = 0;
    assert_false(acpi_next_cpu(&machine->acpi, &at, &cpu));
}

static void sleep_values_out_of_range_are_refused(void **state) {
    (void)state;
    struct machine *machine = fresh();
    uint8_t *dsdt = find(machine, "DSDT");
    uint8_t *sleep = memmem(dsdt, 256, "_S5_", 4);
    assert_int_equal(sleep[7], 0x0a); /* package, length, count, then a byte */
    sleep[8] = 8;
    sum_up(dsdt);
    assert_int_equal(open_tables(machine), 0);
    struct acpi_power power;
    assert_true(acpi_read_power(&machine->acpi, &power) < 0);
    assert_int_equal(power.reset_port, 0xcf9);
}

int main(int argc, char **argv) {
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: test_acpi IMAGE\n");
        return 2;
    }
    image_size = fread(pristine, 1, sizeof pristine, file);
    fclose(file);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tables_are_found),
        cmocka_unit_test(the_rsdp_is_found_in_the_bios_area),
        cmocka_unit_test(processors_of_both_kinds_are_read),
        cmocka_unit_test(interrupt_controllers_are_read),
        cmocka_unit_test(timers_and_pci_are_read),
        cmocka_unit_test(power_off_and_reset_are_read),
        cmocka_unit_test(an_old_rsdp_leads_to_32_bit_addresses),
        cmocka_unit_test(a_damaged_xsdt_leaves_the_rsdt),
        cmocka_unit_test(without_a_whole_rsdp_nothing_is_known),
        cmocka_unit_test(a_table_with_a_wrong_sum_is_not_there),
        cmocka_unit_test(a_table_longer_than_memory_is_not_there),
        cmocka_unit_test(an_entry_without_length_ends_the_list),
        cmocka_unit_test(an_entry_behind_the_table_ends_the_list),
        cmocka_unit_test(sleep_values_out_of_range_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
