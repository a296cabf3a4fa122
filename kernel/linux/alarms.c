/*
 * Timers that send signals: alarm(), setitimer(), timer_create() and theirs.
 *
 * A process has three that are always there, by real time, by its program's time and by all its
 * time, and as many more as it makes. They are kept here, by the process's number, since few
 * processes have any. Each is a timer of the scheduler; when that comes, in an interrupt, a thread
 * is asked to send the signal (dev/work.h). Time that is used cannot pass faster than the clock on
 * each CPU: such a timer looks when the time may have come, and sleeps on when it has not.
 *
 * Locking: one thread of a process at a time deals with its alarms (`busy`, on which others sleep),
 * since stopping one sleeps until its work has settled; a bucket's lock for the list of owners. An
 * owner lasts as long as its process. Fails: -ENOMEM, -EAGAIN.
 */
#include "alarms.h"

#include "../dev/work.h"
#include "../mem/heap/heap.h"
#include "../sched/thread.h"
#include "../sched/timer.h"
#include "abi.h"
#include "clocks.h"
#include "process/account.h"
#include "process/ids.h"
#include "process/lives.h"
#include "program.h"

#include <k42/k42.h>

#define BUCKETS     256u
#define ALARMS_MOST 4096     /* of one process */
#define LOOK_NS     1000000l /* between two looks at how much time was used, at least */

/* What passes until an alarm comes. */
enum passing { TIME, PROCESS_TIME, PROGRAM_TIME, THREAD_TIME };

struct alarm {
    struct timer timer;
    struct work work;
    struct alarm *next; /* of those that were made */
    int pid, tid;       /* whose time; tid also: whom to tell, if only_thread */
    int clock;          /* of timer_create() */
    enum passing passing;
    bool only_thread, silent;
    struct signal_info info;
    int64_t interval;
    int64_t target;    /* time that is used when it comes; not of TIME */
    uint64_t deadline; /* of TIME: when it comes; 0: it is not set */
    uint32_t came;     /* since the signal was sent last; changed by anybody */
    int32_t overrun;   /* that the last signal stood for */
};

struct owner {
    struct owner *next;
    int pid;
    int numbers;              /* given to alarms */
    uint32_t busy;            /* slept on */
    struct alarm interval[3]; /* ITIMER_REAL and so on */
    struct alarm *made;
};

static struct bucket {
    struct k42_lock lock;
    struct owner *first;
} buckets[BUCKETS];

/* ---- when it comes ---- */

static k42_result time_used(const struct alarm *alarm, int64_t *ns) {
    struct process_times times;
    if (alarm->passing == THREAD_TIME) {
        struct k42_pair found = k42_call(ids_process(alarm->tid), thread, alarm->tid, 0);
        if (found.result < 0)
            return -ESRCH;
        times = task_times((const struct task *)found.word);
    } else {
        times = account_of_process(ids_process(alarm->pid));
    }
    *ns = (int64_t)(times.user_ns + (alarm->passing == PROGRAM_TIME ? 0 : times.system_ns));
    return 0;
}

/* In an interrupt, with the CPU's timers locked. */
static uint64_t time_came(struct timer *timer) {
    struct alarm *alarm = k42_container(timer, struct alarm, timer);
    uint64_t again = TIMER_DONE;
    uint32_t came = 1;
    if (alarm->passing == TIME && alarm->interval) {
        uint64_t late = time_ns() - alarm->deadline, interval = (uint64_t)alarm->interval;
        came += (uint32_t)(late / interval);
        again = alarm->deadline + came * interval;
    }
    __atomic_store_n(&alarm->deadline, again == TIMER_DONE ? 0 : again, __ATOMIC_RELAXED);
    __atomic_fetch_add(&alarm->came, came, __ATOMIC_RELAXED);
    work_raise(&alarm->work);
    return again;
}

static void look_again(struct alarm *alarm, int64_t left) {
    int64_t wait = left / (int64_t)cpu_count();
    timer_start(&alarm->timer, clocks_after(wait > LOOK_NS ? wait : LOOK_NS), time_came);
}

/* From the alarm's work; who sets it waits for that before. */
static bool is_time(struct alarm *alarm) {
    int64_t used;
    if (alarm->passing == TIME)
        return true;
    if (!alarm->target || time_used(alarm, &used) < 0)
        return false;
    bool is = used >= alarm->target;
    if (is)
        alarm->target = alarm->interval ? alarm->target + alarm->interval : 0;
    if (alarm->target)
        look_again(alarm, alarm->target - used);
    return is;
}

/* Active, in a thread of the CPU that set it. */
static void send(struct work *work) {
    struct alarm *alarm = k42_container(work, struct alarm, work);
    uint32_t came = __atomic_exchange_n(&alarm->came, 0, __ATOMIC_RELAXED);
    if (!came || !is_time(alarm) || alarm->silent)
        return;
    struct signal_info info = alarm->info;
    info.timer.overrun = alarm->overrun = (int32_t)came - 1;
    if (alarm->only_thread)
        (void)!signal_thread(alarm->tid, &info);
    else
        (void)!signal_process(alarm->pid, &info);
}

