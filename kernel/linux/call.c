/*
 * System calls: from a number to the function, and what becomes of its result.
 *
 * The table is made once from what LINUX_CALL listed, and not changed afterwards. A call costs some
 * 40 instructions here besides its function.
 */
#include "call.h"

#include "../arch/x86_64/user.h"
#include "../print.h"
#include "ptrace/tracee.h"
#include "seccomp/seccomp.h"
#include "task.h"

#include <errno.h>
#include <k42/k42.h>

extern const struct linux_call *const linux_calls_begin[], *const linux_calls_end[];

#define NO_CALL (~0ul) /* what a tracer puts in place of a number */

static linux_call_fn functions[LINUX_CALL_NUMBERS];
static bool missed[LINUX_CALL_NUMBERS]; /* said so already */

/* Once for each number, whatever the program. */
static k42_result missing(uint64_t number) {
    if (number < LINUX_CALL_NUMBERS &&
        !__atomic_exchange_n(&missed[number], true, __ATOMIC_RELAXED))
        print("linux: %s (%d) uses system call %lu (%s), which there is not", task_self()->name,
              task_self()->pid, number, linux_call_names[number] ?: "nameless");
    return -ENOSYS;
}

static k42_result call_missing(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e,
                               uint64_t f) {
    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    return missing(task_self()->frame->error);
}

void linux_calls_open(void) {
    for (unsigned i = 0; i < LINUX_CALL_NUMBERS; i++)
        functions[i] = call_missing;
    for (const struct linux_call *const *call = linux_calls_begin; call < linux_calls_end; call++) {
        if ((*call)->number >= LINUX_CALL_NUMBERS || functions[(*call)->number] != call_missing)
            panic("linux: system call %u (%s) stands in the table twice or not at all",
                  (*call)->number, (*call)->name);
        functions[(*call)->number] = (*call)->fn;
    }
}

/* Results outside Linux's range are the kernel's own: a dead object is a file that is none. Others,
 * -K42_WAIT above all, are a call's that forgot to wait. */
static k42_result translate(k42_result result) {
    if (result <= -LINUX_RESTART && result >= -LINUX_RESTART_BLOCK) {
        thread_interrupt(thread_self(), THREAD_INTERRUPTED);
        return result;
    }
    if (result == -K42_STALE)
        return -EBADF;
#ifdef K42_DEBUG
    panic("linux: system call %lu answers %s", task_self()->frame->error, k42_error_name(result));
#endif
    return -EIO;
}

linux_call_fn linux_call_of(unsigned number) {
    return functions[number];
}

static inline k42_result make_call(const struct trap_frame *frame, uint64_t number) {
    if (__builtin_expect(number < LINUX_CALL_NUMBERS, 1))
        return functions[number](frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8,
                                 frame->r9);
    return missing(number);
}

/* The program itself, a tracer and filters have their say; the tracer may have changed the call. */
__attribute__((noinline)) static k42_result make_guarded_call(struct task *task) {
    const struct trap_frame *frame = task->frame;
    k42_result result;
    if (task->dispatch.is_on && dispatch_takes(task, frame->error, &result))
        return result;
    bool made = tracing_call(task) && frame->error != NO_CALL;
    result = (k42_result)frame->rax;
    if (!made || ((task->strict || task->filters) && !seccomp_allows(task, frame->error, &result)))
        return result;
    return make_call(frame, frame->error);
}

void linux_system_call(struct trap_frame *frame) {
    uint64_t number = frame->error;
    struct task *task = task_self();
    task->frame = frame;
    k42_enter();
    k42_result result;
    if (__builtin_expect(!task->guarded, 1))
        result = make_call(frame, number);
    else
        result = make_guarded_call(task);
    k42_exit();
    if (__builtin_expect(result <= -4096 && result >= -4300, 0) && user_frame_is_call(frame))
        result = translate(result);
    frame->rax = (uint64_t)result;
}
