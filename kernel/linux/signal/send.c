/*
 * Sending signals: to a process, a thread, a group; from programs and from the kernel itself.
 *
 * Who may: somebody whose real or effective user is the receiver's real or saved one, whoever may
 * do everything, and for SIGCONT everybody of the session.
 */
#include "../../mem/heap/heap.h"
#include "../../trace/events.h"
#include "../abi.h"
#include "../core/core.h"
#include "../events/process_file.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../program.h"
#include "../ptrace/tracee.h"
#include "on_behalf.h"

#include <k42/k42.h>

struct signal_info signal_from_self(int signal, int code) {
    const struct task *task = task_self();
    return (struct signal_info){
        .signal = signal,
        .code = code,
        .sent = {.pid = task->pid, .uid = task->credentials->uid},
    };
}

static k42_result send_to(process_ref process, int tid, const struct signal_info *info) {
    k42_result result = k42_call(process, send, tid, info);
    K42_TRACE(event_signal, k42_id_of(process), (uint32_t)tid, (uint32_t)info->signal);
    return result == -K42_STALE ? -ESRCH : result;
}

k42_result signal_process(int pid, const struct signal_info *info) {
    return send_to(ids_process(pid), 0, info);
}

k42_result signal_thread(int tid, const struct signal_info *info) {
    return send_to(ids_process(tid), tid, info);
}

/* ---- who may ---- */

static bool is_same_user(const struct credentials *who, const struct credentials *whom) {
    return who->euid == whom->suid || who->euid == whom->uid || who->uid == whom->suid ||
           who->uid == whom->uid;
}

static k42_result may_send(process_ref process, int signal) {
    struct task *self = task_self();
    struct k42_pair found = k42_call(process, thread, 0, 1);
    if (found.result == -K42_STALE)
        return -ESRCH;
    if (signal < 0 || signal > SIGNALS)
        return -EINVAL; /* said after there is none to get it, as Linux does */
    if (found.result < 0 || k42_id_of(process) == k42_id_of(self->process))
        return 0; /* ended, and nobody has waited for it: it takes any signal, to no effect */
    const struct task *task = (const struct task *)found.word;
    if (task_capable(self, CAP_KILL) ||
        is_same_user(self->credentials, __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE)))
        return 0;
    struct process_info own, other;
    if (signal == SIGCONT && k42_call(self->process, info, &own) >= 0 &&
        k42_call(process, info, &other) >= 0 && own.session == other.session)
        return 0;
    return -EPERM;
}

static k42_result send_if_allowed(process_ref process, int tid, const struct signal_info *info,
                                  bool asked) {
    k42_result result = asked ? may_send(process, info->signal) : 0;
    return result < 0 ? result : send_to(process, tid, info);
}

k42_result signal_for(const struct credentials *who, process_ref process, int tid,
                      const struct signal_info *info) {
    struct k42_pair found = k42_call(process, thread, 0, 1);
    if (found.result < 0)
        return -ESRCH;
    const struct task *task = (const struct task *)found.word;
    if (who->euid && !is_same_user(who, __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE)))
        return -EPERM;
    return send_to(process, tid, info);
}

/* ---- groups, and everybody ---- */

/* What Linux answers: success when anybody got it, or the last refusal. Sent for somebody else, or
 * by the caller, of whom it is asked whether he may. */
static k42_result send_to_group(int number, const struct signal_info *info,
                                const struct credentials *who, bool asked) {
    struct group *group = ids_group(number);
    k42_id *members;
    if (!group)
        return -ESRCH;
    k42_result count = group_members(group, &members), result = -ESRCH;
    bool reached = false;
    for (k42_result i = 0; i < count; i++) {
        process_ref member = (process_ref)k42_id_ref(members[i]);
        k42_result sent =
            who ? signal_for(who, member, 0, info) : send_if_allowed(member, 0, info, asked);
        reached |= sent >= 0;
        result = sent;
    }
    if (count < 0)
        return count;
    heap_free(members);
    return reached ? 0 : result;
}

k42_result signal_group(int group, const struct signal_info *info) {
    return send_to_group(group, info, NULL, false);
}

k42_result signal_group_for(const struct credentials *who, int group,
                            const struct signal_info *info) {
    return send_to_group(group, info, who, false);
}

static k42_result send_to_all(const struct signal_info *info) {
    k42_result result = -ESRCH;
    for (int number = ids_next(2); number; number = ids_next(number + 1)) {
        process_ref process = ids_process(number);
        struct process_info who;
        if (k42_call(process, info, &who) < 0 || who.pid != number || who.pid == task_self()->pid)
            continue;
        k42_result sent = send_if_allowed(process, 0, info, true);
        if (sent != -EPERM)
            result = sent;
    }
    return result;
}

