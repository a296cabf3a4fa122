/*
 * timerfd: a timer whose expirations are read as a number.
 *
 * The timer is one of the scheduler's. When it comes, in an interrupt, it is marked expired and
 * notified, no more; an interval is gone on with by whoever reads, or looks, who counts what has
 * passed meanwhile. So an interval of a nanosecond costs its reader and nobody else.
 *
 * One call at a time reads, sets or looks (offset_take()); only that one starts and stops the timer
 * and writes what its function reads, which it does while the timer is not set. Who finds it busy
 * waits at UNNAMED_BUSY, who finds nothing at UNNAMED_DATA. No expiration is lost: the function
 * marks by an exchange, a full barrier, before it notifies.
 *
 * Times of day. A timer that was set to one watches for the clock being set (clocks.h), by an entry
 * whose function marks `clock_set` and notifies. The next call then finds out when that time comes
 * by the new clock, or, with TFD_TIMER_CANCEL_ON_SET, says -ECANCELED once. Whoever waits makes
 * such a call when it is notified; where nobody waits, nobody sees that it comes late.
 *
 * The last release takes the entry out and stops the timer: both wait for a function under way,
 * which takes no lock of ours. Format: file.timer, by pointer; neither the timer nor the entry
 * moves. Fails: -EINVAL, -ECANCELED, -EFAULT.
 */
#include "unnamed.h"

#include "../../sched/thread.h"
#include "../../sched/timer.h"
#include "../abi.h"
#include "../clocks.h"
#include "../program.h"
#include "../task.h"

struct timer_file {
    struct opened opened;
    int clock;
    struct timer timer;
    struct wait_entry watch; /* of the clock, while `watches` */
    bool watches, cancels, until;
    int64_t first;     /* what was asked for, if `until` */
    int64_t interval;  /* 0: it comes once */
    uint64_t deadline; /* when it comes, of time_ns(); 0: it is not set */
    uint32_t expired;  /* it has come, and was neither read nor gone on with; atomic */
    uint32_t clock_set;
    uint64_t counted; /* expirations before those that `deadline` tells of, not read yet */
};

#define TIMER_FILE(self) k42_container(OPENED(self), struct timer_file, opened)

/* What FILE_SET and FILE_LOOK take and give: times as struct itimerspec has them, in ns. */
struct timer_request {
    unsigned flags;
    int64_t first, interval;           /* to be set */
    int64_t left_before, interval_now; /* what was */
};

static void tell(struct timer_file *file) {
    (void)!wait_notify(unnamed_id(&file->opened), UNNAMED_DATA, WAIT_READ, WAIT_ALL);
}

/* In an interrupt, with the CPU's timers locked. */
static uint64_t came(struct timer *timer) {
    struct timer_file *file = k42_container(timer, struct timer_file, timer);
    __atomic_exchange_n(&file->expired, 1, __ATOMIC_SEQ_CST);
    tell(file);
    return TIMER_DONE;
}

/* Interrupts are off. */
static void clock_was_set(struct wait_entry *entry, uint32_t events) {
    struct timer_file *file = k42_container(entry, struct timer_file, watch);
    (void)events;
    __atomic_exchange_n(&file->clock_set, 1, __ATOMIC_SEQ_CST);
    tell(file);
}

/* ---- with the file taken ---- */

static void start(struct timer_file *file, uint64_t deadline) {
    file->deadline = deadline ? deadline : 1;
    if (file->deadline != WAIT_FOREVER)
        timer_start(&file->timer, file->deadline, came);
}

static void stop(struct timer_file *file) {
    (void)timer_stop(&file->timer);
    __atomic_store_n(&file->expired, 0, __ATOMIC_RELAXED);
}

static void watch(struct timer_file *file, bool wanted) {
    if (file->watches == wanted)
        return;
    file->watches = wanted;
    if (wanted)
        clocks_watch(&file->watch, clock_was_set);
    else
        (void)wait_remove(&file->watch);
}

/* The clock was set: when the time comes that was asked for is another moment now. */
static void look_at_clock(struct timer_file *file) {
    uint64_t deadline;
    if (!__atomic_load_n(&file->clock_set, __ATOMIC_RELAXED) || file->cancels ||
        !__atomic_exchange_n(&file->clock_set, 0, __ATOMIC_SEQ_CST) || !file->until ||
        !file->deadline || __atomic_load_n(&file->expired, __ATOMIC_SEQ_CST))
        return;
    if (clocks_deadline(file->clock, file->first, &deadline) < 0)
        return;
    if (timer_stop(&file->timer) || file->deadline == WAIT_FOREVER)
        start(file, deadline);
}

