/*
 * Lines of the I/O APICs: what ISA devices, such as the serial port, interrupt by.
 *
 * Each I/O APIC has an index and a data register. They are used when a driver opens, one driver
 * after the other, so there is no lock. A line that is connected stays so.
 */
#include "interrupt.h"

#include "../acpi/acpi.h"
#include "../arch/x86_64/arch.h"
#include "runtime.h"

enum { INDEX = 0, DATA = 4 }; /* in words of 32 bits */
enum { VERSION = 1, LINES = 0x10 };
#define LOW_ACTIVE (1u << 13)
#define LEVEL      (1u << 15)

static uint32_t read(volatile uint32_t *registers, uint32_t index) {
    registers[INDEX] = index;
    return registers[DATA];
}

static void write(volatile uint32_t *registers, uint32_t index, uint32_t value) {
    registers[INDEX] = index;
    registers[DATA] = value;
}

/* Which input of all I/O APICs an ISA line arrives at, and with what polarity. */
static struct acpi_override find_input(uint8_t line) {
    struct acpi_override override;
    for (size_t at = 0; acpi_next_override(&firmware_tables, &at, &override);)
        if (override.isa == line)
            return override;
    return (struct acpi_override){line, line, false, false};
}

int interrupt_connect_isa(uint8_t line, struct interrupt interrupt) {
    struct acpi_override input = find_input(line);
    struct acpi_io_apic io_apic;
    for (size_t at = 0; acpi_next_io_apic(&firmware_tables, &at, &io_apic);) {
        if (input.interrupt < io_apic.first_interrupt)
            continue;
        uint32_t pin = input.interrupt - io_apic.first_interrupt;
        volatile uint32_t *registers = device_map(io_apic.address, FRAME_SIZE);
        if (!registers)
            return -ENOMEM;
        if (pin > (read(registers, VERSION) >> 16 & 0xff))
            continue;
        write(registers, LINES + 2 * pin + 1, cpu_apic_id(interrupt.cpu) << 24);
        write(registers, LINES + 2 * pin,
              interrupt.vector | (input.low ? LOW_ACTIVE : 0) | (input.level ? LEVEL : 0));
        return 0;
    }
    return -ENODEV;
}
