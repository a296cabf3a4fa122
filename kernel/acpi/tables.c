/*
 * From the RSDP to the tables: where each is, and whether it is whole.
 *
 * A table is taken when its header can be read, its length is at least the header's and at most
 * TABLE_MAX, and its bytes sum up to zero. Of several with one signature the first is taken.
 */
#include "bytes.h"

#include <errno.h>

#define HEADER        36
#define TABLE_MAX     (16u << 20)
#define RSDP_SIZE_1   20
#define RSDP_SIZE_2   36
#define EBDA_POINTER  0x40e
#define BIOS_AREA     0xe0000
#define BIOS_AREA_END 0x100000

static bool sums_to_zero(const uint8_t *bytes, size_t size) {
    uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return !sum;
}

static const uint8_t *map(const struct acpi_memory *memory, uint64_t physical, size_t size) {
    return physical && physical + size > physical ? memory->map(memory->context, physical, size)
                                                  : NULL;
}

static bool is_rsdp(const uint8_t *bytes) {
    return acpi_same(bytes, "RSD PTR ", 8) && sums_to_zero(bytes, RSDP_SIZE_1);
}

static uint64_t search(const struct acpi_memory *memory, uint64_t begin, uint64_t end) {
    const uint8_t *bytes = map(memory, begin, end - begin);
    for (uint64_t at = 0; bytes && at + RSDP_SIZE_1 <= end - begin; at += 16)
        if (is_rsdp(bytes + at))
            return begin + at;
    return 0;
}

uint64_t acpi_find_rsdp(const struct acpi_memory *memory) {
    const uint8_t *pointer = map(memory, EBDA_POINTER, 2);
    uint64_t ebda = pointer ? (uint64_t)acpi_read16(pointer) << 4 : 0;
    uint64_t found = ebda ? search(memory, ebda, ebda + 1024) : 0;
    return found ? found : search(memory, BIOS_AREA, BIOS_AREA_END);
}

static struct acpi_table read_table(const struct acpi_memory *memory, uint64_t physical) {
    struct acpi_table none = {0};
    const uint8_t *header = map(memory, physical, HEADER);
    if (!header)
        return none;
    uint32_t size = acpi_read32(header + 4);
    if (size < HEADER || size > TABLE_MAX)
        return none;
    const uint8_t *bytes = map(memory, physical, size);
    if (!bytes || !sums_to_zero(bytes, size))
        return none;
    return (struct acpi_table){bytes, size};
}

static bool has_signature(struct acpi_table table, const char *signature) {
    return table.bytes && acpi_same(table.bytes, signature, 4);
}

static void keep(struct acpi *acpi, struct acpi_table table) {
    struct {
        const char *signature;
        struct acpi_table *place;
    } places[] = {{"APIC", &acpi->madt},
                  {"FACP", &acpi->fadt},
                  {"HPET", &acpi->hpet},
                  {"MCFG", &acpi->mcfg},
                  {"SRAT", &acpi->srat}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (has_signature(table, places[i].signature) && !places[i].place->bytes)
            *places[i].place = table;
}

/* The list of tables: of 64-bit addresses when there is one, else of 32-bit ones. */
static struct acpi_table read_list(const struct acpi_memory *memory, uint64_t rsdp, size_t *width) {
    struct acpi_table none = {0};
    const uint8_t *bytes = map(memory, rsdp, RSDP_SIZE_1);
    if (!bytes || !is_rsdp(bytes))
        return none;
    uint32_t old_list = acpi_read32(bytes + 16);
    if (bytes[15] >= 2) {
        bytes = map(memory, rsdp, RSDP_SIZE_2);
        if (bytes && sums_to_zero(bytes, RSDP_SIZE_2)) {
            struct acpi_table list = read_table(memory, acpi_read64(bytes + 24));
            *width = 8;
            if (has_signature(list, "XSDT"))
                return list;
        }
    }
    struct acpi_table list = read_table(memory, old_list);
    *width = 4;
    return has_signature(list, "RSDT") ? list : none;
}

/* The DSDT's address stands twice in the FADT, the wide one added later. */
static struct acpi_table read_dsdt(const struct acpi *acpi) {
    struct acpi_table none = {0};
    struct acpi_table fadt = acpi->fadt;
    uint64_t wide = fadt.size >= 148 ? acpi_read64(fadt.bytes + 140) : 0;
    uint64_t narrow = fadt.size >= 44 ? acpi_read32(fadt.bytes + 40) : 0;
    struct acpi_table dsdt = read_table(&acpi->memory, wide ? wide : narrow);
    return has_signature(dsdt, "DSDT") ? dsdt : none;
}

int acpi_open(struct acpi *acpi, const struct acpi_memory *memory, uint64_t rsdp) {
    size_t width = 0;
    *acpi = (struct acpi){.memory = *memory};
    struct acpi_table list = read_list(memory, rsdp, &width);
    if (!list.bytes)
        return -ENOENT;
    for (size_t at = HEADER; at + width <= list.size; at += width) {
        const uint8_t *entry = list.bytes + at;
        keep(acpi, read_table(memory, width == 8 ? acpi_read64(entry) : acpi_read32(entry)));
    }
    acpi->dsdt = read_dsdt(acpi);
    return 0;
}
