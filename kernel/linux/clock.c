/*
 * Clocks: reading them, setting the time of day, sleeping until a time.
 *
 * All clocks that count time as it passes are the machine's with a number added: none for those
 * that count from boot, the wall clock (vdso/wall_clock.h) for the others. A sleep until a time
 * of day is one until the moment that had that time when it began.
 */
#include "clocks.h"

#include "../sched/thread.h"
#include "../sched/wait.h"
#include "../vdso/wall_clock.h"
#include "abi.h"
#include "process/account.h"
#include "process/ids.h"
#include "process/lives.h"
#include "program.h"

#include <k42/k42.h>

#define MOST INT64_MAX

/* ---- times as programs give them ---- */

static k42_result to_ns(int64_t seconds, int64_t rest, int64_t rest_limit, int64_t *ns) {
    if (seconds < 0 || rest < 0 || rest >= rest_limit)
        return -EINVAL;
    rest *= NS_PER_SECOND / rest_limit;
    *ns = seconds >= MOST / NS_PER_SECOND ? MOST : seconds * NS_PER_SECOND + rest;
    return 0;
}

k42_result clocks_read(uintptr_t from, int64_t *ns) {
    struct __kernel_timespec time;
    k42_result result = program_read(&time, from, sizeof time);
    return result < 0 ? result : to_ns(time.tv_sec, time.tv_nsec, NS_PER_SECOND, ns);
}

k42_result clocks_read_timeval(uintptr_t from, int64_t *ns) {
    struct __kernel_old_timeval time;
    k42_result result = program_read(&time, from, sizeof time);
    return result < 0 ? result : to_ns(time.tv_sec, time.tv_usec, 1000000, ns);
}

k42_result clocks_write(uintptr_t to, int64_t ns) {
    struct __kernel_timespec time = {ns / NS_PER_SECOND, ns % NS_PER_SECOND};
    return program_write(to, &time, sizeof time);
}

k42_result clocks_write_timeval(uintptr_t to, int64_t ns) {
    struct __kernel_old_timeval time = {ns / NS_PER_SECOND, ns % NS_PER_SECOND / 1000};
    return program_write(to, &time, sizeof time);
}

/* ---- clocks ---- */

static int64_t since_boot(void) {
    return (int64_t)time_ns();
}

static int64_t time_of_day(void) {
    return (int64_t)wall_clock_ns();
}

static int64_t sum(const struct process_times *times) {
    return (int64_t)(times->user_ns + times->system_ns);
}

/* Clocks of other processes and threads are their numbers, inverted, with what they count below:
 * the whole of the time, or the program's part, and whether it is a thread's. */
static k42_result time_of_other(int clock, int64_t *ns) {
    int number = ~(clock >> 3), what = clock & 3;
    struct process_times times;
    if (what == 3)
        return -EINVAL;
    process_ref process = number ? ids_process(number) : task_self()->process;
    if (clock & 4) {
        struct k42_pair found = k42_call(process, thread, number ? number : task_self()->tid, 0);
        if (found.result < 0)
            return -EINVAL;
        times = task_times((const struct task *)found.word);
    } else {
        struct process_info info;
        if (k42_call(process, info, &info) < 0)
            return -EINVAL;
        times = account_of_process(process);
    }
    *ns = what == 1 ? (int64_t)times.user_ns : sum(&times);
    return 0;
}

k42_result clocks_now(int clock, int64_t *ns) {
    struct process_times times;
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
    case CLOCK_REALTIME_ALARM:
        *ns = time_of_day();
        return 0;
    case CLOCK_TAI:
        *ns = time_of_day() + wall_clock_tai() * NS_PER_SECOND;
        return 0;
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        *ns = since_boot();
        return 0;
    case CLOCK_PROCESS_CPUTIME_ID:
        times = account_of_process(task_self()->process);
        *ns = sum(&times);
        return 0;
    case CLOCK_THREAD_CPUTIME_ID:
        times = task_times(task_self());
        *ns = sum(&times);
        return 0;
    default:
        return clock < 0 ? time_of_other(clock, ns) : -EINVAL;
    }
}

k42_result clocks_deadline(int clock, int64_t ns, uint64_t *deadline) {
    *deadline = (uint64_t)ns;
    switch (clock) {
    case CLOCK_TAI:
        ns -= ns == MOST ? 0 : wall_clock_tai() * NS_PER_SECOND;
        __attribute__((fallthrough));
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_ALARM:
        *deadline = ns < 0 ? 0 : wall_clock_to_monotonic((uint64_t)ns);
        break;
    case CLOCK_MONOTONIC:
    case CLOCK_BOOTTIME:
    case CLOCK_BOOTTIME_ALARM:
        break;
    default:
        return -EINVAL;
    }
    if (ns == MOST)
        *deadline = WAIT_FOREVER;
    return 0;
}

uint64_t clocks_after(int64_t ns) {
    return ns == MOST ? WAIT_FOREVER : time_ns() + (uint64_t)ns;
}

int64_t clocks_left(uint64_t deadline) {
    uint64_t now = time_ns();
    if (deadline == WAIT_FOREVER)
        return MOST;
    return deadline > now ? (int64_t)(deadline - now) : 0;
}

LINUX_CALL(228, clock_gettime, int clock, uintptr_t to) {
    int64_t ns;
    k42_result result = clocks_now(clock, &ns);
    return result < 0 ? result : clocks_write(to, ns);
}

