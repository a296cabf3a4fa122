/*
 * wait4() and waitid(): which children, what is told of them.
 */
#include "../../sched/wait.h"
#include "../abi.h"
#include "../events/process_file.h"
#include "../program.h"
#include "../ptrace/tracee.h"
#include "account.h"
#include "lives.h"

#include <k42/k42.h>

#define WAIT_KINDS (__WNOTHREAD | __WCLONE | __WALL)

/* 0: WNOHANG, and nothing has happened. */
static k42_result wait_for(struct child_choice *choice, int options, struct child *child) {
    struct task *task = task_self();
    k42_result result;
    choice->kinds = options & WAIT_KINDS;
    choice->thread = task->tid;
    choice->keep = options & WNOWAIT;
    if (options & WNOHANG) {
        result = k42_call(task->process, wait, choice, child);
        return result == -K42_WAIT ? 0 : result;
    }
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(task->process, wait, choice, child));
    if (result != -EINTR)
        return result;
    /* What sent the signal may be what is waited for, or the end of the last there was. */
    result = k42_call(task->process, wait, choice, child);
    return result == -K42_WAIT ? -LINUX_RESTART : result;
}

/* What has been told cannot be taken back; who gives a bad address has lost it, as on Linux. */
static k42_result finish(const struct child *child, const struct child_choice *choice,
                         uintptr_t usage) {
    if (child->state == CHILD_ENDED && choice->keep)
        process_tell_known(child); /* who ends may not have come to that yet */
    else if (child->state == CHILD_ENDED)
        process_reap(child);
    else if (!choice->keep)
        tracee_reap(child);
    return usage ? account_write(usage, &child->times) : 0;
}

static k42_result own_group(void) {
    struct process_info info;
    k42_result result = k42_call(task_self()->process, info, &info);
    return result < 0 ? result : info.group;
}

LINUX_CALL(61, wait4, int pid, uintptr_t status, int options, uintptr_t usage) {
    struct child_choice choice = {.states = 1u << CHILD_ENDED};
    struct child child;
    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WAIT_KINDS))
        return -EINVAL;
    if (pid == INT32_MIN)
        return -ESRCH;
    if (pid > 0)
        choice.pid = pid;
    else if (pid < -1)
        choice.group = -pid;
    else if (pid == 0)
        choice.group = (int32_t)own_group();
    choice.states |= options & WUNTRACED ? 1u << CHILD_STOPPED : 0;
    choice.states |= options & WCONTINUED ? 1u << CHILD_CONTINUED : 0;
    k42_result found = wait_for(&choice, options, &child);
    if (found <= 0)
        return found;
    k42_result result = finish(&child, &choice, usage);
    if (result >= 0 && status)
        result = program_write(status, &child.status, sizeof child.status);
    return result < 0 ? result : found;
}

static k42_result choose(struct child_choice *choice, int kind, int id) {
    switch (kind) {
    case P_ALL:
        return 0;
    case P_PID:
        choice->pid = id;
        return id > 0 ? 0 : -EINVAL;
    case P_PIDFD: {
        struct process_info info;
        process_ref process;
        k42_result result = id < 0 ? -EINVAL : process_file_get(id, &process, &info);
        choice->pid = result < 0 ? 0 : info.pid;
        return result == -ESRCH ? -ECHILD : result;
    }
    case P_PGID:
        choice->group = id ? id : (int32_t)own_group();
        return id >= 0 ? 0 : -EINVAL;
    default:
        return -EINVAL;
    }
}

/* Linux writes these members alone, whatever else is there; zeros where no child was found. */
static k42_result tell(uintptr_t to, const struct child *child, bool found) {
    struct signal_info info = {0};
    if (found) {
        info = child_signal_info(child);
        info.signal = SIGCHLD;
    }
    k42_result result = program_write(to, &info.signal, 3 * sizeof(int32_t));
    return result < 0 ? result : program_write(to + 16, &info.child, 3 * sizeof(int32_t));
}

static k42_result wait_by(int kind, int id, int options, struct child_choice *choice,
                          struct child *child) {
    if ((options & ~(WNOHANG | WEXITED | WSTOPPED | WCONTINUED | WNOWAIT | WAIT_KINDS)) ||
        !(options & (WEXITED | WSTOPPED | WCONTINUED)))
        return -EINVAL;
    choice->states |= options & WEXITED ? 1u << CHILD_ENDED : 0;
    choice->states |= options & WSTOPPED ? 1u << CHILD_STOPPED : 0;
    choice->states |= options & WCONTINUED ? 1u << CHILD_CONTINUED : 0;
    k42_result found = choose(choice, kind, id);
    bool at_once = found >= 0 && kind == P_PIDFD && (process_file_flags(id) & O_NONBLOCK);
    if (found >= 0)
        found = wait_for(choice, at_once ? options | WNOHANG : options, child);
    return !found && at_once && !(options & WNOHANG) ? -EAGAIN : found;
}

LINUX_CALL(247, waitid, int kind, int id, uintptr_t to, int options, uintptr_t usage) {
    struct child_choice choice = {.states = 0};
    struct child child;
    k42_result found = wait_by(kind, id, options, &choice, &child);
    k42_result result = found > 0 ? finish(&child, &choice, usage) : 0;
    if (result >= 0 && to)
        result = tell(to, &child, found > 0);
    return result < 0 ? result : found < 0 ? found : result;
}
