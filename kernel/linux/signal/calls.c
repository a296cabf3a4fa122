/*
 * What programs say about signals: actions, masks, waiting for some.
 */
#include "../../sched/wait.h"
#include "../abi.h"
#include "../program.h"
#include "../task.h"

#include <k42/k42.h>

#define SET_SIZE sizeof(uint64_t)

#define SIGNAL_FLAGS                                                                               \
    (SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER |             \
     SA_RESETHAND | SA_RESTORER)

LINUX_CALL(13, rt_sigaction, int signal, uintptr_t wanted, uintptr_t present, size_t size) {
    struct signal_action action = {0}, before;
    k42_result result = size == SET_SIZE ? 0 : -EINVAL;
    if (result >= 0 && wanted)
        result = program_read(&action, wanted, sizeof action);
    action.flags &= SIGNAL_FLAGS; /* so that a program sees which there are */
    if (result >= 0)
        result = k42_call(task_self()->process, act, signal, wanted ? &action : NULL, &before);
    if (result >= 0 && present)
        result = program_write(present, &before, sizeof before);
    return result;
}

LINUX_CALL(14, rt_sigprocmask, int how, uintptr_t wanted, uintptr_t present, size_t size) {
    struct task *task = task_self();
    uint64_t before = task->blocked, set = 0;
    k42_result result = size == SET_SIZE ? 0 : -EINVAL;
    if (result >= 0 && wanted)
        result = program_read(&set, wanted, sizeof set);
    if (result < 0)
        return result;
    if (wanted && how == SIG_BLOCK)
        set = before | set;
    else if (wanted && how == SIG_UNBLOCK)
        set = before & ~set;
    else if (wanted && how != SIG_SETMASK)
        return -EINVAL;
    if (wanted)
        result = k42_call(task->process, block, task, set);
    if (result >= 0 && present)
        result = program_write(present, &before, sizeof before);
    return result;
}

LINUX_CALL(127, rt_sigpending, uintptr_t to, size_t size) {
    struct task *task = task_self();
    if (size > SET_SIZE)
        return -EINVAL;
    struct k42_pair pending = k42_call(task->process, pending, task);
    uint64_t set = pending.word & task->blocked;
    return pending.result < 0 ? pending.result : program_write(to, &set, size);
}

/* Sleeps until a signal is to be delivered. */
static k42_result sleep_until_signal(void) {
    struct wait_set set;
    wait_set_open(&set);
    k42_result result;
    do
        result = wait_sleep(&set, WAIT_FOREVER, 0);
    while (result >= 0);
    return -LINUX_RESTART_NO_HANDLER;
}

LINUX_CALL(34, pause, void) {
    return sleep_until_signal();
}

LINUX_CALL(130, rt_sigsuspend, uintptr_t from, size_t size) {
    uint64_t mask;
    k42_result result = size == SET_SIZE ? program_read(&mask, from, sizeof mask) : -EINVAL;
    if (result < 0)
        return result;
    signal_mask_for_call(mask);
    return sleep_until_signal();
}

static k42_result take(struct task *task, uint64_t set, struct signal_taken *taken) {
    k42_result result = signal_take(task, set, false, taken);
    return result ? result : wait_on(k42_id_of(task->process), PROCESS_SIGNALS, WAIT_READ);
}

/*
 * While it waits, the thread says which blocked signals it takes, so that one of them is given to
 * it and not dropped because nobody handles it.
 */
static k42_result wait_for_signal(struct task *task, uint64_t set, uint64_t deadline,
                                  struct signal_taken *taken) {
    k42_result result;
    __atomic_store_n(&task->waits_for, set & task->blocked, __ATOMIC_SEQ_CST);
    WAIT_CALL(result, deadline, 0, take(task, set, taken));
    __atomic_store_n(&task->waits_for, 0, __ATOMIC_SEQ_CST);
    if (result == -EINTR) { /* perhaps by one of those, in the last moment */
        k42_result last = signal_take(task, set, false, taken);
        return last > 0 ? last : -EINTR;
    }
    return result == -ETIMEDOUT ? -EAGAIN : result;
}

LINUX_CALL(128, rt_sigtimedwait, uintptr_t from, uintptr_t info, uintptr_t timeout, size_t size) {
    struct signal_taken taken;
    uint64_t set, deadline = WAIT_FOREVER;
    struct {
        int64_t seconds, nanoseconds;
    } limit;
    k42_result result = size == SET_SIZE ? program_read(&set, from, sizeof set) : -EINVAL;
    if (result >= 0 && timeout)
        result = program_read(&limit, timeout, sizeof limit);
    if (result < 0)
        return result;
    if (timeout && (limit.seconds < 0 || limit.nanoseconds < 0 || limit.nanoseconds > 999999999))
        return -EINVAL;
    if (timeout && limit.seconds < INT64_MAX / 2000000000)
        deadline = time_ns() + (uint64_t)limit.seconds * 1000000000 + (uint64_t)limit.nanoseconds;
    result = wait_for_signal(task_self(), set & ~SIGNALS_UNBLOCKABLE, deadline, &taken);
    if (result <= 0 || !info)
        return result;
    uint8_t whole[128] = {0};
    __builtin_memcpy(whole, &taken.info, sizeof taken.info);
    k42_result written = program_write(info, whole, sizeof whole);
    return written < 0 ? written : result;
}
