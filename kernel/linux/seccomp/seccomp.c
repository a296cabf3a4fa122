/*
 * The calls of seccomp, and what becomes of a call that filters answer. See seccomp.h.
 *
 * All filters are asked, and the answer that leaves least is taken, as on Linux.
 */
#include "seccomp.h"

#include "../../arch/x86_64/user.h"
#include "../../mem/heap/heap.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../process/lives.h"
#include "../program.h"
#include "../ptrace/tracee.h"
#include "../task.h"
#include "filter.h"

#include <k42/k42.h>
#include <linux/audit.h>

struct call_filter {
    uint32_t references;
    struct call_filter *before; /* the older ones */
    uint32_t length, total;     /* instructions; of all that it leads to, with what each costs */
    struct sock_filter program[];
};

enum { TOTAL_MOST = 32768, COST_EACH = 4, ERRNO_MOST = 4095 };

struct call_filter *filters_hold(struct call_filter *filters) {
    if (filters)
        __atomic_fetch_add(&filters->references, 1, __ATOMIC_RELAXED);
    return filters;
}

void filters_release(struct call_filter *filters) {
    while (filters && !__atomic_sub_fetch(&filters->references, 1, __ATOMIC_ACQ_REL)) {
        struct call_filter *before = filters->before;
        heap_free(filters);
        filters = before;
    }
}

/* ---- asking them ---- */

static uint32_t answer_of(const struct task *task, uint64_t number) {
    const struct trap_frame *frame = task->frame;
    struct seccomp_data data = {
        .nr = (int)number,
        .arch = AUDIT_ARCH_X86_64,
        .instruction_pointer = frame->rip,
        .args = {frame->rdi, frame->rsi, frame->rdx, frame->r10, frame->r8, frame->r9},
    };
    uint32_t answer = SECCOMP_RET_ALLOW;
    for (const struct call_filter *at = task->filters; at; at = at->before) {
        uint32_t one = filter_run(at->program, &data);
        if ((int32_t)(one & SECCOMP_RET_ACTION_FULL) < (int32_t)(answer & SECCOMP_RET_ACTION_FULL))
            answer = one;
    }
    return answer;
}

