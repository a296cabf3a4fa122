/*
 * Files of /proc/PID that a process, or who is in charge of it, may write: its name, how gladly it
 * is ended when memory is out, how late its timers may be; and what is of the same kind but only
 * read.
 *
 * Owns nothing: the values are the task's and the process's. What one task has is read and written
 * whole, without a lock, by anybody. Fails: -ESRCH when there is none any more, and what Linux
 * says.
 */
#include "../../fs/values.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../files/proc.h"
#include "../process/lives.h"
#include "../system.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

enum { ADJUSTMENT_MOST = 1000, OLD_MOST = 15, OLD_LEAST = -17, NUMBER_MOST = 24 };

/* ---- names ---- */

static k42_result print_comm(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject))
        return -ESRCH;
    proc_print(text, "%s\n", subject_name(&subject));
    return 0;
}

/* Of the caller's own process only. */
static k42_result write_comm(const struct proc_key *key, const char *bytes, size_t size) {
    struct subject subject;
    char name[TASK_NAME] = {0};
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    if (subject.task->pid != task_self()->pid)
        return -EINVAL;
    __builtin_memcpy(name, bytes, size < sizeof name - 1 ? size : sizeof name - 1);
    k42_copy_text(subject.task->name, sizeof subject.task->name, name);
    if (subject.task == task_self())
        thread_set_name(subject.task->thread, name);
    return 0;
}

/* ---- numbers in decimal ---- */

/* One number, with blanks around it. Errors: -EINVAL. */
static k42_result read_number(const char *bytes, size_t size, int64_t *number) {
    const char *at = bytes, *end = bytes + size;
    uint64_t value = 0;
    while (at < end && (*at == ' ' || *at == '\t'))
        at++;
    bool negative = at < end && *at == '-';
    at += at < end && (*at == '-' || *at == '+');
    const char *digits = at;
    for (; at < end && *at >= '0' && *at <= '9' && at - digits < NUMBER_MOST - 6; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    bool some = at > digits;
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n'))
        at++;
    *number = negative ? -(int64_t)value : (int64_t)value;
    return some && at == end ? 0 : -EINVAL;
}

/* ---- when memory is out ---- */

static k42_result adjustment_of(const struct proc_key *key, struct subject *subject,
                                int64_t *adjustment) {
    if (!subject_find(key, subject))
        return -ESRCH;
    /* The answer may be negative without being an error. */
    *adjustment = k42_call(subject->process, number, PROCESS_OUT_OF_MEMORY_ADJUSTMENT);
    return 0;
}

static k42_result print_adjustment(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    int64_t adjustment;
    k42_result result = adjustment_of(key, &subject, &adjustment);
    if (result >= 0)
        proc_print(text, "%ld\n", adjustment);
    return result;
}

/* Less takes a right; from `least` on it does not. */
static k42_result adjust(const struct proc_key *key, int64_t wanted, int64_t least) {
    struct subject subject;
    int64_t now;
    k42_result result = adjustment_of(key, &subject, &now);
    if (result < 0)
        return result;
    if (wanted < now && wanted < least && !task_capable(task_self(), CAP_SYS_RESOURCE))
        return -EACCES;
    return k42_call(subject.process, set_number, PROCESS_OUT_OF_MEMORY_ADJUSTMENT, (int)wanted);
}

static k42_result write_adjustment(const struct proc_key *key, const char *bytes, size_t size) {
    int64_t wanted;
    k42_result result = read_number(bytes, size, &wanted);
    if (result >= 0 && (wanted < -ADJUSTMENT_MOST || wanted > ADJUSTMENT_MOST))
        result = -EINVAL;
    return result < 0 ? result : adjust(key, wanted, 0);
}

/* The same on the scale that Linux had before. */
static k42_result print_old(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    int64_t now;
    k42_result result = adjustment_of(key, &subject, &now);
    if (result >= 0)
        proc_print(text, "%ld\n",
                   now == ADJUSTMENT_MOST ? OLD_MOST : now * -OLD_LEAST / ADJUSTMENT_MOST);
    return result;
}

static k42_result write_old(const struct proc_key *key, const char *bytes, size_t size) {
    int64_t wanted;
    k42_result result = read_number(bytes, size, &wanted);
    if (result >= 0 && (wanted < OLD_LEAST || wanted > OLD_MOST))
        result = -EINVAL;
    if (result < 0)
        return result;
    wanted = wanted == OLD_MOST ? ADJUSTMENT_MOST : wanted * ADJUSTMENT_MOST / -OLD_LEAST;
    return adjust(key, wanted, ADJUSTMENT_MOST);
}

/* As out_of_memory.c compares them, on Linux's scale. */
static k42_result print_score(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    int64_t adjustment;
    uint64_t total, available;
    k42_result result = adjustment_of(key, &subject, &adjustment);
    if (result < 0)
        return result;
    system_memory(&total, &available);
    const struct space_usage *usage = &subject.usage;
    int64_t used = (int64_t)(usage->resident + usage->out) * 1000 / (int64_t)total;
    bool never = !subject.task || adjustment == -ADJUSTMENT_MOST;
    proc_print(text, "%ld\n", never ? 0 : (1000 + used + adjustment) * 2 / 3);
    return 0;
}

/* ---- of a task ---- */

static k42_result print_personality(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    proc_print_hex(text, subject.task->persona, 8);
    proc_put(text, "\n", 1);
    return 0;
}

#define TIMER_SLACK 50000ul /* ns: as prctl() has it */

/* -EPERM: neither the caller itself nor in its care. */
static k42_result slack_of(const struct proc_key *key, struct subject *subject) {
    if (!subject_find(key, subject) || !subject->task)
        return -ESRCH;
    bool may = subject->task == task_self() || task_capable(task_self(), CAP_SYS_NICE);
    return may ? 0 : -EPERM;
}

static k42_result print_slack(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    k42_result result = slack_of(key, &subject);
    if (result < 0)
        return result;
    uint64_t slack = __atomic_load_n(&subject.task->timer_slack, __ATOMIC_RELAXED);
    proc_print(text, "%lu\n", slack ? slack : TIMER_SLACK);
    return 0;
}

static k42_result write_slack(const struct proc_key *key, const char *bytes, size_t size) {
    struct subject subject;
    int64_t wanted;
    k42_result result = read_number(bytes, size, &wanted);
    if (result >= 0)
        result = wanted < 0 ? -EINVAL : slack_of(key, &subject);
    if (result >= 0)
        __atomic_store_n(&subject.task->timer_slack, (uint64_t)wanted, __ATOMIC_RELAXED);
    return result;
}

/* ---- who logged in ---- */

static k42_result print_login_number(const struct proc_key *key, struct proc_text *text,
                                     bool session) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    const struct task *task = subject.task;
    proc_print(text, "%u", (session ? task->login_session : task->login) - 1);
    return 0;
}

