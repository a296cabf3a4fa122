/*
 * Calls that a program wants to see itself: prctl(PR_SET_SYSCALL_USER_DISPATCH).
 *
 * A task names a range of its code from which calls are made as ever; from elsewhere they become
 * SIGSYS, unless a byte of its memory says that they may be made at present. Emulators of other
 * systems switch so between the two by a store. It ends with exec(), and children have it not.
 *
 * Each task's own, read and written by its thread alone.
 */
#include "../../arch/x86_64/user.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../process/lives.h"
#include "../program.h"
#include "filters.h"

#include <linux/audit.h>
#include <linux/prctl.h>

enum { OF_THE_PROGRAM = 2 }; /* SYS_USER_DISPATCH */

k42_result dispatch_set(uint64_t mode, uint64_t start, uint64_t length, uintptr_t selector) {
    struct call_dispatch *dispatch = &task_self()->dispatch;
    if (mode == PR_SYS_DISPATCH_OFF) {
        if (start || length || selector)
            return -EINVAL;
        *dispatch = (struct call_dispatch){0};
    } else if (mode != PR_SYS_DISPATCH_ON || (start && start + length <= start)) {
        return -EINVAL;
    } else if (selector >= USER_END) {
        return -EFAULT;
    } else {
        *dispatch = (struct call_dispatch){start, length, selector, true};
    }
    seccomp_guard(task_self(), task_self()->stops_at_calls);
    return 0;
}

/* What the byte says: PR_SYS_DISPATCH_ON without one. Does not return where it cannot be read, or
 * says nothing that is known. */
static bool is_blocked(const struct call_dispatch *dispatch) {
    uint8_t state = SYSCALL_DISPATCH_FILTER_BLOCK;
    if (dispatch->selector && program_read(&state, dispatch->selector, sizeof state) < 0)
        process_exit(SIGSEGV);
    if (state != SYSCALL_DISPATCH_FILTER_ALLOW && state != SYSCALL_DISPATCH_FILTER_BLOCK)
        process_exit(SIGSYS);
    return state == SYSCALL_DISPATCH_FILTER_BLOCK;
}

bool dispatch_takes(const struct task *task, uint64_t number, k42_result *result) {
    const struct call_dispatch *dispatch = &task->dispatch;
    if (task->frame->rip - dispatch->start < dispatch->length || !is_blocked(dispatch))
        return false;
    *result = seccomp_trap(task, number, OF_THE_PROGRAM, 0);
    return true;
}
