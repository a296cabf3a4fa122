/*
 * Timers that send signals: alarm(), setitimer(), timer_create() and theirs.
 *
 * A process has four that are always there, for RLIMIT_CPU and by real time, by its program's time
 * and by all its time, and as many more as it makes. They are kept here, by the process's number,
 * since few processes have any. Each is a timer of the scheduler; when that comes, in an interrupt,
 * a thread is asked to send the signal (dev/work.h). Time that is used cannot pass faster than the
 * clock on each CPU: such a timer looks when the time may have come, and sleeps on when it has not.
 *
 * Locking: one thread of a process at a time deals with its alarms (`busy`, on which others sleep),
 * since stopping one sleeps until its work has settled; a bucket's lock for the list of owners, and
 * for their lists of alarms against who takes a signal, which must not sleep. An owner lasts as
 * long as its process. Fails: -ENOMEM, -EAGAIN.
 */
#include "alarms.h"

#include "../mem/heap/heap.h"
#include "../sched/thread.h"
#include "abi.h"
#include "clocks.h"
#include "process/account.h"
#include "process/ids.h"
#include "process/lives.h"

#include <k42/k42.h>

#define BUCKETS 256u
#define LOOK_NS 1000000l /* between two looks at how much time was used, at least */

static struct bucket {
    struct k42_lock lock;
    struct alarm_owner *first;
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
    info.timer.overrun = (int32_t)came - 1;
    if (alarm->only_thread)
        (void)!signal_thread(alarm->tid, &info);
    else
        (void)!signal_process(alarm->pid, &info);
}

/* ---- RLIMIT_CPU ---- */

/* The process says what is due, and when to look again. */
static void look_at_limit(struct alarm *alarm) {
    struct k42_pair due = k42_call(ids_process(alarm->pid), time_limit);
    struct signal_info info = signal_from_kernel((int)due.result);
    if (due.result > 0)
        (void)!signal_process(alarm->pid, &info);
    if (due.result >= 0 && due.word != TASK_UNLIMITED)
        look_again(alarm, (int64_t)due.word);
}

static void limit_came(struct work *work) {
    struct alarm *alarm = k42_container(work, struct alarm, work);
    if (__atomic_exchange_n(&alarm->came, 0, __ATOMIC_RELAXED))
        look_at_limit(alarm);
}

/* ---- setting ---- */

void alarm_init(struct alarm *alarm, int pid, enum passing passing, int signal) {
    *alarm = (struct alarm){.pid = pid, .passing = passing};
    alarm->info.signal = signal;
    work_init(&alarm->work, (uint32_t)k42_cpu(), send);
}

