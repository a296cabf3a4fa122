/*
 * What stands in the tables: processors, interrupt controllers, PCI segments, the HPET.
 *
 * The MADT is a list of entries, each with its kind and length; one that is shorter than its kind
 * wants is passed over, one that ends behind the table ends the list.
 */
#include "bytes.h"

#define MADT_ENTRIES 44
#define MCFG_ENTRIES 44
#define MCFG_ENTRY   16

enum {
    LOCAL_APIC = 0,
    IO_APIC = 1,
    OVERRIDE = 2,
    LOCAL_APIC_ADDRESS = 5,
    LOCAL_X2APIC = 9,
};

/* The next entry from *at on, of whatever kind, or NULL; *at moves behind it. */
static const uint8_t *next_entry(struct acpi_table madt, size_t *at) {
    size_t begin = *at ? *at : MADT_ENTRIES;
    if (!madt.bytes || begin > madt.size || madt.size - begin < 2)
        return NULL;
    const uint8_t *entry = madt.bytes + begin;
    if (entry[1] < 2 || entry[1] > madt.size - begin)
        return NULL;
    *at = begin + entry[1];
    return entry;
}

bool acpi_next_cpu(const struct acpi *acpi, size_t *at, struct acpi_cpu *cpu) {
    const uint8_t *entry;
    while ((entry = next_entry(acpi->madt, at))) {
        if (entry[0] == LOCAL_APIC && entry[1] >= 8 && entry[3] != 255) {
            *cpu = (struct acpi_cpu){entry[3], entry[2], acpi_read32(entry + 4) & 1};
            return true;
        }
        if (entry[0] == LOCAL_X2APIC && entry[1] >= 16) {
            *cpu = (struct acpi_cpu){acpi_read32(entry + 4), acpi_read32(entry + 12),
                                     acpi_read32(entry + 8) & 1};
            return true;
        }
    }
    return false;
}

bool acpi_next_io_apic(const struct acpi *acpi, size_t *at, struct acpi_io_apic *io_apic) {
    const uint8_t *entry;
    while ((entry = next_entry(acpi->madt, at))) {
        if (entry[0] == IO_APIC && entry[1] >= 12) {
            *io_apic =
                (struct acpi_io_apic){entry[2], acpi_read32(entry + 8), acpi_read32(entry + 4)};
            return true;
        }
    }
    return false;
}

bool acpi_next_override(const struct acpi *acpi, size_t *at, struct acpi_override *override) {
    const uint8_t *entry;
    while ((entry = next_entry(acpi->madt, at))) {
        if (entry[0] == OVERRIDE && entry[1] >= 10) {
            uint16_t flags = acpi_read16(entry + 8);
            *override = (struct acpi_override){entry[3], acpi_read32(entry + 4), (flags & 3) == 3,
                                               (flags >> 2 & 3) == 3};
            return true;
        }
    }
    return false;
}

uint64_t acpi_local_apic(const struct acpi *acpi) {
    if (acpi->madt.size < MADT_ENTRIES)
        return 0;
    const uint8_t *entry;
    for (size_t at = 0; (entry = next_entry(acpi->madt, &at));)
        if (entry[0] == LOCAL_APIC_ADDRESS && entry[1] >= 12)
            return acpi_read64(entry + 4);
    return acpi_read32(acpi->madt.bytes + 36);
}

bool acpi_has_8259(const struct acpi *acpi) {
    return acpi->madt.size < MADT_ENTRIES || (acpi_read32(acpi->madt.bytes + 40) & 1);
}

/* A generic address: its kind (0: memory), three bytes, the address. */
uint64_t acpi_hpet(const struct acpi *acpi) {
    if (acpi->hpet.size < 52 || acpi->hpet.bytes[40] != 0)
        return 0;
    return acpi_read64(acpi->hpet.bytes + 44);
}

bool acpi_next_pci_segment(const struct acpi *acpi, size_t *at, struct acpi_pci_segment *segment) {
    size_t begin = *at ? *at : MCFG_ENTRIES;
    if (!acpi->mcfg.bytes || begin > acpi->mcfg.size || acpi->mcfg.size - begin < MCFG_ENTRY)
        return false;
    const uint8_t *entry = acpi->mcfg.bytes + begin;
    *segment =
        (struct acpi_pci_segment){acpi_read64(entry), acpi_read16(entry + 8), entry[10], entry[11]};
    *at = begin + MCFG_ENTRY;
    return true;
}