LINUX_CALL(229, clock_getres, int clock, uintptr_t to) {
    int64_t ns;
    k42_result result = clocks_now(clock, &ns);
    return result < 0 || !to ? result : clocks_write(to, 1);
}

LINUX_CALL(96, gettimeofday, uintptr_t to, uintptr_t zone) {
    static const struct timezone universal;
    k42_result result = to ? clocks_write_timeval(to, time_of_day()) : 0;
    return result < 0 || !zone ? result : program_write(zone, &universal, sizeof universal);
}

LINUX_CALL(201, time, uintptr_t to) {
    int64_t seconds = time_of_day() / NS_PER_SECOND;
    k42_result result = to ? program_write(to, &seconds, sizeof seconds) : 0;
    return result < 0 ? result : seconds;
}

/* ---- setting the time of day ---- */

/* Who watches stands at an address of his own, so many stand in many buckets. */
#define WATCHED_BITS 6u
static struct wait_bucket watched_buckets[1u << WATCHED_BITS];
static const struct wait_table watched = {watched_buckets, 64 - WATCHED_BITS};

void clocks_watch(struct wait_entry *entry, void (*fn)(struct wait_entry *entry, uint32_t events)) {
    struct wait_point point = {.id = WAIT_NO_OBJECT, .key = (uintptr_t)entry, .events = WAIT_READ};
    wait_table_watch(&watched, entry, point, fn);
}

k42_result clocks_set_time_of_day(int64_t ns) {
    if (!task_capable(task_self(), CAP_SYS_TIME))
        return -EPERM;
    wall_clock_set((uint64_t)ns);
    WAIT_BARRIER();
    wait_table_hangup(&watched, WAIT_NO_OBJECT);
    return 0;
}

LINUX_CALL(227, clock_settime, int clock, uintptr_t from) {
    int64_t ns;
    if (clock != CLOCK_REALTIME)
        return -EINVAL;
    k42_result result = clocks_read(from, &ns);
    return result < 0 ? result : clocks_set_time_of_day(ns);
}

/* The time zone is the programs' matter. */
LINUX_CALL(164, settimeofday, uintptr_t from, uintptr_t zone) {
    int64_t ns;
    if (!from)
        return zone && !task_capable(task_self(), CAP_SYS_TIME) ? -EPERM : 0;
    k42_result result = clocks_read_timeval(from, &ns);
    return result < 0 ? result : clocks_set_time_of_day(ns);
}

/* ---- sleeping ---- */

static k42_result sleep_until(uint64_t deadline) {
    struct wait_set set;
    k42_result result;
    wait_set_open(&set);
    do
        result = wait_sleep(&set, deadline, 0);
    while (!result);
    return result == -ETIMEDOUT ? 0 : result;
}

/* What is left of a sleep that a signal ended goes on by restart_syscall, if no handler ran. */
enum { DEADLINE, LEFT_TO };

static k42_result sleep_on(struct task *task) {
    uint64_t deadline = task->restart_words[DEADLINE];
    uintptr_t left_to = task->restart_words[LEFT_TO];
    k42_result result = sleep_until(deadline);
    if (result == -EINTR && left_to) {
        k42_result written = clocks_write(left_to, clocks_left(deadline));
        if (written < 0)
            return written;
    }
    return result == -EINTR ? -LINUX_RESTART_BLOCK : result;
}

static k42_result sleep_for(int64_t ns, uintptr_t left_to) {
    struct task *task = task_self();
    task->restart = sleep_on;
    task->restart_words[DEADLINE] = clocks_after(ns);
    task->restart_words[LEFT_TO] = left_to;
    return sleep_on(task);
}

LINUX_CALL(35, nanosleep, uintptr_t from, uintptr_t left_to) {
    int64_t ns;
    k42_result result = clocks_read(from, &ns);
    return result < 0 ? result : sleep_for(ns, left_to);
}

/* The process's time passes no faster than the clock on each CPU, so that long is slept at least.
 */
static k42_result sleep_until_used(int clock, int64_t ns) {
    for (;;) {
        int64_t used;
        k42_result result = clocks_now(clock, &used);
        if (result < 0 || used >= ns)
            return result;
        result = sleep_until(clocks_after((ns - used) / (int64_t)cpu_count() + 1));
        if (result < 0)
            return -LINUX_RESTART_NO_HANDLER;
    }
}

LINUX_CALL(230, clock_nanosleep, int clock, int flags, uintptr_t from, uintptr_t left_to) {
    int64_t ns, now;
    uint64_t deadline;
    k42_result result = clocks_now(clock, &now);
    if (result >= 0)
        result = clock == CLOCK_THREAD_CPUTIME_ID ? -EOPNOTSUPP : clocks_read(from, &ns);
    if (result < 0)
        return result;
    bool until = flags & TIMER_ABSTIME;
    if (clock == CLOCK_PROCESS_CPUTIME_ID || clock < 0)
        return sleep_until_used(clock, until ? ns : ns > MOST - now ? MOST : now + ns);
    result = clocks_deadline(clock, ns, &deadline);
    if (result < 0)
        return -EOPNOTSUPP;
    if (!until)
        return sleep_for(ns, left_to);
    result = sleep_until(deadline);
    return result == -EINTR ? -LINUX_RESTART_NO_HANDLER : result;
}
