/*
 * adjtimex and clock_adjtime: how the clock of the day is steered.
 *
 * Who keeps a clock right sets how fast it runs (frequency and tick), tells how far it is off,
 * which is made up for bit by bit, and says how well it knows. The errors grow by themselves;
 * nobody has compared the clock with others until somebody says so. How far the clock is off also
 * says how fast it should run, by the control loop of RFC 1589 as Linux has it.
 *
 * Data: static. Locking: `lock`, for all of it; setting the time of day is clock.c's.
 */
#include "../vdso/wall_clock.h"
#include "abi.h"
#include "clocks.h"
#include "program.h"
#include "runtime.h"
#include "task.h"

#include <k42/k42.h>
#include <k42/lock.h>
#include <linux/timex.h>

enum {
    TICK_US = 10000,
    TICK_LEAST = 9000,
    TICK_MOST = 11000,
    ERROR_MOST_US = 16000000,
    ERROR_PER_SECOND_US = 500,
    FREQUENCY_MOST = 500 << 16, /* parts in a million, times 2^16 */
    CONSTANT_MOST = 10,
    TAI_MOST = 100000,
    OFFSET_MOST_NS = 500000000,
    READ_ONLY_STATUS = 0xff00,
};
enum { OLD = 0x8000, OLD_READS = 0x2000 }; /* adjtime()'s modes have the first */

static struct {
    struct k42_lock lock;
    int64_t frequency; /* as FREQUENCY_MOST */
    int64_t tick_us, error_us, estimate_us, constant;
    uint64_t error_since_ns, offset_since_ns;
    int status;
} steering = {.tick_us = TICK_US,
              .error_us = ERROR_MOST_US,
              .estimate_us = ERROR_MOST_US,
              .constant = 2,
              .status = STA_UNSYNC};

/* What may be asked for, and by whom: -EPERM, -EINVAL. */
static k42_result check(const struct __kernel_timex *wanted) {
    unsigned modes = wanted->modes;
    bool may = task_capable(task_self(), CAP_SYS_TIME);
    if ((modes & OLD) && !(modes & ADJ_OFFSET))
        return -EINVAL;
    if (modes & OLD ? !(modes & OLD_READS) && !may : modes && !may)
        return -EPERM;
    if (!(modes & OLD) && (modes & ADJ_TICK) &&
        (wanted->tick < TICK_LEAST || wanted->tick > TICK_MOST))
        return -EINVAL;
    if (modes & ADJ_SETOFFSET) {
        int64_t most = modes & ADJ_NANO ? 1000000000 : 1000000;
        if (!may)
            return -EPERM;
        if (wanted->time.tv_usec < 0 || wanted->time.tv_usec >= most)
            return -EINVAL;
    }
    return 0;
}

static int64_t within(int64_t value, int64_t least, int64_t most) {
    return value < least ? least : value > most ? most : value;
}

/* ---- with the lock ---- */

/* A tick that is longer by a microsecond is one part in ten thousand. */
static void set_rate(void) {
    enum { MILLION = 1000000 };
    int64_t parts = (steering.tick_us - TICK_US) * (100 << 16) + steering.frequency;
    wall_clock_set_rate(parts * (1 << 24) / MILLION);
}

/* How far it is off: made up for, and what that says of how fast it runs. */
static void set_offset(int64_t ns) {
    enum { LOOP = 2, SCALE = 32, PER_PART = 1000 << 16 };
    uint64_t now = time_ns();
    int64_t seconds = (int64_t)((now - steering.offset_since_ns) / 1000000000);
    int64_t most = 1l << (LOOP + 1 + steering.constant);
    if (!(steering.status & STA_PLL))
        return;
    seconds = steering.status & STA_FREQHOLD || !steering.offset_since_ns ? 0
              : seconds > most                                            ? most
                                                                          : seconds;
    ns = within(ns, -OFFSET_MOST_NS, OFFSET_MOST_NS);
    steering.offset_since_ns = now;
    steering.frequency += (ns * seconds << (SCALE - 2 * (LOOP + 2 + steering.constant))) / PER_PART;
    steering.frequency = within(steering.frequency, -FREQUENCY_MOST, FREQUENCY_MOST);
    (void)wall_clock_adjust(ns);
}

static void set_status(int status) {
    if ((steering.status & STA_PLL) && !(status & STA_PLL))
        steering.status = STA_UNSYNC;
    if (!(steering.status & STA_PLL) && (status & STA_PLL))
        steering.offset_since_ns = time_ns();
    steering.status = (steering.status & READ_ONLY_STATUS) | (status & ~READ_ONLY_STATUS);
}

static void set_constant(int64_t constant) {
    bool fine = steering.status & STA_NANO;
    steering.constant = within(constant + (fine ? 0 : 4), 0, CONSTANT_MOST);
}

