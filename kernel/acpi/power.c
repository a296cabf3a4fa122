/*
 * How the machine is switched off: two ports from the FADT, and what to write there from the object
 * \_S5 of the DSDT, the one thing that stands in byte code. It is found by its bytes: a name, a
 * package, small integers.
 */
#include "bytes.h"

#include <errno.h>

#define HEADER     36
#define OP_ZERO    0x00
#define OP_ONE     0x01
#define OP_NAME    0x08
#define OP_BYTE    0x0a
#define OP_WORD    0x0b
#define OP_DWORD   0x0c
#define OP_PACKAGE 0x12
#define IN_PORTS   1
#define HAS_RESET  (1u << 10)

struct cursor {
    const uint8_t *at, *end;
};

static bool take(struct cursor *cursor, uint8_t *value) {
    if (cursor->at >= cursor->end)
        return false;
    *value = *cursor->at++;
    return true;
}

static bool take_many(struct cursor *cursor, unsigned bytes, uint32_t *value) {
    uint8_t one;
    *value = 0;
    for (unsigned i = 0; i < bytes; i++) {
        if (!take(cursor, &one))
            return false;
        *value |= (uint32_t)one << 8 * i;
    }
    return true;
}

static bool take_integer(struct cursor *cursor, uint32_t *value) {
    uint8_t op;
    if (!take(cursor, &op))
        return false;
    switch (op) {
    case OP_ZERO:
    case OP_ONE:
        *value = op;
        return true;
    case OP_BYTE:
        return take_many(cursor, 1, value);
    case OP_WORD:
        return take_many(cursor, 2, value);
    case OP_DWORD:
        return take_many(cursor, 4, value);
    }
    return false;
}

/* The length of a package: its upper two bits say how many bytes follow. Its value is not needed.
 */
static bool skip_length(struct cursor *cursor) {
    uint8_t first;
    uint32_t rest;
    return take(cursor, &first) && take_many(cursor, first >> 6, &rest);
}

static bool read_package(struct cursor cursor, struct acpi_power *power) {
    uint8_t op, elements;
    uint32_t a, b = 0;
    if (!take(&cursor, &op) || op != OP_PACKAGE || !skip_length(&cursor) ||
        !take(&cursor, &elements) || !elements || !take_integer(&cursor, &a))
        return false;
    if (elements > 1 && !take_integer(&cursor, &b))
        return false;
    if (a > 7 || b > 7)
        return false;
    power->sleep_a = (uint8_t)a;
    power->sleep_b = (uint8_t)b;
    return true;
}

static bool find_sleep(struct acpi_table dsdt, struct acpi_power *power) {
    for (size_t at = HEADER + 1; at + 4 <= dsdt.size; at++) {
        const uint8_t *name = dsdt.bytes + at;
        bool named = name[-1] == OP_NAME || (name[-1] == '\\' && name[-2] == OP_NAME);
        struct cursor cursor = {name + 4, dsdt.bytes + dsdt.size};
        if (named && acpi_same(name, "_S5_", 4) && read_package(cursor, power))
            return true;
    }
    return false;
}

static void find_reset(struct acpi_table fadt, struct acpi_power *power) {
    if (fadt.size < 129 || !(acpi_read32(fadt.bytes + 112) & HAS_RESET))
        return;
    const uint8_t *address = fadt.bytes + 116;
    uint64_t port = acpi_read64(address + 4);
    if (address[0] != IN_PORTS || port > UINT16_MAX)
        return;
    power->reset_port = (uint16_t)port;
    power->reset_value = fadt.bytes[128];
}

int acpi_read_power(const struct acpi *acpi, struct acpi_power *power) {
    *power = (struct acpi_power){0};
    find_reset(acpi->fadt, power);
    if (acpi->fadt.size < 72)
        return -ENOENT;
    power->control_a = (uint16_t)acpi_read32(acpi->fadt.bytes + 64);
    power->control_b = (uint16_t)acpi_read32(acpi->fadt.bytes + 68);
    return power->control_a && find_sleep(acpi->dsdt, power) ? 0 : -ENOENT;
}