/* ---- setting ---- */

static void alarm_init(struct alarm *alarm, int pid, enum passing passing, int signal) {
    *alarm = (struct alarm){.pid = pid, .passing = passing};
    alarm->info.signal = signal;
    work_init(&alarm->work, (uint32_t)k42_cpu(), send);
}

/* What is left, 0: it is not set; what is due counts as a moment. */
static int64_t left_of(const struct alarm *alarm) {
    int64_t used;
    uint64_t deadline = __atomic_load_n(&alarm->deadline, __ATOMIC_RELAXED);
    if (alarm->passing == TIME)
        return !deadline ? 0 : clocks_left(deadline) ? clocks_left(deadline) : 1;
    if (!alarm->target || time_used(alarm, &used) < 0)
        return 0;
    return alarm->target > used ? alarm->target - used : 1;
}

/* Afterwards nothing of it happens; what came before and was not sent is forgotten. Sleeps: the
 * caller is active, and leaves for that. */
static void stop(struct alarm *alarm) {
    bool was_set = timer_stop(&alarm->timer);
    if (!was_set && __atomic_load_n(&alarm->work.raised, __ATOMIC_ACQUIRE) == 0 &&
        !alarm->deadline && !alarm->target)
        return;
    k42_exit();
    work_settle(&alarm->work);
    k42_enter();
    (void)timer_stop(&alarm->timer); /* its work may have set it */
    alarm->deadline = 0;
    alarm->target = 0;
    __atomic_store_n(&alarm->came, 0, __ATOMIC_RELAXED);
}

static k42_result start(struct alarm *alarm, int64_t first, int64_t interval, bool until) {
    int64_t used;
    alarm->interval = interval;
    alarm->overrun = 0;
    if (!first)
        return 0;
    if (alarm->passing != TIME) {
        k42_result result = time_used(alarm, &used);
        if (result < 0)
            return result;
        alarm->target = until ? first : used + first;
        look_again(alarm, alarm->target - used);
        return 0;
    }
    uint64_t deadline = clocks_after(first);
    if (until && clocks_deadline(alarm->clock, first, &deadline) < 0)
        return -EINVAL;
    alarm->deadline = deadline ? deadline : 1;
    timer_start(&alarm->timer, alarm->deadline, time_came);
    return 0;
}

/* ---- owners ---- */

static struct bucket *bucket_of(int pid) {
    return &buckets[(unsigned)pid % BUCKETS];
}

static struct owner *owner_find(int pid) {
    struct bucket *bucket = bucket_of(pid);
    k42_lock(&bucket->lock);
    struct owner *owner = bucket->first;
    while (owner && owner->pid != pid)
        owner = owner->next;
    k42_unlock(&bucket->lock);
    return owner;
}

static struct owner *owner_make(int pid) {
    struct owner *owner = heap_allocate_zeroed(sizeof *owner);
    if (!owner)
        return NULL;
    owner->pid = pid;
    alarm_init(&owner->interval[ITIMER_REAL], pid, TIME, SIGALRM);
    alarm_init(&owner->interval[ITIMER_VIRTUAL], pid, PROGRAM_TIME, SIGVTALRM);
    alarm_init(&owner->interval[ITIMER_PROF], pid, PROCESS_TIME, SIGPROF);
    for (unsigned i = 0; i < 3; i++)
        owner->interval[i].info.code = SI_KERNEL;
    return owner;
}

static struct owner *owner_begin(struct owner *owner) {
    while (owner && __atomic_exchange_n(&owner->busy, 1, __ATOMIC_ACQUIRE)) {
        k42_exit();
        thread_park(&owner->busy, 1, 0);
        k42_enter();
    }
    return owner;
}

static k42_result owner_end(struct owner *owner, k42_result result) {
    __atomic_store_n(&owner->busy, 0, __ATOMIC_SEQ_CST);
    thread_wake_parked(&owner->busy, 1);
    return result;
}

/* The calling process's. NULL: no memory. */
static struct owner *owner_get(void) {
    int pid = task_self()->pid;
    struct bucket *bucket = bucket_of(pid);
    struct owner *owner = owner_find(pid), *other;
    if (owner || !(owner = owner_make(pid)))
        return owner;
    k42_lock(&bucket->lock);
    for (other = bucket->first; other && other->pid != pid; other = other->next)
        ;
    if (!other) {
        owner->next = bucket->first;
        bucket->first = owner;
    }
    k42_unlock(&bucket->lock);
    if (!other)
        return owner;
    heap_free(owner); /* another thread was faster */
    return other;
}