static bool is_canceled(const struct timer_file *file) {
    return file->cancels && __atomic_load_n(&file->clock_set, __ATOMIC_SEQ_CST);
}

static bool is_due(const struct timer_file *file) {
    return file->deadline && time_ns() >= file->deadline;
}

/* A timer whose interrupt is still to come has expired, too: one set to a time that has passed,
 * say. Who takes its place tells of it, since somebody else may wait for that. */
static bool has_expired(struct timer_file *file) {
    if (__atomic_load_n(&file->expired, __ATOMIC_SEQ_CST))
        return true;
    if (!is_due(file))
        return false;
    if (timer_stop(&file->timer)) {
        __atomic_exchange_n(&file->expired, 1, __ATOMIC_SEQ_CST);
        tell(file);
    }
    return true;
}

/* How many expirations there are to be read; goes on with an interval. */
static uint64_t count(struct timer_file *file) {
    look_at_clock(file);
    if (!has_expired(file))
        return file->counted;
    uint64_t now = time_ns(), intervals = 1;
    __atomic_store_n(&file->expired, 0, __ATOMIC_RELAXED);
    if (file->interval) {
        if (now > file->deadline)
            intervals += (now - file->deadline) / (uint64_t)file->interval;
        start(file, file->deadline + intervals * (uint64_t)file->interval);
        file->until = false; /* from the first one on they follow each other */
    } else {
        file->deadline = 0;
    }
    return file->counted += intervals;
}

static k42_result read_count(struct timer_file *file, struct copy *copy) {
    if (is_canceled(file)) {
        __atomic_store_n(&file->clock_set, 0, __ATOMIC_RELAXED);
        return -ECANCELED;
    }
    uint64_t there = count(file);
    if (!there)
        return unnamed_wait(&file->opened, WAIT_READ);
    k42_result result = unnamed_copy_out(copy, &there, sizeof there);
    if (result < 0)
        return result;
    file->counted = 0;
    return sizeof there;
}

static void look(struct timer_file *file, struct timer_request *request) {
    (void)count(file);
    request->interval_now = file->interval;
    int64_t left = clocks_left(file->deadline);
    request->left_before = !file->deadline ? 0 : left ? left : 1;
}

static k42_result set(struct timer_file *file, struct timer_request *request) {
    uint64_t deadline = clocks_after(request->first);
    bool until = request->flags & TFD_TIMER_ABSTIME;
    bool by_day = file->clock == CLOCK_REALTIME || file->clock == CLOCK_REALTIME_ALARM;
    bool was_canceled = is_canceled(file); /* and nobody has been told */
    look(file, request);
    if (until && clocks_deadline(file->clock, request->first, &deadline) < 0)
        return -EINVAL;
    stop(file);
    file->counted = 0;
    file->deadline = 0;
    file->until = until && by_day;
    file->first = request->first;
    file->interval = request->interval;
    file->cancels = file->until && (request->flags & TFD_TIMER_CANCEL_ON_SET);
    __atomic_store_n(&file->clock_set, 0, __ATOMIC_RELAXED);
    watch(file, file->until);
    if (request->first)
        start(file, deadline);
    return was_canceled && file->cancels && request->first ? -ECANCELED : 0;
}

/* ---- methods ---- */

static k42_result timer_read(struct file *self, int64_t offset, struct copy *copy) {
    struct timer_file *file = TIMER_FILE(self);
    if (offset != FILE_CURRENT)
        return -ESPIPE;
    if (copy->left < sizeof(uint64_t))
        return -EINVAL;
    k42_result result = offset_take(&file->opened);
    if (result < 0)
        return result;
    result = read_count(file, copy);
    offset_leave(&file->opened);
    return result;
}

static k42_result timer_no_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EINVAL;
}

