/*
 * Priorities of input and output: kept for each thread and inherited, for those who ask.
 *
 * Nothing heeds them: the devices there are have no queue in which one request could pass another.
 */
#include "../sched/thread.h"
#include "abi.h"
#include "whom.h"

#include <k42/k42.h>

enum { CLASS_NONE, CLASS_REALTIME, CLASS_SHARED, CLASS_IDLE, LEVELS = 8 };

static int priority(int class, int level) {
    return class << 13 | level;
}

static k42_result set_one(struct task *task, int value, k42_result so_far) {
    if (!whom_is_own(task) && !task_capable(task_self(), CAP_SYS_NICE))
        return -EPERM;
    __atomic_store_n(&task->io_priority, (uint16_t)value, __ATOMIC_RELAXED);
    return so_far == -ESRCH ? 0 : so_far;
}

static k42_result read_one(struct task *task, int value, k42_result so_far) {
    (void)value, (void)so_far;
    return __atomic_load_n(&task->io_priority, __ATOMIC_RELAXED);
}

/* Who has none has one by what is nice. */
static int effective(struct task *task) {
    int value = __atomic_load_n(&task->io_priority, __ATOMIC_RELAXED);
    if (value >> 13 != CLASS_NONE)
        return value;
    struct thread_policy policy;
    if (whom_policy(task, &policy) < 0)
        return priority(CLASS_IDLE, LEVELS - 1);
    if (policy.idle)
        return priority(CLASS_IDLE, LEVELS - 1);
    return priority(policy.priority ? CLASS_REALTIME : CLASS_SHARED, (policy.nice + 20) / 5);
}

/* A smaller number is better. */
static k42_result best(struct task *task, int value, k42_result so_far) {
    int its = effective(task);
    (void)value;
    return so_far < 0 || its < so_far ? its : so_far;
}

LINUX_CALL(251, ioprio_set, int which, int who, int value) {
    int class = value >> 13, level = value & 0x1fff;
    const struct task *self = task_self();
    if (class == CLASS_REALTIME && !task_capable(self, CAP_SYS_NICE) &&
        !task_capable(self, CAP_SYS_ADMIN))
        return -EPERM;
    if (class < CLASS_NONE || class > CLASS_IDLE || (class == CLASS_NONE && level) ||
        (class != CLASS_IDLE && level >= LEVELS))
        return -EINVAL;
    struct whom whom = {.which = which - 1, .who = who, .fn = set_one, .value = value};
    return whom_all(&whom);
}

LINUX_CALL(252, ioprio_get, int which, int who) {
    struct whom whom = {.which = which - 1, .who = who, .fn = which == 1 ? read_one : best};
    return whom_all(&whom);
}
