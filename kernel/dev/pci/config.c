/*
 * Configuration space of the machine: through memory where ACPI's MCFG says so, otherwise through
 * the ports 0xcf8 and 0xcfc, which know one segment and the first 256 bytes of a function.
 *
 * Owns: maps, the pages of buses mapped so far, filled in at the first look at a bus. Two CPUs may
 * map the same bus; one of the maps is then forgotten. The pair of ports is under a lock, with
 * interrupts off.
 */
#include "config.h"

#include "../../acpi/acpi.h"
#include "../../arch/x86_64/arch.h"
#include "../../arch/x86_64/ports.h"
#include "../../print.h"

#define BUS_BYTES  (1ul << 20)
#define PORT_BYTES 256u
#define CF_ADDRESS 0xcf8
#define CF_DATA    0xcfc
#define CF_ENABLE  0x80000000u
#define SEGMENTS   16u

static struct {
    struct acpi_pci_segment segments[SEGMENTS];
    volatile uint8_t *buses[SEGMENTS][256];
    unsigned count;
    bool known;
    struct spin_lock ports;
} config;

static void find_segments(void) {
    struct acpi_pci_segment segment;
    if (config.known)
        return;
    config.known = true;
    for (size_t at = 0; acpi_next_pci_segment(&firmware_tables, &at, &segment);) {
        if (config.count == SEGMENTS || segment.first_bus > segment.last_bus) {
            print("pci: segment %u is left out", segment.segment);
            continue;
        }
        config.segments[config.count++] = segment;
    }
}

void pci_config_segments(void (*visit)(uint16_t segment, uint8_t bus, uint8_t last_bus,
                                       void *context),
                         void *context) {
    find_segments();
    for (unsigned i = 0; i < config.count; i++)
        visit(config.segments[i].segment, config.segments[i].first_bus, config.segments[i].last_bus,
              context);
    if (!config.count)
        visit(0, 0, 255, context);
}

/* The registers of a function, or NULL: they are not in memory. */
static volatile uint8_t *registers_of(struct pci_address at) {
    for (unsigned i = 0; i < config.count; i++) {
        const struct acpi_pci_segment *segment = &config.segments[i];
        if (segment->segment != at.segment || at.bus < segment->first_bus ||
            at.bus > segment->last_bus)
            continue;
        volatile uint8_t *bus = __atomic_load_n(&config.buses[i][at.bus], __ATOMIC_ACQUIRE);
        if (!bus) {
            bus = device_map(segment->address + at.bus * BUS_BYTES, BUS_BYTES);
            __atomic_store_n(&config.buses[i][at.bus], bus, __ATOMIC_RELEASE);
        }
        return bus ? bus + (at.device << 15 | at.function << 12) : NULL;
    }
    return NULL;
}

static bool is_valid(struct pci_address at, unsigned offset, unsigned width) {
    return at.device < PCI_DEVICES && at.function < PCI_FUNCTIONS && offset < PCI_CONFIG_BYTES &&
           (width == 1 || width == 2 || width == 4) && offset % width == 0;
}

static uint32_t all_ones(unsigned width) {
    return ~0u >> (32 - 8 * width);
}

static bool by_ports(struct pci_address at, unsigned offset) {
    return !config.count && !at.segment && offset < PORT_BYTES;
}

/* The lock is held. */
static void select(struct pci_address at, unsigned offset) {
    port_write32(CF_ADDRESS, CF_ENABLE | (uint32_t)at.bus << 16 | (uint32_t)at.device << 11 |
                                 (uint32_t)at.function << 8 | (offset & ~3u));
}

static uint32_t read_by_ports(struct pci_address at, unsigned offset, unsigned width) {
    uintptr_t saved = interrupts_save();
    spin_take(&config.ports);
    select(at, offset);
    uint32_t value = port_read32(CF_DATA) >> (8 * (offset & 3)) & all_ones(width);
    spin_release(&config.ports);
    interrupts_restore(saved);
    return value;
}

static void write_by_ports(struct pci_address at, unsigned offset, unsigned width, uint32_t value) {
    uint16_t port = (uint16_t)(CF_DATA + (offset & 3));
    uintptr_t saved = interrupts_save();
    spin_take(&config.ports);
    select(at, offset);
    if (width == 1)
        port_write8(port, (uint8_t)value);
    else if (width == 2)
        port_write16(port, (uint16_t)value);
    else
        port_write32(port, value);
    spin_release(&config.ports);
    interrupts_restore(saved);
}

uint32_t pci_config_read(struct pci_address at, unsigned offset, unsigned width) {
    if (!is_valid(at, offset, width))
        return ~0u;
    if (by_ports(at, offset))
        return read_by_ports(at, offset, width);
    volatile uint8_t *registers = registers_of(at);
    if (!registers)
        return all_ones(width);
    if (width == 1)
        return registers[offset];
    return width == 2 ? *(volatile uint16_t *)(registers + offset)
                      : *(volatile uint32_t *)(registers + offset);
}

void pci_config_write(struct pci_address at, unsigned offset, unsigned width, uint32_t value) {
    if (!is_valid(at, offset, width))
        return;
    if (by_ports(at, offset)) {
        write_by_ports(at, offset, width, value);
        return;
    }
    volatile uint8_t *registers = registers_of(at);
    if (!registers)
        return;
    if (width == 1)
        registers[offset] = (uint8_t)value;
    else if (width == 2)
        *(volatile uint16_t *)(registers + offset) = (uint16_t)value;
    else
        *(volatile uint32_t *)(registers + offset) = value;
}