static void set(const struct __kernel_timex *wanted) {
    unsigned modes = wanted->modes;
    if (modes & ADJ_STATUS)
        set_status(wanted->status);
    if (modes & ADJ_NANO)
        steering.status |= STA_NANO;
    if (modes & ADJ_MICRO)
        steering.status &= ~STA_NANO;
    if (modes & ADJ_FREQUENCY)
        steering.frequency = within(wanted->freq, -FREQUENCY_MOST, FREQUENCY_MOST);
    if (modes & ADJ_MAXERROR) {
        steering.error_us = wanted->maxerror;
        steering.error_since_ns = time_ns();
    }
    if (modes & ADJ_ESTERROR)
        steering.estimate_us = wanted->esterror;
    if (modes & ADJ_TIMECONST)
        set_constant(wanted->constant);
    if ((modes & ADJ_TAI) && wanted->constant >= 0 && wanted->constant <= TAI_MOST)
        wall_clock_set_tai(wanted->constant);
    if (modes & ADJ_OFFSET)
        set_offset(wanted->offset * (steering.status & STA_NANO ? 1 : 1000));
    if (modes & ADJ_TICK)
        steering.tick_us = wanted->tick;
    if (modes & (ADJ_TICK | ADJ_FREQUENCY | ADJ_OFFSET))
        set_rate();
}

/* As time passes nobody knows better. */
static void grow_error(void) {
    uint64_t seconds = (time_ns() - steering.error_since_ns) / 1000000000;
    if (steering.error_us < ERROR_MOST_US && seconds) {
        steering.error_since_ns += seconds * 1000000000;
        steering.error_us +=
            (int64_t)(seconds < ERROR_MOST_US ? seconds : ERROR_MOST_US) * ERROR_PER_SECOND_US;
    }
    if (steering.error_us >= ERROR_MOST_US) {
        steering.error_us = ERROR_MOST_US;
        steering.status |= STA_UNSYNC;
    }
}

static struct __kernel_timex tell(unsigned modes, int64_t left_ns) {
    bool fine = steering.status & STA_NANO;
    return (struct __kernel_timex){
        .modes = modes,
        .offset = fine && !(modes & OLD) ? left_ns : left_ns / 1000,
        .freq = steering.frequency,
        .maxerror = steering.error_us,
        .esterror = steering.estimate_us,
        .status = steering.status,
        .constant = steering.constant,
        .precision = 1,
        .tolerance = FREQUENCY_MOST,
        .tick = steering.tick_us,
        .tai = (int)wall_clock_tai(),
    };
}

static struct __kernel_timex set_and_tell(const struct __kernel_timex *wanted) {
    unsigned modes = wanted->modes;
    int64_t left = 0;
    k42_lock(&steering.lock);
    grow_error();
    if ((modes & OLD) && !(modes & OLD_READS))
        left = wall_clock_adjust(wanted->offset * 1000);
    else
        left = wall_clock_left();
    if (!(modes & OLD))
        set(wanted);
    struct __kernel_timex now = tell(modes, left);
    k42_unlock(&steering.lock);
    return now;
}

/* ---- calls ---- */

static k42_result move_time_of_day(const struct __kernel_timex *wanted) {
    int64_t ns, by = wanted->time.tv_usec * (wanted->modes & ADJ_NANO ? 1 : 1000);
    k42_result result = clocks_now(CLOCK_REALTIME, &ns);
    __int128 moved = (__int128)wanted->time.tv_sec * NS_PER_SECOND + by + ns;
    if (result >= 0 && (moved < 0 || moved > INT64_MAX))
        result = -EINVAL;
    return result < 0 ? result : clocks_set_time_of_day((int64_t)moved);
}

static k42_result adjust(uintptr_t at) {
    struct __kernel_timex timex;
    int64_t ns;
    k42_result result = program_read(&timex, at, sizeof timex);
    if (result >= 0)
        result = check(&timex);
    if (result >= 0 && (timex.modes & ADJ_SETOFFSET))
        result = move_time_of_day(&timex);
    if (result >= 0)
        result = clocks_now(CLOCK_REALTIME, &ns);
    if (result < 0)
        return result;
    struct __kernel_timex now = set_and_tell(&timex);
    bool fine = now.status & STA_NANO;
    now.time.tv_sec = ns / NS_PER_SECOND;
    now.time.tv_usec = ns % NS_PER_SECOND / (fine ? 1 : 1000);
    result = program_write(at, &now, sizeof now);
    return result < 0 ? result : now.status & (STA_UNSYNC | STA_CLOCKERR) ? TIME_ERROR : TIME_OK;
}

LINUX_CALL(159, adjtimex, uintptr_t at) {
    return adjust(at);
}

LINUX_CALL(305, clock_adjtime, int which_, uintptr_t at) {
    int64_t ns;
    char byte;
    k42_result result = program_read(&byte, at, 1);
    if (result >= 0)
        result = clocks_now(which_, &ns);
    if (result < 0)
        return result;
    return which_ == CLOCK_REALTIME ? adjust(at) : -EOPNOTSUPP;
}