/* What is left, 0: it is not set; what is due counts as a moment. */
int64_t alarm_left(const struct alarm *alarm) {
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
void alarm_stop(struct alarm *alarm) {
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

k42_result alarm_start(struct alarm *alarm, int64_t first, int64_t interval, bool until) {
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

static struct alarm_owner *find_locked(const struct bucket *bucket, int pid) {
    struct alarm_owner *owner = bucket->first;
    while (owner && owner->pid != pid)
        owner = owner->next;
    return owner;
}

struct alarm_owner *alarm_owner_find(int pid) {
    struct bucket *bucket = bucket_of(pid);
    k42_lock(&bucket->lock);
    struct alarm_owner *owner = find_locked(bucket, pid);
    k42_unlock(&bucket->lock);
    return owner;
}

static struct alarm_owner *alarm_owner_make(int pid) {
    struct alarm_owner *owner = heap_allocate_zeroed(sizeof *owner);
    if (!owner)
        return NULL;
    owner->pid = pid;
    alarm_init(&owner->interval[ITIMER_REAL], pid, TIME, SIGALRM);
    alarm_init(&owner->interval[ITIMER_VIRTUAL], pid, PROGRAM_TIME, SIGVTALRM);
    alarm_init(&owner->interval[ITIMER_PROF], pid, PROCESS_TIME, SIGPROF);
    for (unsigned i = 0; i < 3; i++)
        owner->interval[i].info.code = SI_KERNEL;
    alarm_init(&owner->limit, pid, PROCESS_TIME, 0);
    owner->limit.work.fn = limit_came;
    return owner;
}

struct alarm_owner *alarm_owner_begin(struct alarm_owner *owner) {
    while (owner && __atomic_exchange_n(&owner->busy, 1, __ATOMIC_ACQUIRE)) {
        k42_exit();
        thread_park(&owner->busy, 1, 0);
        k42_enter();
    }
    return owner;
}

k42_result alarm_owner_end(struct alarm_owner *owner, k42_result result) {
    __atomic_store_n(&owner->busy, 0, __ATOMIC_SEQ_CST);
    thread_wake_parked(&owner->busy, 1);
    return result;
}

/* The calling process's. NULL: no memory. */
struct alarm_owner *alarm_owner_get(void) {
    int pid = task_self()->pid;
    struct bucket *bucket = bucket_of(pid);
    struct alarm_owner *owner = alarm_owner_find(pid), *other;
    if (owner || !(owner = alarm_owner_make(pid)))
        return owner;
    k42_lock(&bucket->lock);
    other = find_locked(bucket, pid);
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

void alarm_owner_add(struct alarm_owner *owner, struct alarm *alarm) {
    struct bucket *bucket = bucket_of(owner->pid);
    k42_lock(&bucket->lock);
    alarm->next = owner->made;
    owner->made = alarm;
    owner->count++;
    k42_unlock(&bucket->lock);
}

void alarm_owner_remove(struct alarm_owner *owner, struct alarm **link) {
    struct bucket *bucket = bucket_of(owner->pid);
    k42_lock(&bucket->lock);
    *link = (*link)->next;
    owner->count--;
    k42_unlock(&bucket->lock);
}

void alarm_taken(const struct signal_info *info) {
    int pid = task_self()->pid;
    struct bucket *bucket = bucket_of(pid);
    k42_lock(&bucket->lock);
    struct alarm_owner *owner = find_locked(bucket, pid);
    struct alarm *alarm = owner ? owner->made : NULL;
    while (alarm && alarm->info.timer.id != info->timer.id)
        alarm = alarm->next;
    if (alarm)
        alarm->overrun = info->timer.overrun;
    k42_unlock(&bucket->lock);
}

static void end_made(struct alarm_owner *owner) {
    while (owner->made) {
        struct alarm *alarm = owner->made;
        alarm_owner_remove(owner, &owner->made);
        alarm_stop(alarm);
        heap_free(alarm);
    }
}

/* The process has one thread, or none. A new program keeps the three that are always there. */
static void process_ends(int pid, bool goes_on) {
    struct bucket *bucket = bucket_of(pid);
    struct alarm_owner *owner = alarm_owner_find(pid);
    if (!owner)
        return;
    end_made(owner);
    if (goes_on)
        return;
    for (unsigned i = 0; i < 3; i++)
        alarm_stop(&owner->interval[i]);
    alarm_stop(&owner->limit);
    k42_lock(&bucket->lock);
    struct alarm_owner **link = &bucket->first;
    while (*link != owner)
        link = &(*link)->next;
    *link = owner->next;
    k42_unlock(&bucket->lock);
    heap_free(owner);
}

static k42_result limit_time(void) {
    struct task *task = task_self();
    bool limited = task_limit(task, RLIMIT_CPU) != TASK_UNLIMITED;
    struct alarm_owner *owner = limited ? alarm_owner_get() : alarm_owner_find(task->pid);
    if (!owner)
        return limited ? -ENOMEM : 0;
    (void)alarm_owner_begin(owner);
    alarm_stop(&owner->limit);
    owner->limit.target = limited;
    if (limited)
        look_at_limit(&owner->limit);
    return alarm_owner_end(owner, 0);
}

void alarms_open(void) {
    process_alarms_end = process_ends;
    process_limit_time = limit_time;
}
