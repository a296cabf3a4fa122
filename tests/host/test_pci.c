/*
 * The search for PCI functions, on buses made for it: bridges behind bridges, bridges that lead in
 * circles, BARs of all kinds, lists of capabilities that are long or endless.
 */
#include "pci.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum {
    VENDOR = 0,
    DEVICE = 2,
    COMMAND = 4,
    STATUS = 6,
    CLASS = 0xb,
    HEADER = 0xe,
    BAR0 = 0x10,
    SECONDARY = 0x19,
    LIST = 0x34
};
enum { MOST = 16 };

/* One function's configuration space, and which bits of its BARs can be set. */
struct space {
    struct pci_address at;
    uint8_t bytes[256];
    uint32_t settable[PCI_BARS];
};

static struct space spaces[MOST];
static unsigned count;
static bool answered_while_sized;

static struct space *space_at(struct pci_address at) {
    for (unsigned i = 0; i < count; i++)
        if (spaces[i].at.bus == at.bus && spaces[i].at.device == at.device &&
            spaces[i].at.function == at.function)
            return &spaces[i];
    return NULL;
}

uint32_t pci_config_read(struct pci_address at, unsigned offset, unsigned width) {
    struct space *space = space_at(at);
    uint32_t value = ~0u;
    if (space && offset + width <= sizeof space->bytes) {
        value = 0;
        memcpy(&value, space->bytes + offset, width);
    }
    return value & (~0u >> (32 - 8 * width));
}

void pci_config_write(struct pci_address at, unsigned offset, unsigned width, uint32_t value) {
    struct space *space = space_at(at);
    if (!space || offset + width > sizeof space->bytes)
        return;
    if (offset >= BAR0 && offset < BAR0 + 4 * PCI_BARS) {
        unsigned n = (offset - BAR0) / 4;
        uint32_t fixed;
        memcpy(&fixed, space->bytes + offset, 4);
        answered_while_sized = answered_while_sized || space->bytes[COMMAND] & 3;
        value = (value & space->settable[n]) | (fixed & ~space->settable[n] & 15);
    }
    memcpy(space->bytes + offset, &value, width);
}

static struct space *add(uint8_t bus, uint8_t device, uint8_t function, uint8_t header) {
    struct space *space = &spaces[count++];
    *space = (struct space){.at = {0, bus, device, function}};
    space->bytes[VENDOR] = 0xf4;
    space->bytes[VENDOR + 1] = 0x1a;
    space->bytes[DEVICE] = (uint8_t)count;
    space->bytes[HEADER] = header;
    return space;
}

static struct space *add_bridge(uint8_t bus, uint8_t device, uint8_t to) {
    struct space *space = add(bus, device, 0, 1);
    space->bytes[SECONDARY] = to;
    return space;
}

static void put32(struct space *space, unsigned offset, uint32_t value) {
    memcpy(space->bytes + offset, &value, 4);
}

static unsigned shown;
static bool count_one(const struct pci_function *function, void *context) {
    (void)function, (void)context;
    shown++;
    return true;
}

static unsigned functions_found(uint8_t last_bus) {
    shown = 0;
    pci_scan(0, 0, last_bus, count_one, NULL);
    return shown;
}

static int begin(void **state) {
    (void)state;
    count = 0;
    answered_while_sized = false;
    return 0;
}

static void functions_behind_bridges_are_found(void **state) {
    (void)state;
    add_bridge(0, 1, 1);
    add_bridge(1, 0, 2);
    add(2, 31, 0, 0);
    add(0, 5, 0, 0x80);
    add(0, 5, 3, 0);
    assert_int_equal(functions_found(255), 5);
}

static void functions_of_a_device_that_has_one_are_not_looked_for(void **state) {
    (void)state;
    add(0, 5, 0, 0);
    add(0, 5, 3, 0);
    assert_int_equal(functions_found(255), 1);
}

static void bridges_in_circles_are_entered_once(void **state) {
    (void)state;
    add_bridge(0, 1, 0);
    add_bridge(0, 2, 1);
    add_bridge(0, 3, 1);
    add_bridge(1, 0, 0);
    assert_int_equal(functions_found(255), 4);
}

