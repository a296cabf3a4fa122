/*
 * Time: nanoseconds from the time-stamp counter, which is measured once at boot against the HPET,
 * or the PIT where there is none; the APIC's timer is measured in the same window.
 *
 * Owns: the rates, written by the boot CPU before others start, read by all. tsc.c makes all CPUs'
 * counters agree, which then are taken to run alike; test=boot looks whether they do.
 */
#include "../../print.h"
#include "cpu.h"

#define SECOND           1000000000ul
#define WINDOW_NS        2000000ul
#define HPET_PERIOD_WORD 0 /* of 64 bits; its upper half, in 10^-15 s */
#define HPET_SWITCH      2
#define HPET_COUNTER     30
#define STANDS_STILL     (1ul << 31) /* ticks; a second or less on what there is */
#define PIT_RATE         1193182ul
#define PIT_CHANNEL_2    0x42
#define PIT_COMMAND      0x43
#define PIT_GATE         0x61

static uint64_t ns_per_tick;  /* times 2^32 */
static uint64_t ticks_per_ns; /* times 2^32 */
static uint64_t timer_rate, tsc_rate;
static uint64_t time_begin;
static bool same_on_all = true;

static uint64_t scaled(uint64_t value, uint64_t factor) {
    return (uint64_t)((unsigned __int128)value * factor >> 32);
}

uint64_t clock_ns_at(uint64_t ticks) {
    return scaled(ticks - time_begin, ns_per_tick);
}

uint64_t clock_ticks_at(uint64_t ns) {
    return time_begin + scaled(ns, ticks_per_ns) + 1;
}

uint64_t clock_timer_rate(void) {
    return timer_rate;
}

uint64_t clock_rate(void) {
    return tsc_rate;
}

void clock_differs(void) {
    same_on_all = false;
}

struct clock_scale clock_scale(void) {
    return (struct clock_scale){time_begin, ns_per_tick, same_on_all};
}

uint64_t time_ns(void) {
    return clock_ns_at(read_tsc());
}

void delay_ns(uint64_t ns) {
    uint64_t end = time_ns() + ns;
    while (time_ns() < end)
        __builtin_ia32_pause();
}

/* The counters at one moment; `known` is the one whose rate is known. */
struct moment {
    uint64_t tsc, known;
    uint32_t timer_left;
};

/* ---- against the HPET ---- */

static volatile uint64_t *hpet;
static uint64_t hpet_period;

/* Of three readings the one in which the least time passed, so that an interruption by a
 * hypervisor spoils none. */
static struct moment hpet_moment(void) {
    struct moment best = {0};
    uint64_t shortest = UINT64_MAX;
    for (int i = 0; i < 3; i++) {
        uint64_t before = read_tsc(), count = hpet[HPET_COUNTER];
        uint32_t left = apic_timer_left();
        uint64_t after = read_tsc();
        if (after - before < shortest) {
            shortest = after - before;
            best = (struct moment){before + (after - before) / 2, count, left};
        }
    }
    return best;
}

/* The window's length in ns, or 0: no HPET, or none that works. */
static uint64_t hpet_measure(uint64_t physical, struct moment *begin, struct moment *end) {
    if (!physical || boot_option_set("no-hpet"))
        return 0;
    hpet = device_map(physical, 1024);
    if (!hpet)
        return 0;
    hpet_period = hpet[HPET_PERIOD_WORD] >> 32;
    if (!hpet_period || hpet_period > 100000000)
        return 0;
    hpet[HPET_SWITCH] |= 1;
    uint64_t wanted = WINDOW_NS * 1000000 / hpet_period;
    *begin = hpet_moment();
    do
        *end = hpet_moment();
    while (end->known - begin->known < wanted && end->tsc - begin->tsc < STANDS_STILL);
    return (end->known - begin->known) * hpet_period / 1000000;
}

/* ---- against the PIT ---- */

static uint64_t pit_measure(struct moment *begin, struct moment *end) {
    unsigned count = PIT_RATE * 5 / 1000;
    uint8_t gate = port_read8(PIT_GATE) & 0xfc;
    port_write8(PIT_GATE, gate | 1); /* counts; the loudspeaker stays off */
    port_write8(PIT_COMMAND, 0xb0);  /* channel 2, both bytes, output rises at the end */
    port_write8(PIT_CHANNEL_2, (uint8_t)count);
    *begin = (struct moment){read_tsc(), 0, apic_timer_left()};
    port_write8(PIT_CHANNEL_2, (uint8_t)(count >> 8));
    while (!(port_read8(PIT_GATE) & 0x20))
        __builtin_ia32_pause();
    *end = (struct moment){read_tsc(), count, apic_timer_left()};
    port_write8(PIT_GATE, gate);
    return count * SECOND / PIT_RATE;
}

void clock_open(uint64_t hpet_physical) {
    struct moment begin, end;
    apic_timer_start(UINT32_MAX);
    uint64_t ns = hpet_measure(hpet_physical, &begin, &end);
    if (!ns)
        ns = pit_measure(&begin, &end);
    apic_timer_start(0);
    uint64_t ticks = end.tsc - begin.tsc;
    if (!ticks)
        panic("boot: the time-stamp counter stands still");
    tsc_rate = ticks * SECOND / ns;
    timer_rate = (begin.timer_left - end.timer_left) * SECOND / ns;
    /* Both fit when shifted: the window is some thousandths of a second. */
    ns_per_tick = (ns << 32) / ticks;
    ticks_per_ns = (ticks << 32) / ns;
    time_begin = entry_time;
}
