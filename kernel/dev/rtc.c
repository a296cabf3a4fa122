/*
 * The PC's clock on a battery (MC146818 and what has replaced it), read once at boot.
 *
 * It is read until two readings between updates are the same, since it may count on in between.
 * Nobody else uses its ports; called once, on the boot CPU. What makes no date is no time.
 */
#include "rtc.h"

#include "../arch/x86_64/ports.h"

#include <stdbool.h>

#define RTC_INDEX    0x70
#define RTC_DATA     0x71
#define RTC_STATUS_A 10
#define RTC_STATUS_B 11
#define RTC_UPDATING 0x80 /* in A */
#define RTC_BINARY   4    /* in B; otherwise decimal digits */
#define RTC_24_HOURS 2    /* in B */
#define RTC_PM       0x80 /* in the hour, when there are 12 */
#define TRIES        1000000u

enum { SECOND, MINUTE, HOUR, DAY, MONTH, YEAR, FIELDS };

static uint8_t rtc_register(uint8_t number) {
    port_write8(RTC_INDEX, number);
    return port_read8(RTC_DATA);
}

static bool read_fields(uint8_t *fields) {
    static const uint8_t registers[FIELDS] = {0, 2, 4, 7, 8, 9};
    for (unsigned i = 0; rtc_register(RTC_STATUS_A) & RTC_UPDATING; i++)
        if (i == TRIES)
            return false;
    for (unsigned i = 0; i < FIELDS; i++)
        fields[i] = rtc_register(registers[i]);
    return true;
}

static bool same(const uint8_t *a, const uint8_t *b) {
    for (unsigned i = 0; i < FIELDS; i++)
        if (a[i] != b[i])
            return false;
    return true;
}

static unsigned number_of(uint8_t field, uint8_t status) {
    return status & RTC_BINARY ? field : (unsigned)(field >> 4) * 10 + (field & 15);
}

static unsigned hour_of(uint8_t field, uint8_t status) {
    if (status & RTC_24_HOURS)
        return number_of(field, status);
    unsigned hour = number_of(field & (uint8_t)~RTC_PM, status) % 12;
    return field & RTC_PM ? hour + 12 : hour;
}

/* Days from 1970 to a date of the Gregorian calendar: years begin in March, so that the day that
 * leap years have is their last. */
static int64_t days_to(int64_t year, unsigned month, unsigned day) {
    year -= month <= 2;
    unsigned from_march = month <= 2 ? month + 9 : month - 3;
    return 365 * year + year / 4 - year / 100 + year / 400 + (153 * from_march + 2) / 5 + day - 1 -
           719468;
}

int64_t rtc_read(void) {
    uint8_t fields[FIELDS], again[FIELDS];
    if (!read_fields(fields))
        return 0;
    for (unsigned i = 0; i < 10; i++) {
        if (!read_fields(again))
            return 0;
        if (same(fields, again))
            break;
        __builtin_memcpy(fields, again, sizeof fields);
    }
    uint8_t status = rtc_register(RTC_STATUS_B);
    unsigned second = number_of(fields[SECOND], status), minute = number_of(fields[MINUTE], status);
    unsigned hour = hour_of(fields[HOUR], status), day = number_of(fields[DAY], status);
    unsigned month = number_of(fields[MONTH], status), year = number_of(fields[YEAR], status);
    if (second > 60 || minute > 59 || hour > 23 || day < 1 || day > 31 || month < 1 || month > 12 ||
        year > 99)
        return 0;
    return ((days_to(2000 + (int64_t)year, month, day) * 24 + hour) * 60 + minute) * 60 + second;
}
