/*
 * Process groups and sessions, and who one is: the calls.
 */
#include "../abi.h"
#include "ids.h"
#include "lives.h"

#include <k42/k42.h>

LINUX_CALL(39, getpid, void) {
    return task_self()->pid;
}

LINUX_CALL(186, gettid, void) {
    return task_self()->tid;
}

LINUX_CALL(110, getppid, void) {
    struct process_info info;
    k42_result result = k42_call(task_self()->process, info, &info);
    return result < 0 ? result : info.parent;
}

/* The process of a number, or the caller's for 0. Errors: -ESRCH. */
static k42_result find(int pid, process_ref *process, struct process_info *info) {
    *process = pid ? ids_process(pid) : task_self()->process;
    k42_result result = pid < 0 ? -ESRCH : k42_call(*process, info, info);
    return result < 0 || (pid && info->pid != pid) ? -ESRCH : 0;
}

LINUX_CALL(121, getpgid, int pid) {
    process_ref process;
    struct process_info info;
    k42_result result = find(pid, &process, &info);
    return result < 0 ? result : info.group;
}

LINUX_CALL(111, getpgrp, void) {
    process_ref process;
    struct process_info info;
    k42_result result = find(0, &process, &info);
    return result < 0 ? result : info.group;
}

LINUX_CALL(124, getsid, int pid) {
    process_ref process;
    struct process_info info;
    k42_result result = find(pid, &process, &info);
    return result < 0 ? result : info.session;
}

/* Itself, or a child of the same session that has not called execve(). */
static k42_result may_move(const struct process_info *who, const struct process_info *self) {
    if (who->pid != self->pid) {
        if (who->parent != self->pid)
            return -ESRCH;
        if (who->session != self->session)
            return -EPERM;
        if (who->executed)
            return -EACCES;
    }
    return who->session == who->pid ? -EPERM : 0;
}

/* In the new group before it leaves the old one, so it is in one at any time. */
LINUX_CALL(109, setpgid, int pid, int number) {
    process_ref process;
    struct process_info who, self;
    if (number < 0 || (!number && pid < 0))
        return -EINVAL;
    k42_result result = k42_call(task_self()->process, info, &self);
    if (result >= 0)
        result = find(pid, &process, &who);
    if (result >= 0)
        result = may_move(&who, &self);
    if (result < 0)
        return result;
    number = number ? number : who.pid;
    if (number == who.group)
        return 0;
    result = group_join(number, ids_session(who.session), process);
    if (result >= 0)
        result = k42_call(process, regroup, number, 0);
    if (result >= 0)
        group_leave(who.group, process);
    if (result == -EALREADY) { /* its parent or itself has done the same at the same time */
        group_leave(number, process);
        return 0;
    }
    return result;
}

LINUX_CALL(112, setsid, void) {
    process_ref process;
    struct process_info self;
    k42_result result = find(0, &process, &self);
    if (result < 0)
        return result;
    if (self.group == self.pid || ids_group(self.pid))
        return -EPERM;
    result = group_join(self.pid, NULL, process);
    if (result >= 0)
        result = k42_call(process, regroup, self.pid, self.pid);
    if (result < 0)
        return result;
    group_leave(self.group, process);
    return self.pid;
}

LINUX_CALL(218, set_tid_address, uintptr_t address) {
    struct task *task = task_self();
    task->clear_tid = address;
    return task->tid;
}
