/*
 * What programs may read of the kernel's clocks without entering it: one page, mapped read-only
 * just below the vDSO's image. The kernel and the vDSO compile this same file.
 *
 * The writer makes `sequence` odd, changes the rest, makes it even; a reader who saw it odd, or
 * changed at the end, reads again. Everything is in nanoseconds, but for what the time-stamp
 * counter is multiplied with.
 */
#ifndef KERNEL_VDSO_H
#define KERNEL_VDSO_H

#include <stdint.h>

struct vdso_data {
    uint32_t sequence;
    uint32_t usable;      /* 0: the counters of the CPUs differ, so ask the kernel */
    uint64_t begin;       /* the counter at time 0 */
    uint64_t ns_per_tick; /* times 2^32 */
    int64_t wall;         /* what CLOCK_REALTIME is ahead of CLOCK_MONOTONIC */
    /* A correction that is being made bit by bit, so that time never jumps or goes backwards:
     * from time `slew_begin` on one part in 2^SLEW_SHIFT, until it is `slew_total`. */
    uint64_t slew_begin, slew_total;
    int64_t slew_sign;
    /* How much faster than the counter it runs, times 2^RATE_SHIFT, from `rate_begin` on. */
    int64_t rate;
    uint64_t rate_begin;
    int64_t tai; /* seconds that CLOCK_TAI is ahead of CLOCK_REALTIME */
};

#define SLEW_SHIFT 11 /* close to adjtime's 500 parts in a million */
#define RATE_SHIFT 40

#define VDSO_CPU_SELECTOR 0x7b /* its limit is the CPU's number */

/* How much of the correction has been made at `monotonic`. */
static inline int64_t vdso_slewed(const struct vdso_data *data, uint64_t monotonic) {
    if (monotonic <= data->slew_begin)
        return 0;
    uint64_t part = (monotonic - data->slew_begin) >> SLEW_SHIFT;
    return data->slew_sign * (int64_t)(part < data->slew_total ? part : data->slew_total);
}

/* How much it has gained since, or lost, by not running as the counter does. */
static inline int64_t vdso_gained(const struct vdso_data *data, uint64_t monotonic) {
    int64_t passed = (int64_t)(monotonic - data->rate_begin);
    return data->rate ? (int64_t)((__int128)passed * data->rate >> RATE_SHIFT) : 0;
}

static inline uint64_t vdso_wall(const struct vdso_data *data, uint64_t monotonic) {
    return monotonic +
           (uint64_t)(data->wall + vdso_slewed(data, monotonic) + vdso_gained(data, monotonic));
}

#endif
