/*
 * Delivering signals, and what becomes of the call that one interrupted.
 *
 * A call that ended with one of LINUX_RESTART* left its result in rax. If a handler runs, it gets
 * -EINTR or, where the handler wants that, is made again after it; if none does, it is made again
 * at once. To make it again is to go back over the two bytes of `syscall`, with its number in rax.
 */
#include "deliver.h"

#include "../../sched/wait.h"
#include "../abi.h"
#include "../call.h"
#include "../core/core.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../ptrace/tracee.h"
#include "../restartable.h"
#include "../task.h"

#include <k42/k42.h>

/* ---- the interrupted call ---- */

static bool is_interrupted_call(const struct trap_frame *frame) {
    int64_t result = (int64_t)frame->rax;
    return user_frame_is_call(frame) && result <= -LINUX_RESTART && result >= -LINUX_RESTART_BLOCK;
}

static void make_again(struct trap_frame *frame, uint64_t number) {
    frame->rax = number;
    frame->rip -= 2;
    user_frame_harmless(frame);
}

static void settle_for_handler(struct trap_frame *frame, const struct signal_action *action) {
    if (!is_interrupted_call(frame))
        return;
    int64_t result = (int64_t)frame->rax;
    bool again = result == -LINUX_RESTART_ALWAYS ||
                 (result == -LINUX_RESTART && (action->flags & SA_RESTART));
    if (again)
        make_again(frame, frame->error);
    else
        frame->rax = (uint64_t)-EINTR;
}

static void settle_without_handler(struct trap_frame *frame) {
    if (!is_interrupted_call(frame))
        return;
    bool block = (int64_t)frame->rax == -LINUX_RESTART_BLOCK;
    make_again(frame, block ? 219 /* restart_syscall */ : frame->error);
}

LINUX_CALL(219, restart_syscall, void) {
    struct task *task = task_self();
    return task->restart ? task->restart(task) : -EINTR;
}

/* ---- masks ---- */

static void block(struct task *task, uint64_t mask) {
    k42_result result = k42_call(task->process, block, task, mask);
    (void)result;
}

void signal_mask_for_call(uint64_t mask) {
    struct task *task = task_self();
    task->blocked_after_call = task->blocked;
    task->restores_mask = true;
    block(task, mask);
}

void signal_mask_restore(void) {
    struct task *task = task_self();
    if (!task->restores_mask)
        return;
    task->restores_mask = false;
    block(task, task->blocked_after_call);
}

bool signal_is_pending(void) {
    return thread_interrupts() & (THREAD_INTERRUPTED | THREAD_KILLED);
}

/* ---- handlers ---- */

/* The mask that the handler's return brings back is that from before the call. */
static void enter_handler(struct task *task, const struct signal_taken *taken) {
    uint64_t before = task->restores_mask ? task->blocked_after_call : task->blocked;
    settle_for_handler(task->frame, &taken->action);
    restartable_disturbed(task);
    if (signal_frame_put(task, taken, before) < 0) {
        struct signal_info fault = signal_from_kernel(SIGSEGV);
        if (taken->info.signal == SIGSEGV)
            process_exit(SIGSEGV);
        signal_force(&fault);
        return;
    }
    task->restores_mask = false;
    uint64_t more = taken->action.mask;
    if (!(taken->action.flags & SA_NODEFER))
        more |= signal_bit(taken->info.signal);
    block(task, task->blocked | more);
    if (task->steps)
        tracing_handler(task);
}

/* ---- without a handler ---- */

static bool group_cannot_stop(struct task *task);

/* One that is traced stops for its tracer, and goes on when that says so. */
static void stay_stopped(struct task *task) {
    k42_result result;
    do {
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(task->process, stop, task, 0));
        if (result == -EINTR)
            task_exit();
        if (result > 0)
            tracing_group(task, (int)result);
    } while (result > 0);
}

static void do_default(struct task *task, const struct signal_info *info) {
    int signal = info->signal;
    uint64_t bit = signal_bit(signal);
    bool first = task->pid == 1 && signal != SIGKILL; /* it was blocked, or had a handler */
    if (first || (bit & SIGNALS_IGNORED))
        return;
    if (!(bit & SIGNALS_STOP))
        core_exit(info);
    if (signal != SIGSTOP && group_cannot_stop(task))
        return;
    k42_result result = k42_call(task->process, stop, task, signal);
    if (result > 0)
        tracing_group(task, (int)result);
    else if (result == -K42_WAIT)
        stay_stopped(task);
}

/* Nobody could continue it: then terminals stop nobody. */
static bool group_cannot_stop(struct task *task) {
    struct process_info info;
    if (k42_call(task->process, info, &info) < 0)
        return true;
    struct group *group = ids_group(info.group);
    return !group || group_is_orphaned(group, 0);
}

/* ---- all of it ---- */

/* One handler at a time: the next signal is delivered on top of it, on the next round. */
static bool deliver_one(struct task *task) {
    struct signal_taken taken;
    k42_result signal = signal_take(task, ~task->blocked, true, &taken);
    if (signal <= 0)
        return false;
    signal = tracing_signal(task, &taken);
    if (!signal)
        return true;
    if (taken.action.handler > 1) {
        enter_handler(task, &taken);
        return true;
    }
    do_default(task, &taken.info);
    return true;
}

void signals_deliver(struct task *task) {
    stay_stopped(task);
    while (deliver_one(task))
        stay_stopped(task);
    settle_without_handler(task->frame);
    signal_mask_restore();
}
