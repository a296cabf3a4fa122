/*
 * Calls for timers that send signals: alarm(), setitimer(), timer_create() and theirs.
 *
 * All is the calling process's, and locked by its owner (alarms.h). Errors are Linux's.
 */
#include "alarms.h"

#include "../mem/heap/heap.h"
#include "abi.h"
#include "clocks.h"
#include "process/ids.h"
#include "program.h"
#include "task.h"

#include <k42/k42.h>

/* ---- the three ---- */

static k42_result set_interval(unsigned which, int64_t first, int64_t interval, int64_t *left,
                               int64_t *left_interval) {
    struct alarm_owner *owner = alarm_owner_begin(alarm_owner_get());
    if (!owner)
        return -ENOMEM;
    struct alarm *alarm = &owner->interval[which];
    *left = alarm_left(alarm);
    *left_interval = alarm->interval;
    alarm_stop(alarm);
    return alarm_owner_end(owner, alarm_start(alarm, first, interval, false));
}

LINUX_CALL(37, alarm, unsigned seconds) {
    int64_t left, interval;
    k42_result result =
        set_interval(ITIMER_REAL, (int64_t)seconds * NS_PER_SECOND, 0, &left, &interval);
    if (result < 0)
        return result;
    int64_t rounded = (left + NS_PER_SECOND / 2) / NS_PER_SECOND;
    return left && !rounded ? 1 : rounded;
}

/* As two struct timeval: the interval, and what is left. */
static k42_result write_interval(uintptr_t to, int64_t interval, int64_t left) {
    if (left && left < 1000)
        left = 1000;
    k42_result result = clocks_write_timeval(to, interval);
    return result < 0 ? result
                      : clocks_write_timeval(to + sizeof(struct __kernel_old_timeval), left);
}

LINUX_CALL(38, setitimer, unsigned which, uintptr_t from, uintptr_t to) {
    int64_t first = 0, interval = 0, left, left_interval;
    k42_result result = which <= ITIMER_PROF ? 0 : -EINVAL;
    if (result >= 0 && from)
        result = clocks_read_timeval(from, &interval);
    if (result >= 0 && from)
        result = clocks_read_timeval(from + sizeof(struct __kernel_old_timeval), &first);
    if (result >= 0)
        result = set_interval(which, first, interval, &left, &left_interval);
    return result < 0 || !to ? result : write_interval(to, left_interval, left);
}

LINUX_CALL(36, getitimer, unsigned which, uintptr_t to) {
    if (which > ITIMER_PROF)
        return -EINVAL;
    struct alarm_owner *owner = alarm_owner_find(task_self()->pid);
    if (!owner)
        return write_interval(to, 0, 0);
    return write_interval(to, owner->interval[which].interval, alarm_left(&owner->interval[which]));
}

/* ---- those that are made ---- */

/* Linux's struct sigevent, as far as the kernel looks at it. */
struct event {
    uint64_t value;
    int32_t signal, notify, tid, unused[11];
};
_Static_assert(sizeof(struct event) == 64, "Linux's layout");

/* A negative clock names a process or thread: see clock.c. Only one's own is counted here. */
static enum passing passing_of(int clock) {
    switch (clock) {
    case CLOCK_PROCESS_CPUTIME_ID:
        return PROCESS_TIME;
    case CLOCK_THREAD_CPUTIME_ID:
        return THREAD_TIME;
    default:
        if (clock >= 0)
            return TIME;
        return clock & 4 ? THREAD_TIME : (clock & 3) == 1 ? PROGRAM_TIME : PROCESS_TIME;
    }
}

static k42_result check_clock(int clock) {
    int64_t now;
    int number = clock < 0 ? ~(clock >> 3) : 0;
    if (clock == CLOCK_MONOTONIC_RAW || clock == CLOCK_REALTIME_COARSE ||
        clock == CLOCK_MONOTONIC_COARSE)
        return -EOPNOTSUPP;
    if (number && number != task_self()->pid && number != task_self()->tid)
        return -EINVAL;
    return clocks_now(clock, &now);
}

static k42_result check_event(const struct event *event) {
    int notify = event->notify & ~SIGEV_THREAD_ID;
    if (notify != SIGEV_SIGNAL && notify != SIGEV_NONE && notify != SIGEV_THREAD)
        return -EINVAL;
    if (notify != SIGEV_NONE && (event->signal < 1 || event->signal > SIGNALS))
        return -EINVAL;
    if (event->notify & SIGEV_THREAD_ID &&
        k42_id_of(ids_process(event->tid)) != k42_id_of(task_self()->process))
        return -EINVAL;
    return 0;
}

