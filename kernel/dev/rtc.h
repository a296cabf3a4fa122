/*
 * The clock that runs on a battery: what time it is when the machine starts.
 */
#ifndef KERNEL_RTC_H
#define KERNEL_RTC_H

#include <stdint.h>

/* Seconds since 1970, taking it to keep universal time; 0 when it says nothing sensible. Spins for
 * up to some milliseconds while the clock counts on. */
int64_t rtc_read(void);

#endif