/* ---- to oneself ---- */

/* A tracer decides: so the signal comes, in whatever way it was to be kept off. */
static void force_traced(struct task *task, const struct signal_info *info,
                         const struct signal_action *action, uint64_t bit) {
    const struct signal_action none = {0};
    k42_result result = 0;
    if (action->handler == 1 || (task->blocked & bit))
        result = k42_call(task->process, act, info->signal, &none, NULL);
    if (result >= 0 && (task->blocked & bit))
        result = k42_call(task->process, block, task, task->blocked & ~bit);
    if (result < 0 || k42_call(task->process, send, task->tid, info) < 0)
        process_exit(info->signal);
}

void signal_force(const struct signal_info *info) {
    struct task *task = task_self();
    struct signal_action action;
    k42_result result = k42_call(task->process, act, info->signal, NULL, &action);
    uint64_t bit = signal_bit(info->signal);
    if (result >= 0 && tracee_of(task)) {
        force_traced(task, info, &action, bit);
        return;
    }
    if (result < 0 || action.handler <= 1 || (task->blocked & bit))
        core_exit(info);
    if (k42_call(task->process, send, task->tid, info) < 0)
        process_exit(info->signal);
}

/* ---- calls ---- */

LINUX_CALL(62, kill, int pid, int signal) {
    struct signal_info info = signal_from_self(signal, SI_USER);
    if (pid > 0)
        return send_if_allowed(ids_process(pid), 0, &info, true);
    if (pid == -1)
        return send_to_all(&info);
    if (pid == INT32_MIN)
        return -ESRCH;
    struct process_info own;
    k42_result result = pid ? 0 : k42_call(task_self()->process, info, &own);
    return result < 0 ? result : send_to_group(pid ? -pid : own.group, &info, NULL, true);
}

static k42_result send_to_thread(int pid, int tid, const struct signal_info *info) {
    process_ref process = ids_process(tid);
    struct process_info who;
    if (tid <= 0)
        return -EINVAL;
    k42_result result = k42_call(process, info, &who);
    if (result < 0 || (pid && who.pid != pid))
        return -ESRCH;
    return send_if_allowed(process, tid, info, true);
}

LINUX_CALL(200, tkill, int tid, int signal) {
    struct signal_info info = signal_from_self(signal, SI_TKILL);
    return send_to_thread(0, tid, &info);
}

LINUX_CALL(234, tgkill, int pid, int tid, int signal) {
    struct signal_info info = signal_from_self(signal, SI_TKILL);
    return pid <= 0 ? -EINVAL : send_to_thread(pid, tid, &info);
}

/* A program may say what it likes, but not that the kernel or kill() says it. */
static k42_result read_info(struct signal_info *info, uintptr_t from, int signal, int pid) {
    k42_result result = program_read(info, from, sizeof *info);
    if (result < 0)
        return result;
    info->signal = signal;
    bool foreign = pid != task_self()->pid;
    return foreign && (info->code >= 0 || info->code == SI_TKILL) ? -EPERM : 0;
}

LINUX_CALL(129, rt_sigqueueinfo, int pid, int signal, uintptr_t from) {
    struct signal_info info;
    k42_result result = read_info(&info, from, signal, pid);
    return result < 0 ? result : send_if_allowed(ids_process(pid), 0, &info, true);
}

LINUX_CALL(297, rt_tgsigqueueinfo, int pid, int tid, int signal, uintptr_t from) {
    struct signal_info info;
    k42_result result = read_info(&info, from, signal, pid);
    if (result != -EFAULT && (pid <= 0 || tid <= 0))
        return -EINVAL;
    return result < 0 ? result : send_to_thread(pid, tid, &info);
}

LINUX_CALL(424, pidfd_send_signal, int fd, int signal, uintptr_t from, unsigned flags) {
    struct signal_info info = signal_from_self(signal, SI_USER);
    struct process_info whom;
    process_ref process;
    if (flags)
        return -EINVAL;
    k42_result result = process_file_target(fd, &process, &whom);
    if (result == -EBADF)
        return result;
    int32_t said = signal;
    k42_result read = from ? program_read(&said, from, sizeof said) : 0;
    if (read >= 0 && said != signal)
        return -EINVAL;
    if (read >= 0 && from)
        read = read_info(&info, from, signal, result < 0 ? 0 : whom.pid);
    if (read < 0)
        return read;
    if (signal < 0 || signal > SIGNALS)
        return -EINVAL;
    if (result >= 0 && from) /* what was read may have been waited for */
        result = process_file_target(fd, &process, &whom);
    return result < 0 ? result : send_if_allowed(process, 0, &info, true);
}
