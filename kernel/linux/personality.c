/*
 * Where programs meet the kernel: calls, page faults, exceptions, and what is done before a program
 * goes on.
 *
 * All run in the program's own thread. A program that is to go on with something to do (a signal, a
 * stop, its end) comes to linux_work(), which is repeated until nothing is left.
 */
#include "../copy.h"
#include "../sched/wait.h"
#include "abi.h"
#include "call.h"
#include "core/core.h"
#include "ports.h"
#include "process/lives.h"
#include "program.h"
#include "ptrace/tracee.h"
#include "restartable.h"
#include "signal/deliver.h"
#include "task.h"

#include <k42/k42.h>

const struct personality linux_personality = {
    .system_call = linux_system_call,
    .fault = linux_fault,
    .trap = linux_trap,
    .work = linux_work,
};

const struct personality linux_sequence_personality = {
    .system_call = linux_system_call,
    .fault = linux_fault,
    .trap = linux_trap,
    .work = linux_work,
    .minds_switches = true,
};

struct task *task_self(void) {
    return thread_task();
}

/* ---- pages ---- */

static unsigned access_of(uint64_t error) {
    unsigned hint = error & FAULT_PRESENT ? 0 : SPACE_ACCESS_ABSENT;
    if (error & FAULT_EXECUTE)
        return SPACE_ACCESS_EXECUTE | hint;
    return (error & FAULT_WRITE ? SPACE_ACCESS_WRITE : SPACE_ACCESS_READ) | hint;
}

/* Inside a method nothing is waited for; the copy ends there and its caller waits. */
static k42_result fault_in_copy(uintptr_t address, bool write) {
    return k42_call(task_self()->space, fault, address,
                    write ? SPACE_ACCESS_WRITE : SPACE_ACCESS_READ);
}

/*
 * A program's page is waited for; a signal that comes meanwhile is dealt with first and the access
 * made again. So is one that a call needs which is not inside a method: there only its end ends it.
 */
int linux_fault(struct trap_frame *frame, uintptr_t address) {
    struct task *task = task_self();
    unsigned access = access_of(frame->error);
    k42_result result;
    __atomic_store_n(&task->faults, task->faults + 1, __ATOMIC_RELAXED);
    if (!trap_from_user(frame)) {
        if (copy_under_way())
            return fault_in_copy(address, frame->error & FAULT_WRITE) < 0 ? -EFAULT : 0;
        result = program_fault(address, access);
        return result < 0 ? -EFAULT : 0;
    }
    task->frame = frame;
    k42_enter();
    WAIT_CALL(result, WAIT_FOREVER, 0,
              k42_call(task->space, fault, address, access | SPACE_ACCESS_PROGRAM));
    k42_exit();
    if (result == -ENOMEM && (out_of_memory_wait() || (thread_interrupts() & THREAD_KILLED)))
        return 0;
    return result == -EINTR ? 0 : (int)result;
}

/* ---- exceptions ---- */

struct cause {
    uint8_t signal;
    int16_t code;
};

/* By vector, as Linux gives them. */
static const struct cause causes[32] = {
    [0] = {SIGFPE, FPE_INTDIV},  [1] = {SIGTRAP, TRAP_TRACE}, [3] = {SIGTRAP, SI_KERNEL},
    [4] = {SIGSEGV, SI_KERNEL},  [5] = {SIGSEGV, SI_KERNEL},  [6] = {SIGILL, ILL_ILLOPN},
    [11] = {SIGBUS, SI_KERNEL},  [12] = {SIGBUS, SI_KERNEL},  [13] = {SIGSEGV, SI_KERNEL},
    [16] = {SIGFPE, FPE_FLTINV}, [17] = {SIGBUS, BUS_ADRALN}, [19] = {SIGFPE, FPE_FLTINV},
};

static struct signal_info page_cause(uintptr_t address, int reason) {
    struct signal_info info = {.signal = SIGSEGV, .code = SEGV_MAPERR, .fault = {address}};
    if (reason == -EACCES)
        info.code = SEGV_ACCERR;
    if (reason == -ENXIO || reason == -EIO) {
        info.signal = SIGBUS;
        info.code = BUS_ADRERR;
    }
    if (address >= USER_END)
        info.code = SEGV_MAPERR;
    if (reason == -ENOMEM)
        info = (struct signal_info){.signal = SIGKILL, .code = SI_KERNEL};
    return info;
}

#define WATCHED 0xful
#define STEPPED 0x4000ul
#define RESUME  0x10000ul /* in the flags: what stops at this instruction does so once */

static void watched(struct task *task, struct signal_info *info) {
    tracing_watched(task, task->trap_error);
    if (!(task->trap_error & WATCHED))
        return;
    if (!(task->trap_error & STEPPED))
        info->code = TRAP_HWBKPT;
    task->frame->rflags |= RESUME;
}

void linux_trap(struct trap_frame *frame, uintptr_t address, int reason) {
    struct signal_info info = {.signal = SIGSEGV, .code = SI_KERNEL};
    struct task *task = task_self();
    task->frame = frame;
    if (ports_skip(task, frame))
        return;
    task->trap_vector = (uint32_t)frame->vector;
    task->trap_error = frame->error;
    task->trap_address = address;
    if (frame->vector == VECTOR_PAGE_FAULT) {
        info = page_cause(address, reason);
    } else if (frame->vector < 32 && causes[frame->vector].signal) {
        struct cause cause = causes[frame->vector];
        info.signal = cause.signal;
        info.code = cause.code;
        if (info.code != SI_KERNEL)
            info.fault.address = frame->rip;
    }
    k42_enter();
    if (frame->vector == VECTOR_DEBUG)
        watched(task, &info);
    signal_force(&info);
    k42_exit();
}

/* ---- on the way out ---- */

/* The bits are cleared before the queues are looked at: see process/signals.c. Who was killed goes
 * before his memory is touched: its bit is cleared, and would not end the wait for a page, which
 * may be one for the memory that he was killed for. A sequence that was disturbed comes next, as
 * often as the scheduler says, and then perhaps nothing else. */
void linux_work(struct trap_frame *frame) {
    enum { INTERRUPTS = THREAD_INTERRUPTED | THREAD_KILLED | THREAD_WORK };
    uint32_t bits = thread_take_interrupts(INTERRUPTS | USER_SWITCHED);
    struct task *task = task_self();
    task->frame = frame;
    k42_enter();
    if (bits & THREAD_KILLED) {
        core_note(task);
        task_exit();
    }
    if (bits & USER_SWITCHED)
        restartable_disturbed(task);
    if (!(bits & INTERRUPTS)) {
        k42_exit();
        return;
    }
    if (bits & THREAD_WORK)
        limits_keep(task, true);
    if (task->call_stops)
        tracing_return(task);
    signals_deliver(task);
    if (task->steps)
        tracing_step(task);
    k42_exit();
}

void personality_open(void) {
    copy_fault = fault_in_copy;
}
