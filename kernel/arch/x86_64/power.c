/*
 * The end of the machine: power-off and reset as ACPI's tables describe them, and a status for the
 * launcher through the port it named (exit-port=0xf4), which an emulator turns into its own.
 *
 * Owns: what the tables said, written at boot. Any context.
 */
#include "../../acpi/acpi.h"
#include "../../dev/serial.h"
#include "../../print.h"
#include "cpu.h"

#define SLEEP_ENABLE 0x2000
#define EVERYTHING   126u /* the largest status */

static struct acpi_power power;
static bool power_known;
static uint16_t exit_port;

static uint16_t read_hexadecimal(const char *text) {
    unsigned value = 0;
    for (text += text[0] == '0' && text[1] == 'x' ? 2 : 0; *text; text++) {
        char c = *text | 0x20;
        value = value * 16 + (unsigned)(c >= 'a' ? c - 'a' + 10 : c - '0');
    }
    return (uint16_t)value;
}

void power_open(const struct acpi *acpi) {
    power_known = acpi_read_power(acpi, &power) == 0;
}

void machine_exit(unsigned status) {
    char text[8];
    serial_drain();
    if (boot_option("exit-port", text, sizeof text))
        exit_port = read_hexadecimal(text);
    /* The emulator ends with 2 * value + 1; 1 is what it says of its own troubles. */
    if (exit_port)
        port_write8(exit_port, (uint8_t)((status > EVERYTHING ? EVERYTHING : status) + 1));
    if (!status)
        machine_power_off();
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_power_off(void) {
    serial_drain();
    if (power_known) {
        port_write16(power.control_a, (uint16_t)(power.sleep_a << 10 | SLEEP_ENABLE));
        if (power.control_b)
            port_write16(power.control_b, (uint16_t)(power.sleep_b << 10 | SLEEP_ENABLE));
        delay_ns(1000000000);
    }
    print("the machine can be switched off now");
    for (;;)
        __asm__ volatile("cli; hlt");
}

void machine_reboot(void) {
    serial_drain();
    if (power_known && power.reset_port)
        port_write8(power.reset_port, power.reset_value);
    delay_ns(10000000);
    port_write8(0xcf9, 6); /* the chipset's reset, on whatever has none in its tables */
    delay_ns(10000000);
    port_write8(0x64, 0xfe); /* the keyboard controller's, on older machines */
    for (;;)
        __asm__ volatile("cli; hlt");
}
