/* Numbers in tables: little-endian, at any alignment. */
#ifndef KERNEL_ACPI_BYTES_H
#define KERNEL_ACPI_BYTES_H

#include "acpi.h"

static inline uint16_t acpi_read16(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}

static inline uint32_t acpi_read32(const uint8_t *at) {
    return acpi_read16(at) | (uint32_t)acpi_read16(at + 2) << 16;
}

static inline uint64_t acpi_read64(const uint8_t *at) {
    return acpi_read32(at) | (uint64_t)acpi_read32(at + 4) << 32;
}

static inline bool acpi_same(const uint8_t *at, const char *text, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (at[i] != (uint8_t)text[i])
            return false;
    return true;
}

#endif