/* The handler sees the call's number where its result would be, and may put one there. */
static k42_result trap(const struct task *task, uint64_t number, uint32_t data) {
    struct signal_info info = {.signal = SIGSYS, .error = (int32_t)data, .code = SYS_SECCOMP};
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

static bool obey(struct task *task, uint32_t answer, uint64_t number, k42_result *result);

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
    uint32_t answer = answer_of(task, frame->error);
    return (answer & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_TRACE ||
           obey(task, answer, frame->error, result);
}

bool seccomp_allows(struct task *task, uint64_t number, k42_result *result) {
    if (task->strict) {
        if (is_strictly_allowed(number))
            return true;
        end_thread(task, SIGKILL);
    }
    return obey(task, answer_of(task, number), number, result);
}

static bool obey(struct task *task, uint32_t answer, uint64_t number, k42_result *result) {
    uint32_t data = answer & SECCOMP_RET_DATA;
    switch (answer & SECCOMP_RET_ACTION_FULL) {
    case SECCOMP_RET_ALLOW:
    case SECCOMP_RET_LOG:
        return true;
    case SECCOMP_RET_ERRNO:
        *result = -(k42_result)(data < ERRNO_MOST ? data : ERRNO_MOST);
        return false;
    case SECCOMP_RET_TRAP:
        *result = trap(task, number, data);
        return false;
    case SECCOMP_RET_TRACE:
        return ask_tracer(task, data, result);
    case SECCOMP_RET_USER_NOTIF:
        *result = -ENOSYS; /* nobody is there to be asked */
        return false;
    case SECCOMP_RET_KILL_THREAD:
        end_thread(task, SIGSYS);
    default:
        process_exit(SIGSYS);
    }
}

/* ---- setting them ---- */

static k42_result set_strict(void) {
    struct task *task = task_self();
    if (task->filters)
        return -EINVAL;
    task->strict = task->guarded = true;
    return 0;
}

/* Copied and checked; -EFAULT, -EINVAL, -ENOMEM. */
static k42_result fill(struct call_filter *filter, uintptr_t from) {
    k42_result result =
        program_read(filter->program, from, filter->length * sizeof filter->program[0]);
    if (result < 0)
        return result;
    uint16_t *cells = heap_allocate(filter->length * sizeof *cells);
    if (!cells)
        return -ENOMEM;
    bool sound = filter_is_sound(filter->program, filter->length, cells);
    heap_free(cells);
    return sound ? 0 : -EINVAL;
}

static k42_result add(unsigned length, uintptr_t from) {
    struct task *task = task_self();
    uint32_t total = length + COST_EACH + (task->filters ? task->filters->total : 0);
    struct call_filter *filter = heap_allocate(sizeof *filter + length * sizeof filter->program[0]);
    if (!filter)
        return -ENOMEM;
    filter->references = 1;
    filter->length = length;
    filter->total = total;
    k42_result result = fill(filter, from);
    if (result >= 0 && task->strict)
        result = -EINVAL;
    if (result >= 0 && total > TOTAL_MOST)
        result = -ENOMEM;
    if (result < 0) {
        heap_free(filter);
        return result;
    }
    filter->before = task->filters; /* with the task's hold of it */
    task->filters = filter;
    task->guarded = true;
    return 0;
}

/* With one thread all of the process's have it then. */
static bool is_alone(void) {
    struct process_info info;
    return k42_call(task_self()->process, info, &info) >= 0 && info.threads == 1;
}

static k42_result set_filter(unsigned flags, uintptr_t from) {
    struct {
        uint16_t length;
        uint64_t program;
    } given;
    const unsigned known = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG |
                           SECCOMP_FILTER_FLAG_SPEC_ALLOW | SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
    if ((flags & ~known) || ((flags & SECCOMP_FILTER_FLAG_TSYNC) && !is_alone()))
        return -EINVAL;
    k42_result result = program_read(&given, from, sizeof given);
    if (result < 0)
        return result;
    if (!given.length || given.length > FILTER_MOST)
        return -EINVAL;
    if (!task_self()->no_new_privileges && !task_capable(task_self(), CAP_SYS_ADMIN))
        return -EACCES;
    return add(given.length, given.program);
}

static k42_result is_available(uintptr_t from) {
    uint32_t action;
    k42_result result = program_read(&action, from, sizeof action);
    if (result < 0)
        return result;
    switch (action) {
    case SECCOMP_RET_KILL_PROCESS:
    case SECCOMP_RET_KILL_THREAD:
    case SECCOMP_RET_TRAP:
    case SECCOMP_RET_ERRNO:
    case SECCOMP_RET_USER_NOTIF:
    case SECCOMP_RET_TRACE:
    case SECCOMP_RET_LOG:
    case SECCOMP_RET_ALLOW:
        return 0;
    default:
        return -EOPNOTSUPP;
    }
}

static k42_result sizes(uintptr_t to) {
    const struct seccomp_notif_sizes sizes = {sizeof(struct seccomp_notif),
                                              sizeof(struct seccomp_notif_resp),
                                              sizeof(struct seccomp_data)};
    return program_write(to, &sizes, sizeof sizes);
}

k42_result seccomp_set_mode(uint64_t mode, uintptr_t program) {
    if (mode == SECCOMP_MODE_STRICT)
        return set_strict();
    return mode == SECCOMP_MODE_FILTER ? set_filter(0, program) : -EINVAL;
}

k42_result seccomp_mode(const struct task *task) {
    return task->strict    ? SECCOMP_MODE_STRICT
           : task->filters ? SECCOMP_MODE_FILTER
                           : SECCOMP_MODE_DISABLED;
}

/*
 * Partly: no SECCOMP_FILTER_FLAG_NEW_LISTENER, SECCOMP_FILTER_FLAG_TSYNC with one thread alone, and
 * SECCOMP_RET_LOG writes nothing.
 */
LINUX_CALL(317, seccomp, unsigned operation, unsigned flags, uintptr_t argument) {
    switch (operation) {
    case SECCOMP_SET_MODE_STRICT:
        return flags || argument ? -EINVAL : set_strict();
    case SECCOMP_SET_MODE_FILTER:
        return set_filter(flags, argument);
    case SECCOMP_GET_ACTION_AVAIL:
        return flags ? -EINVAL : is_available(argument);
    case SECCOMP_GET_NOTIF_SIZES:
        return flags ? -EINVAL : sizes(argument);
    default:
        return -EINVAL;
    }
}