static void buses_behind_the_segments_last_are_not_entered(void **state) {
    (void)state;
    add_bridge(0, 1, 9);
    add(9, 0, 0, 0);
    assert_int_equal(functions_found(8), 1);
}

static void bars_are_sized_while_the_function_answers_nowhere(void **state) {
    (void)state;
    struct space *space = add(0, 0, 0, 0);
    struct pci_function function;
    space->bytes[COMMAND] = 7;
    put32(space, BAR0, 0xe0000000);
    space->settable[0] = 0xfffff000;
    put32(space, BAR0 + 4, 0xc001);
    space->settable[1] = 0xffffffe0;
    put32(space, BAR0 + 8, 0xc);
    put32(space, BAR0 + 12, 0x18);
    space->settable[2] = 0;
    space->settable[3] = 0xfffffff8;
    assert_true(pci_function_read(space->at, &function));
    assert_false(answered_while_sized);
    assert_int_equal(space->bytes[COMMAND], 7);
    assert_int_equal(function.bars[0].address, 0xe0000000);
    assert_int_equal(function.bars[0].size, 0x1000);
    assert_true(function.bars[1].is_ports);
    assert_int_equal(function.bars[1].address, 0xc000);
    assert_int_equal(function.bars[1].size, 0x20);
    assert_int_equal(function.bars[2].address, 0x1800000000);
    assert_int_equal(function.bars[2].size, 0x800000000);
    assert_int_equal(function.bars[3].size, 0);
    assert_int_equal(function.bars[4].size, 0);
    uint32_t low;
    memcpy(&low, space->bytes + BAR0, 4);
    assert_int_equal(low, 0xe0000000);
}

static void capabilities_are_found_by_number(void **state) {
    (void)state;
    struct space *space = add(0, 0, 0, 0);
    struct pci_function function;
    space->bytes[STATUS] = 0x10;
    space->bytes[LIST] = 0x50;
    memcpy(space->bytes + 0x50, (uint8_t[]){PCI_CAP_VENDOR, 0x40}, 2);
    memcpy(space->bytes + 0x40, (uint8_t[]){PCI_CAP_MSI, 0x60}, 2);
    memcpy(space->bytes + 0x60, (uint8_t[]){PCI_CAP_VENDOR, 0}, 2);
    assert_true(pci_function_read(space->at, &function));
    assert_int_equal(pci_capability(&function, PCI_CAP_VENDOR, 0), 0x50);
    assert_int_equal(pci_capability(&function, PCI_CAP_VENDOR, 1), 0x60);
    assert_int_equal(pci_capability(&function, PCI_CAP_VENDOR, 2), 0);
    assert_int_equal(pci_capability(&function, PCI_CAP_MSIX, 0), 0);
}

static void endless_lists_of_capabilities_end(void **state) {
    (void)state;
    struct space *space = add(0, 0, 0, 0);
    struct pci_function function;
    space->bytes[STATUS] = 0x10;
    space->bytes[LIST] = 0x40;
    memcpy(space->bytes + 0x40, (uint8_t[]){PCI_CAP_VENDOR, 0x40}, 2);
    assert_true(pci_function_read(space->at, &function));
    assert_int_equal(pci_capability(&function, PCI_CAP_VENDOR, 0), 0x40);
    assert_int_equal(pci_capability(&function, PCI_CAP_MSIX, 0), 0);
    assert_int_equal(pci_capability(&function, PCI_CAP_VENDOR, 1000), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(functions_behind_bridges_are_found, begin),
        cmocka_unit_test_setup(functions_of_a_device_that_has_one_are_not_looked_for, begin),
        cmocka_unit_test_setup(bridges_in_circles_are_entered_once, begin),
        cmocka_unit_test_setup(buses_behind_the_segments_last_are_not_entered, begin),
        cmocka_unit_test_setup(bars_are_sized_while_the_function_answers_nowhere, begin),
        cmocka_unit_test_setup(capabilities_are_found_by_number, begin),
        cmocka_unit_test_setup(endless_lists_of_capabilities_end, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