static k42_result alarm_make(int clock, const struct event *event, struct alarm **made) {
    struct task *task = task_self();
    enum passing passing = passing_of(clock);
    k42_result result = check_clock(clock);
    if (result >= 0)
        result = check_event(event);
    if (result < 0)
        return result;
    struct alarm *alarm = heap_allocate(sizeof *alarm);
    if (!alarm)
        return -EAGAIN;
    alarm_init(alarm, task->pid, passing, event->signal);
    alarm->clock = clock;
    alarm->silent = (event->notify & ~SIGEV_THREAD_ID) == SIGEV_NONE;
    alarm->only_thread = event->notify & SIGEV_THREAD_ID;
    alarm->tid = alarm->only_thread && passing != THREAD_TIME ? event->tid : task->tid;
    alarm->info.code = SI_TIMER;
    alarm->info.timer.value = event->value;
    *made = alarm;
    return 0;
}

static bool is_taken(const struct alarm_owner *owner, int number) {
    const struct alarm *alarm = owner->made;
    while (alarm && alarm->info.timer.id != number)
        alarm = alarm->next;
    return alarm;
}

/* Numbers go on from the last one, so that an old one is not soon another's. The owner is ours. */
static int next_number(struct alarm_owner *owner) {
    int number;
    do {
        number = owner->numbers;
        owner->numbers = (number + 1) & INT32_MAX;
    } while (owner->again && is_taken(owner, number));
    owner->again |= number == INT32_MAX;
    return number;
}

/* Writes the alarm's number to `to`. The owner is ours. */
static k42_result make(struct alarm_owner *owner, int clock, struct event *event, bool asked,
                       uintptr_t to) {
    struct alarm *alarm;
    if (owner->count >= task_limit(task_self(), RLIMIT_SIGPENDING))
        return -EAGAIN;
    int number = next_number(owner);
    if (!asked)
        event->value = (uint64_t)number;
    k42_result result = alarm_make(clock, event, &alarm);
    if (result < 0)
        return result;
    alarm->info.timer.id = number;
    result = program_write(to, &number, sizeof number);
    if (result < 0)
        heap_free(alarm);
    else
        alarm_owner_add(owner, alarm);
    return result;
}

LINUX_CALL(222, timer_create, int clock, uintptr_t event_at, uintptr_t to) {
    struct event event = {.signal = SIGALRM, .notify = SIGEV_SIGNAL};
    k42_result result = event_at ? program_read(&event, event_at, sizeof event) : 0;
    struct alarm_owner *owner = result < 0 ? NULL : alarm_owner_begin(alarm_owner_get());
    if (!owner)
        return result < 0 ? result : -EAGAIN;
    return alarm_owner_end(owner, make(owner, clock, &event, event_at, to));
}

/* Where the calling process's alarm of that number hangs; its owner is ours then, until
 * alarm_owner_end(). NULL: there is none. */
static struct alarm **alarm_begin(int number, struct alarm_owner **owner) {
    *owner = alarm_owner_begin(alarm_owner_find(task_self()->pid));
    if (!*owner)
        return NULL;
    struct alarm **link = &(*owner)->made;
    while (*link && (*link)->info.timer.id != number)
        link = &(*link)->next;
    if (*link)
        return link;
    (void)alarm_owner_end(*owner, 0);
    return NULL;
}

/* As two struct timespec. */
static k42_result write_setting(uintptr_t to, int64_t interval, int64_t left) {
    k42_result result = clocks_write(to, interval);
    return result < 0 ? result : clocks_write(to + sizeof(struct __kernel_timespec), left);
}

LINUX_CALL(223, timer_settime, int number, int flags, uintptr_t from, uintptr_t to) {
    int64_t first, interval;
    struct alarm_owner *owner;
    if (!from)
        return -EINVAL;
    k42_result result = clocks_read(from, &interval);
    if (result >= 0)
        result = clocks_read(from + sizeof(struct __kernel_timespec), &first);
    if (result < 0)
        return result;
    struct alarm **link = alarm_begin(number, &owner);
    if (!link)
        return -EINVAL;
    int64_t left = alarm_left(*link), left_interval = (*link)->interval;
    alarm_stop(*link);
    result = alarm_owner_end(owner, alarm_start(*link, first, interval, flags & TIMER_ABSTIME));
    return result < 0 || !to ? result : write_setting(to, left_interval, left);
}

LINUX_CALL(224, timer_gettime, int number, uintptr_t to) {
    struct alarm_owner *owner;
    struct alarm **link = alarm_begin(number, &owner);
    if (!link)
        return -EINVAL;
    int64_t left = alarm_left(*link), interval = (*link)->interval;
    return alarm_owner_end(owner, write_setting(to, interval, left));
}

LINUX_CALL(225, timer_getoverrun, int number) {
    struct alarm_owner *owner;
    struct alarm **link = alarm_begin(number, &owner);
    return link ? alarm_owner_end(owner, (*link)->overrun) : -EINVAL;
}

LINUX_CALL(226, timer_delete, int number) {
    struct alarm_owner *owner;
    struct alarm **link = alarm_begin(number, &owner);
    if (!link)
        return -EINVAL;
    struct alarm *alarm = *link;
    alarm_owner_remove(owner, link);
    alarm_stop(alarm);
    heap_free(alarm);
    return alarm_owner_end(owner, 0);
}