/* While another call has it, what that leaves is told by a notification, or was told before. */
static k42_result timer_poll(struct file *self, struct file_poll *poll) {
    struct timer_file *file = TIMER_FILE(self);
    unnamed_poll(&file->opened, poll);
    if (offset_take(&file->opened) < 0)
        return __atomic_load_n(&file->expired, __ATOMIC_SEQ_CST) ? FILE_NO_BANDS | FILE_READABLE
                                                                 : 0;
    bool ready = is_canceled(file);
    if (!ready) {
        look_at_clock(file);
        ready = file->counted || __atomic_load_n(&file->expired, __ATOMIC_SEQ_CST) || is_due(file);
    }
    offset_leave(&file->opened);
    return ready ? FILE_NO_BANDS | FILE_READABLE : 0;
}

static k42_result timer_control(struct file *self, unsigned request, uintptr_t argument) {
    struct timer_file *file = TIMER_FILE(self);
    if (request == FILE_KIND)
        return FILE_OF_TIMER;
    if (request != FILE_SET && request != FILE_LOOK)
        return -ENOTTY;
    k42_result result = offset_take(&file->opened);
    if (result < 0)
        return result;
    if (request == FILE_SET)
        result = set(file, (struct timer_request *)argument);
    else
        look(file, (struct timer_request *)argument);
    offset_leave(&file->opened);
    if (request == FILE_SET)
        tell(file); /* who waits for what was set before looks again */
    return result;
}

static void ended(struct opened *opened) {
    struct timer_file *file = k42_container(opened, struct timer_file, opened);
    watch(file, false);
    stop(file);
}

static const struct file_ops timer_ops = {
    UNNAMED_METHODS,          .read = timer_read, .write = timer_no_write,
    .control = timer_control, .poll = timer_poll, .seek = unnamed_seek,
};

static const struct k42_format timer_format = {"file.timer", 1, 1};
static const struct k42_transfer timer_transfers[] = BODY_TRANSFERS(timer_format);

K42_CLASS(file_timer) = {
    .name = "file.timer",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &timer_ops,
    .fini = opened_fini,
    .transfers = timer_transfers,
};

/* ---- calls ---- */

static k42_result set_up(struct opened *opened, void *context) {
    struct timer_file *file = k42_container(opened, struct timer_file, opened);
    file->clock = *(const int *)context;
    opened->ended = ended;
    return 0;
}

LINUX_CALL(283, timerfd_create, int clock, unsigned flags) {
    if (flags & ~(unsigned)(OPEN_NON_BLOCKING | OPEN_CLOSE_ON_EXEC))
        return -EINVAL;
    bool wakes = clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM;
    if (!wakes && clock != CLOCK_REALTIME && clock != CLOCK_MONOTONIC && clock != CLOCK_BOOTTIME)
        return -EINVAL;
    if (wakes && !task_capable(task_self(), CAP_WAKE_ALARM))
        return -EPERM;
    return unnamed_open(&file_timer, sizeof(struct timer_file), flags, set_up, &clock);
}

static k42_result read_times(uintptr_t from, struct timer_request *request) {
    k42_result result = clocks_read(from, &request->interval);
    return result < 0 ? result
                      : clocks_read(from + sizeof(struct __kernel_timespec), &request->first);
}

static k42_result write_times(uintptr_t to, const struct timer_request *request) {
    k42_result result = clocks_write(to, request->interval_now);
    return result < 0 ? result
                      : clocks_write(to + sizeof(struct __kernel_timespec), request->left_before);
}

/* Found anew in each attempt: it may be closed while another call has it. */
static k42_result control(int fd, unsigned what, struct timer_request *request) {
    file_ref file;
    k42_result result = unnamed_get(fd, FILE_OF_TIMER, &file);
    return result < 0 ? result : k42_call(file, control, what, (uintptr_t)request);
}

LINUX_CALL(286, timerfd_settime, int fd, unsigned flags, uintptr_t wanted, uintptr_t before) {
    struct timer_request request = {.flags = flags};
    k42_result result = read_times(wanted, &request);
    if (result < 0)
        return result;
    if (flags & ~(unsigned)(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET))
        return -EINVAL;
    WAIT_CALL(result, WAIT_FOREVER, 0, control(fd, FILE_SET, &request));
    if (result >= 0 && before)
        result = write_times(before, &request);
    return result == -EINTR ? -LINUX_RESTART : result;
}

LINUX_CALL(287, timerfd_gettime, int fd, uintptr_t to) {
    struct timer_request request = {.flags = 0};
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, 0, control(fd, FILE_LOOK, &request));
    if (result >= 0)
        result = write_times(to, &request);
    return result == -EINTR ? -LINUX_RESTART : result;
}
