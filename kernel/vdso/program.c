/*
 * The vDSO: what a program's C library calls instead of the kernel, in the program, with nothing
 * but the page of vdso.h. Its functions have Linux's names and versions and do what the system
 * calls of the same name do, and make those calls where that page does not have the answer.
 *
 * The coarse clocks are as fine as the others: reading them costs the same.
 */
#include "vdso.h"

#include <stdbool.h>
#include <stddef.h>

#define SECOND 1000000000ul

enum {
    CALL_GETTIMEOFDAY = 96,
    CALL_TIME = 201,
    CALL_CLOCK_GETTIME = 228,
    CALL_CLOCK_GETRES = 229,
};

enum clock {
    REALTIME = 0,
    MONOTONIC = 1,
    MONOTONIC_RAW = 4,
    REALTIME_COARSE = 5,
    MONOTONIC_COARSE = 6,
    BOOTTIME = 7,
    TAI = 11,
};

struct timespec {
    int64_t seconds;
    uint64_t ns;
};

struct timeval {
    int64_t seconds;
    uint64_t us;
};

struct timezone {
    int minutes_west, dst;
};

int __vdso_clock_gettime(int clock, struct timespec *time);
int __vdso_gettimeofday(struct timeval *time, struct timezone *zone);
int __vdso_clock_getres(int clock, struct timespec *resolution);
long __vdso_time(long *time);
int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused);

/* Placed by vdso.ld. */
extern const struct vdso_data vdso_data __attribute__((visibility("hidden")));

static long ask(long number, long first, long second) {
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(first), "S"(second)
                     : "rcx", "r11", "memory");
    return result;
}

static inline uint64_t read_tsc(void) {
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high)::"memory");
    return (uint64_t)high << 32 | low;
}

enum kind { UNKNOWN, SINCE_BOOT, OF_DAY, OF_DAY_TAI };

static enum kind kind_of(int clock) {
    switch (clock) {
    case REALTIME:
    case REALTIME_COARSE:
        return OF_DAY;
    case MONOTONIC:
    case MONOTONIC_RAW:
    case MONOTONIC_COARSE:
    case BOOTTIME:
        return SINCE_BOOT;
    case TAI:
        return OF_DAY_TAI;
    default:
        return UNKNOWN;
    }
}

/* False: the page does not say. */
static inline bool read_clock(enum kind kind, uint64_t *ns) {
    const struct vdso_data *data = &vdso_data;
    uint32_t sequence;
    do {
        sequence = __atomic_load_n(&data->sequence, __ATOMIC_ACQUIRE);
        if (!data->usable)
            return false;
        unsigned __int128 ticks = read_tsc() - data->begin;
        uint64_t now = (uint64_t)(ticks * data->ns_per_tick >> 32);
        *ns = kind == SINCE_BOOT ? now : vdso_wall(data, now);
        if (kind == OF_DAY_TAI)
            *ns += (uint64_t)data->tai * SECOND;
        /* The reads above come before the second look at the sequence. */
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (sequence & 1 || sequence != __atomic_load_n(&data->sequence, __ATOMIC_RELAXED));
    return true;
}

int __vdso_clock_gettime(int clock, struct timespec *time) {
    enum kind kind = kind_of(clock);
    uint64_t ns;
    if (kind == UNKNOWN || !read_clock(kind, &ns))
        return (int)ask(CALL_CLOCK_GETTIME, clock, (long)time);
    time->seconds = (int64_t)(ns / SECOND);
    time->ns = ns % SECOND;
    return 0;
}

int __vdso_gettimeofday(struct timeval *time, struct timezone *zone) {
    uint64_t ns;
    if (!read_clock(OF_DAY, &ns))
        return (int)ask(CALL_GETTIMEOFDAY, (long)time, (long)zone);
    if (time) {
        time->seconds = (int64_t)(ns / SECOND);
        time->us = ns % SECOND / 1000;
    }
    if (zone)
        *zone = (struct timezone){0, 0};
    return 0;
}

long __vdso_time(long *time) {
    uint64_t ns;
    if (!read_clock(OF_DAY, &ns))
        return ask(CALL_TIME, (long)time, 0);
    long seconds = (long)(ns / SECOND);
    if (time)
        *time = seconds;
    return seconds;
}

int __vdso_clock_getres(int clock, struct timespec *resolution) {
    if (kind_of(clock) == UNKNOWN)
        return (int)ask(CALL_CLOCK_GETRES, clock, (long)resolution);
    if (resolution)
        *resolution = (struct timespec){0, 1};
    return 0;
}

int __vdso_getcpu(unsigned *cpu, unsigned *node, void *unused) {
    unsigned number;
    (void)unused;
    __asm__ volatile("lsl %1, %0" : "=r"(number) : "r"(VDSO_CPU_SELECTOR));
    if (cpu)
        *cpu = number;
    if (node)
        *node = 0;
    return 0;
}

#define ALSO(type, name, arguments)                                                                \
    type name arguments __attribute__((weak, alias("__vdso_" #name)))

ALSO(int, clock_gettime, (int clock, struct timespec *time));
ALSO(int, gettimeofday, (struct timeval * time, struct timezone *zone));
ALSO(int, clock_getres, (int clock, struct timespec *resolution));
ALSO(long, time, (long *time));
ALSO(int, getcpu, (unsigned *cpu, unsigned *node, void *unused));
