/*
 * What becomes of a call that filters answer. See seccomp.h.
 *
 * All filters are asked, and the answer that leaves least is taken, as on Linux; of several that
 * leave the same, the newest's.
 */
#include "../../arch/x86_64/user.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../process/lives.h"
#include "../ptrace/tracee.h"
#include "filters.h"

#include <k42/k42.h>
#include <linux/audit.h>

enum { ERRNO_MOST = 4095 };

/* What is asked, what the answer is, and whose; NULL: none has anything against it. */
struct verdict {
    struct seccomp_data data;
    uint32_t answer;
    const struct call_filter *filter;
};

static struct verdict answer_of(const struct task *task, uint64_t number) {
    const struct trap_frame *frame = task->frame;
    struct verdict verdict = {.answer = SECCOMP_RET_ALLOW};
    verdict.data = (struct seccomp_data){
        .nr = (int)number,
        .arch = AUDIT_ARCH_X86_64,
        .instruction_pointer = frame->rip,
        .args = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9},
    };
    const struct call_filter *at = __atomic_load_n(&task->filters, __ATOMIC_ACQUIRE);
    for (; at; at = at->before) {
        uint32_t one = filter_run(at->program, &verdict.data);
        if ((int32_t)(one & SECCOMP_RET_ACTION_FULL) <
            (int32_t)(verdict.answer & SECCOMP_RET_ACTION_FULL)) {
            verdict.answer = one;
            verdict.filter = at;
        }
    }
    return verdict;
}

/* The handler sees the call's number where its result would be, and may put one there. */
k42_result seccomp_trap(const struct task *task, uint64_t number, int code, uint32_t data) {
    struct signal_info info = {.signal = SIGSYS, .error = (int32_t)data, .code = code};
    info.words[0] = task->frame->rip;
    info.words[1] = (uint32_t)number | (uint64_t)AUDIT_ARCH_X86_64 << 32;
    signal_force(&info);
    return (uint32_t)number; /* of whatever size: no result of the kernel's own */
}

static bool is_strictly_allowed(uint64_t number) {
    enum { READ = 0, WRITE = 1, SIGNAL_RETURN = 15, EXIT = 60 };
    return number == READ || number == WRITE || number == SIGNAL_RETURN || number == EXIT;
}

static _Noreturn void end_thread(struct task *task, int status) {
    task->exit_status = status;
    task_exit();
}

static bool obey(struct task *task, const struct verdict *verdict, k42_result *result);

/* The tracer may have made another call of it, which filters have to say something about, too; or
 * left it out, with a result. */
static bool ask_tracer(struct task *task, uint32_t data, k42_result *result) {
    const struct trap_frame *frame = task->frame;
    *result = -ENOSYS;
    if (!tracing_has(task, PTRACE_O_TRACESECCOMP))
        return false;
    tracing_event(task, PTRACE_EVENT_SECCOMP, data);
    *result = (k42_result)frame->rax;
    if ((int32_t)frame->error < 0 || (thread_interrupts() & THREAD_KILLED))
        return false;
    struct verdict verdict = answer_of(task, frame->error);
    return (verdict.answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE ||
           obey(task, &verdict, result);
}

bool seccomp_allows(struct task *task, uint64_t number, k42_result *result) {
    if (task->strict) {
        if (is_strictly_allowed(number))
            return true;
        end_thread(task, SIGKILL);
    }
    struct verdict verdict = answer_of(task, number);
    return obey(task, &verdict, result);
}

/* Ends are written down in any case; what is refused, where the filter wants that. */
static void record(const struct task *task, const struct verdict *verdict) {
    uint32_t action = verdict->answer & SECCOMP_RET_ACTION_FULL;
    bool ends = action == SECCOMP_RET_KILL_THREAD || action == SECCOMP_RET_KILL_PROCESS;
    if (ends || action == SECCOMP_RET_LOG || verdict->filter->logs)
        seccomp_record(task, &verdict->data, action, ends ? SIGSYS : 0);
}

static bool obey(struct task *task, const struct verdict *verdict, k42_result *result) {
    uint32_t data = verdict->answer & SECCOMP_RET_DATA;
    if (!verdict->filter)
        return true;
    record(task, verdict);
    switch (verdict->answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_ERRNO:
        *result = -(k42_result)(data < ERRNO_MOST ? data : ERRNO_MOST);
        return false;
    case SECCOMP_RET_TRAP:
        *result = seccomp_trap(task, (uint32_t)verdict->data.nr, SYS_SECCOMP, data);
        return false;
    case SECCOMP_RET_TRACE:
        return ask_tracer(task, data, result);
    case SECCOMP_RET_USER_NOTIF:
        *result = -ENOSYS; /* nobody is there to be asked */
        return verdict->filter->listener &&
               listener_allows(verdict->filter->listener, &verdict->data, result);
    case SECCOMP_RET_KILL_THREAD:
        end_thread(task, SIGSYS);
    default:
        process_exit(SIGSYS);
    }
}
