/*
 * adjtimex and clock_adjtime: how the clock of the day is steered. It is not: it runs as the
 * processor's does, and whoever asks is told of a clock that nobody has compared with others.
 */
#include "abi.h"
#include "clocks.h"
#include "program.h"
#include "task.h"

#include <k42/k42.h>
#include <linux/timex.h>

enum { TICK_US = 10000, TICK_LEAST = 9000, TICK_MOST = 11000, ERROR_MOST_US = 16000000 };
enum { OLD = 0x8000 }; /* adjtime()'s modes have it */

/* What may be asked for, and by whom: -EPERM, -EINVAL. */
static k42_result check(const struct __kernel_timex *wanted) {
    bool only_reads = !wanted->modes || wanted->modes == ADJ_OFFSET_SS_READ;
    if ((wanted->modes & OLD) && !(wanted->modes & ADJ_OFFSET))
        return -EINVAL;
    if (!only_reads && !task_capable(task_self(), CAP_SYS_TIME))
        return -EPERM;
    if (!(wanted->modes & OLD) && (wanted->modes & ADJ_TICK) &&
        (wanted->tick < TICK_LEAST || wanted->tick > TICK_MOST))
        return -EINVAL;
    return only_reads ? 0 : -EOPNOTSUPP;
}

static k42_result adjust(uintptr_t at) {
    struct __kernel_timex timex;
    int64_t ns;
    k42_result result = program_read(&timex, at, sizeof timex);
    if (result >= 0)
        result = check(&timex);
    if (result >= 0)
        result = clocks_now(CLOCK_REALTIME, &ns);
    if (result < 0)
        return result;
    unsigned modes = timex.modes;
    __builtin_memset(&timex, 0, sizeof timex); /* what has no name, too */
    timex.modes = modes;
    timex.maxerror = timex.esterror = ERROR_MOST_US;
    timex.status = STA_UNSYNC;
    timex.constant = 2;
    timex.precision = 1;
    timex.tolerance = 500l << 16;
    timex.time.tv_sec = ns / NS_PER_SECOND;
    timex.time.tv_usec = ns % NS_PER_SECOND / 1000;
    timex.tick = TICK_US;
    result = program_write(at, &timex, sizeof timex);
    return result < 0 ? result : TIME_ERROR;
}

/* Partly: the clock cannot be steered. */
LINUX_CALL(159, adjtimex, uintptr_t at) {
    return adjust(at);
}

/* Partly: as adjtimex(). */
LINUX_CALL(305, clock_adjtime, int clock, uintptr_t at) {
    int64_t ns;
    char byte;
    k42_result result = program_read(&byte, at, 1);
    if (result >= 0)
        result = clocks_now(clock, &ns);
    if (result < 0)
        return result;
    return clock == CLOCK_REALTIME ? adjust(at) : -EOPNOTSUPP;
}