static k42_result print_login(const struct proc_key *key, struct proc_text *text) {
    return print_login_number(key, text, false);
}

static k42_result print_login_session(const struct proc_key *key, struct proc_text *text) {
    return print_login_number(key, text, true);
}

/* A thread says it of itself, once; then only who is in charge of audits. */
static k42_result write_login(const struct proc_key *key, const char *bytes, size_t size) {
    static uint32_t sessions;
    struct subject subject;
    struct task *task = task_self();
    int64_t user;
    if (!subject_find(key, &subject) || subject.task != task)
        return -EPERM;
    k42_result result = read_number(bytes, size, &user);
    if (result < 0 || user < 0 || user > UINT32_MAX)
        return -EINVAL;
    if (task->login && !task_capable(task, CAP_AUDIT_CONTROL))
        return -EPERM;
    task->login = (uint32_t)user + 1;
    task->login_session = task->login ? __atomic_add_fetch(&sessions, 1, __ATOMIC_RELAXED) + 1 : 0;
    return 0;
}

/* ---- the tree ---- */

#define ADJUSTABLE(name_, mode_, print_, write_)                                                   \
    {                                                                                              \
        .name = name_, .mode = MODE_REGULAR | (mode_), .print = print_, .write = write_,           \
        .owner = proc_owner                                                                        \
    }
/* Of a process and of each thread. */
#define ADJUSTABLES                                                                                \
    {                                                                                              \
        ADJUSTABLE("comm", 0644, print_comm, write_comm),                                          \
            ADJUSTABLE("oom_score", 0444, print_score, NULL),                                      \
            ADJUSTABLE("oom_adj", 0644, print_old, write_old),                                     \
            ADJUSTABLE("oom_score_adj", 0644, print_adjustment, write_adjustment),                 \
            ADJUSTABLE("personality", 0400, print_personality, NULL),                              \
            ADJUSTABLE("loginuid", 0644, print_login, write_login),                                \
            ADJUSTABLE("sessionid", 0444, print_login_session, NULL),                              \
    }

static void add_all(struct proc_entry *folder, struct proc_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++)
        proc_add(folder, &entries[i]);
}

void proc_adjustable_register(struct proc_entry *process, struct proc_entry *thread) {
    static struct proc_entry of_process[] = ADJUSTABLES, of_thread[] = ADJUSTABLES;
    static struct proc_entry slack = ADJUSTABLE("timerslack_ns", 0666, print_slack, write_slack);
    add_all(process, of_process, sizeof of_process / sizeof *of_process);
    add_all(thread, of_thread, sizeof of_thread / sizeof *of_thread);
    proc_add(process, &slack);
}
