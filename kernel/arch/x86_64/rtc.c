/*
 * The clock that runs while the machine is off: seconds to years in the registers of a CMOS chip,
 * which is in every PC. It is taken to run in UTC, in the years 2000 to 2099.
 *
 * The chip changes its registers once a second and says so some time before; what was read twice
 * alike, not during a change, is right. A clock that never stops changing is no clock.
 *
 * Used at boot by one CPU.
 */
#include "../../print.h"
#include "cpu.h"

#define INDEX    0x70
#define DATA     0x71
#define NMI_ON   0 /* the index's upper bit would switch it off */
#define CHANGING 0x80
#define BINARY   0x04
#define HOURS_24 0x02
#define PM       0x80
#define ATTEMPTS 100000

struct moment {
    uint8_t second, minute, hour, day, month, year;
};

static uint8_t read_register(uint8_t number) {
    port_write8(INDEX, number | NMI_ON);
    return port_read8(DATA);
}

static struct moment read_once(void) {
    return (struct moment){read_register(0), read_register(2), read_register(4),
                           read_register(7), read_register(8), read_register(9)};
}

static bool read_stable(struct moment *moment) {
    for (int i = 0; i < ATTEMPTS; i++) {
        if (read_register(10) & CHANGING)
            continue;
        *moment = read_once();
        struct moment again = read_once();
        if (!(read_register(10) & CHANGING) && !__builtin_memcmp(moment, &again, sizeof again))
            return true;
    }
    return false;
}

static uint8_t binary(uint8_t value, uint8_t mode) {
    return mode & BINARY ? value : (uint8_t)((value >> 4) * 10 + (value & 15));
}

static unsigned hour_of(uint8_t value, uint8_t mode) {
    unsigned hour = binary(value & 0x7f, mode);
    if (mode & HOURS_24)
        return binary(value, mode);
    return hour % 12 + (value & PM ? 12 : 0);
}

/* Days since 1970 began; years are counted from March, so that a leap day is the last of one. */
static uint64_t days_of(unsigned year, unsigned month, unsigned day) {
    year -= month <= 2;
    unsigned since_march = (month + 9) % 12;
    return 365ul * year + year / 4 - year / 100 + year / 400 + (153 * since_march + 2) / 5 + day -
           1 - 719468;
}

uint64_t rtc_read(void) {
    struct moment moment;
    if (!read_stable(&moment)) {
        print("boot: the machine's clock cannot be read; it is 1970 until somebody sets it");
        return 0;
    }
    uint8_t mode = read_register(11);
    unsigned month = binary(moment.month, mode), day = binary(moment.day, mode);
    if (month < 1 || month > 12 || day < 1 || day > 31) {
        print(
            "boot: the machine's clock says day %u of month %u; it is 1970 until somebody sets it",
            day, month);
        return 0;
    }
    uint64_t days = days_of(2000u + binary(moment.year, mode), month, day);
    return (days * 24 + hour_of(moment.hour, mode)) * 3600 + binary(moment.minute, mode) * 60u +
           binary(moment.second, mode);
}
