/*
 * Finding the threads that a call means.
 *
 * Nothing is locked: who comes or goes meanwhile may be met or not, as on Linux.
 */
#include "whom.h"

#include "abi.h"
#include "landlock/landlock.h"
#include "process/ids.h"

#include <k42/k42.h>

struct task *whom_thread(int tid) {
    if (!tid)
        return task_self();
    struct k42_pair found = k42_call(ids_process(tid), thread, tid, 0);
    return found.result < 0 ? NULL : (struct task *)found.word;
}

bool whom_is_own(const struct task *task) {
    const struct credentials *own = task_self()->credentials;
    const struct credentials *its = __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE);
    return own->euid == its->uid || own->euid == its->euid;
}

bool whom_may_trace(const struct task *task) {
    const struct task *self = task_self();
    const struct credentials *own = self->credentials;
    const struct credentials *its = __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE);
    if (task->pid == self->pid)
        return true;
    if (!landlock_contains(self->landlock, __atomic_load_n(&task->landlock, __ATOMIC_ACQUIRE)))
        return false;
    if (task_capable(self, CAP_SYS_PTRACE))
        return true;
    return own->uid == its->uid && own->uid == its->euid && own->uid == its->suid &&
           own->gid == its->gid && own->gid == its->egid && own->gid == its->sgid &&
           !(its->permitted & ~own->permitted) &&
           k42_call(task->process, number, PROCESS_DUMPABLE) > 0;
}

static void for_each_of(struct whom *whom, process_ref process) {
    for (int tid = 1;;) {
        struct k42_pair found = k42_call(process, thread, tid, 1);
        if (found.result < 0)
            return;
        struct task *task = (struct task *)found.word;
        const struct credentials *its = __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE);
        if (whom->which != PRIO_USER || its->uid == (uint32_t)whom->who)
            whom->result = whom->fn(task, whom->value, whom->result);
        tid = task->tid + 1;
    }
}

k42_result whom_all(struct whom *whom) {
    struct process_info info;
    whom->result = -ESRCH;
    if (whom->which == PRIO_PROCESS) {
        struct task *task = whom_thread(whom->who);
        return task ? whom->fn(task, whom->value, -ESRCH) : -ESRCH;
    }
    if (whom->which != PRIO_PGRP && whom->which != PRIO_USER)
        return -EINVAL;
    if (!whom->who && whom->which == PRIO_USER)
        whom->who = (int)task_self()->credentials->uid;
    else if (!whom->who && k42_call(task_self()->process, info, &info) >= 0)
        whom->who = info.group;
    for (int number = ids_next(1); number; number = ids_next(number + 1)) {
        process_ref process = ids_process(number);
        if (k42_call(process, info, &info) < 0 || info.pid != number)
            continue;
        if (whom->which == PRIO_USER || info.group == whom->who)
            for_each_of(whom, process);
        k42_safe_point();
    }
    return whom->result;
}