static void end_made(struct owner *owner) {
    for (struct alarm *alarm = owner->made, *next; alarm; alarm = next) {
        next = alarm->next;
        stop(alarm);
        heap_free(alarm);
    }
    owner->made = NULL;
}

/* The process has one thread, or none. A new program keeps the three that are always there. */
static void process_ends(int pid, bool goes_on) {
    struct bucket *bucket = bucket_of(pid);
    struct owner *owner = owner_find(pid);
    if (!owner)
        return;
    end_made(owner);
    if (goes_on)
        return;
    for (unsigned i = 0; i < 3; i++)
        stop(&owner->interval[i]);
    k42_lock(&bucket->lock);
    struct owner **link = &bucket->first;
    while (*link != owner)
        link = &(*link)->next;
    *link = owner->next;
    k42_unlock(&bucket->lock);
    heap_free(owner);
}

void alarms_open(void) {
    process_alarms_end = process_ends;
}

/* ---- the three ---- */

static k42_result set_interval(unsigned which, int64_t first, int64_t interval, int64_t *left,
                               int64_t *left_interval) {
    struct owner *owner = owner_begin(owner_get());
    if (!owner)
        return -ENOMEM;
    struct alarm *alarm = &owner->interval[which];
    *left = left_of(alarm);
    *left_interval = alarm->interval;
    stop(alarm);
    return owner_end(owner, start(alarm, first, interval, false));
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
    struct owner *owner = owner_find(task_self()->pid);
    if (!owner)
        return write_interval(to, 0, 0);
    return write_interval(to, owner->interval[which].interval, left_of(&owner->interval[which]));
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

/* The owner is ours. */
static k42_result make(struct owner *owner, int clock, const struct event *event) {
    struct alarm *alarm;
    if (owner->numbers == ALARMS_MOST)
        return -EAGAIN;
    k42_result result = alarm_make(clock, event, &alarm);
    if (result < 0)
        return result;
    alarm->info.timer.id = owner->numbers++;
    alarm->next = owner->made;
    owner->made = alarm;
    return alarm->info.timer.id;
}

LINUX_CALL(222, timer_create, int clock, uintptr_t event_at, uintptr_t to) {
    struct event event = {.signal = SIGALRM, .notify = SIGEV_SIGNAL};
    k42_result result = event_at ? program_read(&event, event_at, sizeof event) : 0;
    struct owner *owner = result < 0 ? NULL : owner_begin(owner_get());
    if (!owner)
        return result < 0 ? result : -EAGAIN;
    if (!event_at)
        event.value = (uint64_t)owner->numbers;
    result = owner_end(owner, make(owner, clock, &event));
    int32_t number = (int32_t)result;
    return result < 0 ? result : program_write(to, &number, sizeof number);
}

/* Where the calling process's alarm of that number hangs; its owner is ours then, until
 * owner_end(). NULL: there is none. */
static struct alarm **alarm_begin(int number, struct owner **owner) {
    *owner = owner_begin(owner_find(task_self()->pid));
    if (!*owner)
        return NULL;
    struct alarm **link = &(*owner)->made;
    while (*link && (*link)->info.timer.id != number)
        link = &(*link)->next;
    if (*link)
        return link;
    (void)owner_end(*owner, 0);
    return NULL;
}

/* As two struct timespec. */
static k42_result write_setting(uintptr_t to, int64_t interval, int64_t left) {
    k42_result result = clocks_write(to, interval);
    return result < 0 ? result : clocks_write(to + sizeof(struct __kernel_timespec), left);
}

LINUX_CALL(223, timer_settime, int number, int flags, uintptr_t from, uintptr_t to) {
    int64_t first, interval;
    struct owner *owner;
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
    int64_t left = left_of(*link), left_interval = (*link)->interval;
    stop(*link);
    result = owner_end(owner, start(*link, first, interval, flags & TIMER_ABSTIME));
    return result < 0 || !to ? result : write_setting(to, left_interval, left);
}

LINUX_CALL(224, timer_gettime, int number, uintptr_t to) {
    struct owner *owner;
    struct alarm **link = alarm_begin(number, &owner);
    if (!link)
        return -EINVAL;
    int64_t left = left_of(*link), interval = (*link)->interval;
    return owner_end(owner, write_setting(to, interval, left));
}

LINUX_CALL(225, timer_getoverrun, int number) {
    struct owner *owner;
    struct alarm **link = alarm_begin(number, &owner);
    return link ? owner_end(owner, (*link)->overrun) : -EINVAL;
}

LINUX_CALL(226, timer_delete, int number) {
    struct owner *owner;
    struct alarm **link = alarm_begin(number, &owner);
    if (!link)
        return -EINVAL;
    struct alarm *alarm = *link;
    *link = alarm->next;
    stop(alarm);
    heap_free(alarm);
    return owner_end(owner, 0);
}
