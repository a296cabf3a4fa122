/*
 * Reader of ACPI's static tables: which processors, timers and PCI segments there are, and how to
 * switch the machine off. No interpreter.
 *
 * Pure functions over memory that the caller makes readable; compiled for the host too, where it is
 * tested and fuzzed. Every length and checksum is checked before anything is believed; what is
 * wrong is treated as not there. Any context, if the caller's map allows it.
 */
#ifndef KERNEL_ACPI_H
#define KERNEL_ACPI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes `size` bytes at a physical address readable until the end, at any alignment; NULL: cannot.
 */
struct acpi_memory {
    const void *(*map)(void *context, uint64_t physical, size_t size);
    void *context;
};

/* One table that was found and is whole, header included; bytes is NULL when there is none. */
struct acpi_table {
    const uint8_t *bytes;
    size_t size;
};

struct acpi {
    struct acpi_memory memory;
    struct acpi_table madt, fadt, hpet, mcfg, srat, dsdt;
};

/* Looks for the RSDP where a BIOS leaves it; 0: there is none. */
uint64_t acpi_find_rsdp(const struct acpi_memory *memory);

/*
 * Finds the tables that an RSDP leads to. 0, or -ENOENT: neither it nor its list of tables is
 * whole, and no table is known then.
 */
int acpi_open(struct acpi *acpi, const struct acpi_memory *memory, uint64_t rsdp);

struct acpi_cpu {
    uint32_t apic_id, uid;
    bool enabled;
};

struct acpi_io_apic {
    uint32_t id, first_interrupt;
    uint64_t address;
};

/* An ISA interrupt that arrives at another input of the I/O APICs, or with another polarity. */
struct acpi_override {
    uint8_t isa;
    uint32_t interrupt;
    bool low, level;
};

struct acpi_pci_segment {
    uint64_t address;
    uint16_t segment;
    uint8_t first_bus, last_bus;
};

/*
 * Each finds the next one from *at on, which begins as 0, and moves *at behind it. False: no more.
 */
bool acpi_next_cpu(const struct acpi *acpi, size_t *at, struct acpi_cpu *cpu);
bool acpi_next_io_apic(const struct acpi *acpi, size_t *at, struct acpi_io_apic *io_apic);
bool acpi_next_override(const struct acpi *acpi, size_t *at, struct acpi_override *override);
bool acpi_next_pci_segment(const struct acpi *acpi, size_t *at, struct acpi_pci_segment *segment);

/* Physical addresses of the local APICs and of the HPET; 0: unknown. */
uint64_t acpi_local_apic(const struct acpi *acpi);
uint64_t acpi_hpet(const struct acpi *acpi);
/* True when the machine has a pair of 8259s that must be masked. */
bool acpi_has_8259(const struct acpi *acpi);

struct acpi_power {
    uint16_t control_a, control_b; /* ports; b may be 0 */
    uint8_t sleep_a, sleep_b;      /* what to write for power-off, before shifting */
    uint16_t reset_port;           /* 0: none */
    uint8_t reset_value;
};

/* 0, or -ENOENT when the tables do not say how to switch off; the reset is filled in anyway. */
int acpi_read_power(const struct acpi *acpi, struct acpi_power *power);

#endif
