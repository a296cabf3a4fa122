/*
 * Limits, and what else a process may say about itself: prctl, personality, its processor's
 * registers.
 */
#include "../../arch/x86_64/user.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../memory_calls.h"
#include "../program.h"
#include "../seccomp/seccomp.h"
#include "../whom.h"
#include "ids.h"
#include "lives.h"
#include "runtime.h"

#include <k42/k42.h>

/* ---- limits ---- */

/* What concerns memory is kept by the space, which asks nobody. */
static void limit_memory(process_ref process, unsigned resource) {
    struct k42_pair found = {.result = -ESRCH};
    if (resource == RLIMIT_AS || resource == RLIMIT_DATA || resource == RLIMIT_STACK)
        found = k42_call(process, thread, 0, 1);
    if (found.result < 0)
        return;
    struct task *task = (struct task *)found.word;
    memory_limit(task->space, __atomic_load_n(&task->memory, __ATOMIC_ACQUIRE)->top, process);
}

static k42_result limit_of(process_ref process, unsigned resource, uintptr_t wanted_at,
                           uintptr_t present_at) {
    struct process_limit wanted, present;
    k42_result result = wanted_at ? program_read(&wanted, wanted_at, sizeof wanted) : 0;
    if (wanted_at && resource == RLIMIT_CPU) /* a second is given to everybody */
        wanted = (struct process_limit){wanted.now ? wanted.now : 1, wanted.most ? wanted.most : 1};
    if (result >= 0)
        result = k42_call(process, limit, resource, wanted_at ? &wanted : NULL, &present,
                          task_capable(task_self(), CAP_SYS_RESOURCE));
    if (result >= 0 && wanted_at)
        limit_memory(process, resource);
    if (result >= 0 && present_at)
        result = program_write(present_at, &present, sizeof present);
    return result;
}

LINUX_CALL(97, getrlimit, unsigned resource, uintptr_t to) {
    return to ? limit_of(task_self()->process, resource, 0, to) : -EFAULT;
}

LINUX_CALL(160, setrlimit, unsigned resource, uintptr_t from) {
    return from ? limit_of(task_self()->process, resource, from, 0) : -EFAULT;
}

static k42_result may_limit(process_ref process) {
    const struct credentials *own = task_self()->credentials;
    struct k42_pair found = k42_call(process, thread, 0, 1);
    if (found.result < 0)
        return -ESRCH;
    const struct task *task = (const struct task *)found.word;
    const struct credentials *its = __atomic_load_n(&task->credentials, __ATOMIC_ACQUIRE);
    bool same = own->uid == its->uid && own->uid == its->euid && own->uid == its->suid &&
                own->gid == its->gid && own->gid == its->egid && own->gid == its->sgid;
    return same || task_capable(task_self(), CAP_SYS_RESOURCE) ? 0 : -EPERM;
}

LINUX_CALL(302, prlimit64, int pid, unsigned resource, uintptr_t wanted, uintptr_t present) {
    process_ref process = pid ? ids_process(pid) : task_self()->process;
    k42_result result = pid ? may_limit(process) : 0;
    return result < 0 ? result : limit_of(process, resource, wanted, present);
}

/* ---- prctl ---- */

static k42_result set_name(uintptr_t from) {
    struct task *task = task_self();
    char name[TASK_NAME] = {0};
    k42_result result = program_read_text(name, from, sizeof name);
    if (result < 0 && result != -ENAMETOOLONG)
        return result;
    k42_copy_text(task->name, sizeof task->name, name);
    thread_set_name(task->thread, task->name);
    return 0;
}

static k42_result number(unsigned which) {
    return k42_call(task_self()->process, number, which);
}

static k42_result set_number(unsigned which, uint64_t value, uint64_t most) {
    return value > most ? -EINVAL : k42_call(task_self()->process, set_number, which, (int)value);
}

static k42_result drop_bounding(uint64_t capability) {
    struct task *task = task_self();
    if (capability > CAP_LAST_CAP)
        return -EINVAL;
    if (!task_capable(task, CAP_SETPCAP))
        return -EPERM;
    struct credentials *now = credentials_copy(task->credentials);
    if (!now)
        return -ENOMEM;
    now->bounding &= ~(1ul << capability);
    credentials_set(now);
    return 0;
}

static k42_result ambient(uint64_t what, uint64_t capability) {
    struct task *task = task_self();
    uint64_t bit = 1ul << (capability & 63);
    if (capability > CAP_LAST_CAP)
        return -EINVAL;
    if (what < PR_CAP_AMBIENT_IS_SET || what > PR_CAP_AMBIENT_CLEAR_ALL)
        return -EINVAL;
    if (what == PR_CAP_AMBIENT_IS_SET)
        return !!(task->credentials->ambient & bit);
    if (what == PR_CAP_AMBIENT_RAISE &&
        !(task->credentials->permitted & task->credentials->inheritable & bit))
        return -EPERM;
    struct credentials *now = credentials_copy(task->credentials);
    if (!now)
        return -ENOMEM;
    if (what == PR_CAP_AMBIENT_RAISE)
        now->ambient |= bit;
    else
        now->ambient &= what == PR_CAP_AMBIENT_CLEAR_ALL ? 0 : ~bit;
    credentials_set(now);
    return 0;
}

static k42_result put_number(uintptr_t to, k42_result value) {
    int32_t word = (int32_t)value;
    return value < 0 ? value : program_write(to, &word, sizeof word);
}

#define SECURE_KEEP_CAPS 16 /* SECBIT_KEEP_CAPS */

#define TIMER_SLACK 50000 /* ns; timers here come no later for it */

/*
 * Partly: no names for mappings, and what concerns checkpoints, the machine's errors and other
 * processors.
 */
LINUX_CALL(157, prctl, int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    struct task *task = task_self();
    switch (option) {
    case PR_SET_NAME:
        return set_name(a);
    case PR_GET_NAME:
        return program_write(a, task->name, sizeof task->name);
    case PR_SET_PDEATHSIG:
        if (a > SIGNALS)
            return -EINVAL;
        task->parent_death_signal = (int32_t)a;
        return 0;
    case PR_GET_PDEATHSIG:
        return put_number(a, task->parent_death_signal);
    case PR_SET_DUMPABLE:
        return set_number(PROCESS_DUMPABLE, a, 1);
    case PR_GET_DUMPABLE:
        return number(PROCESS_DUMPABLE);
    case PR_SET_KEEPCAPS:
        return set_number(PROCESS_KEEP_CAPS, a, 1);
    case PR_GET_KEEPCAPS:
        return number(PROCESS_KEEP_CAPS);
    case PR_SET_CHILD_SUBREAPER:
        return set_number(PROCESS_SUBREAPER, !!a, 1);
    case PR_GET_CHILD_SUBREAPER:
        return put_number(a, number(PROCESS_SUBREAPER));
    case PR_SET_NO_NEW_PRIVS:
        if (a != 1 || b)
            return -EINVAL;
        task->no_new_privileges = true;
        return 0;
    case PR_GET_NO_NEW_PRIVS:
        return task->no_new_privileges;
    case PR_CAPBSET_READ:
        return a > CAP_LAST_CAP ? -EINVAL : (k42_result)(task->credentials->bounding >> a & 1);
    case PR_CAPBSET_DROP:
        return drop_bounding(a);
    case PR_CAP_AMBIENT:
        return ambient(a, b);
    case PR_GET_SECUREBITS:
        return k42_call(task->process, number, PROCESS_KEEP_CAPS) > 0 ? SECURE_KEEP_CAPS : 0;
    case PR_SET_TIMERSLACK:
        task->timer_slack = a;
        return 0;
    case PR_GET_TIMERSLACK:
        return task->timer_slack ? (k42_result)task->timer_slack : TIMER_SLACK;
    case PR_GET_TSC:
        return put_number(a, user_clock_is_forbidden() ? PR_TSC_SIGSEGV : PR_TSC_ENABLE);
    case PR_SET_TSC:
        if (a != PR_TSC_ENABLE && a != PR_TSC_SIGSEGV)
            return -EINVAL;
        user_forbid_clock(a == PR_TSC_SIGSEGV);
        return 0;
    case PR_SET_VMA:
        return memory_name(a, b, c, d);
    case PR_SET_SYSCALL_USER_DISPATCH:
        return dispatch_set(a, b, c, d);
    case PR_SET_SECCOMP:
        return seccomp_set_mode(a, b);
    case PR_GET_SECCOMP:
        return seccomp_mode(task);
    default:
        return -EINVAL;
    }
}

LINUX_CALL(135, personality, unsigned persona) {
    struct task *task = task_self();
    uint32_t before = task->persona;
    if (persona != 0xffffffff)
        task->persona = persona;
    return before;
}

LINUX_CALL(158, arch_prctl, int option, uintptr_t address) {
    uint64_t base;
    switch (option) {
    case ARCH_SET_FS:
        return user_set_fs_base(address) ? 0 : -EPERM;
    case ARCH_SET_GS:
        return user_set_gs_base(address) ? 0 : -EPERM;
    case ARCH_GET_FS:
        base = user_fs_base();
        return program_write(address, &base, sizeof base);
    case ARCH_GET_GS:
        base = user_gs_base();
        return program_write(address, &base, sizeof base);
    default:
        return -EINVAL;
    }
}

/* ---- threads ---- */

#define ROBUST_LIST_SIZE 24

LINUX_CALL(273, set_robust_list, uintptr_t head, size_t size) {
    if (size != ROBUST_LIST_SIZE)
        return -EINVAL;
    task_self()->robust_list = head;
    return 0;
}

LINUX_CALL(274, get_robust_list, int tid, uintptr_t head, uintptr_t size) {
    struct task *task = task_self();
    uint64_t bytes = ROBUST_LIST_SIZE;
    if (tid && tid != task->tid) {
        struct k42_pair found = k42_call(ids_process(tid), thread, tid, 0);
        if (found.result < 0)
            return -ESRCH;
        task = (struct task *)found.word;
        if (!whom_may_trace(task))
            return -EPERM;
    }
    uint64_t list = task->robust_list;
    k42_result result = program_write(size, &bytes, sizeof bytes);
    return result < 0 ? result : program_write(head, &list, sizeof list);
}

/* Every thread passes a barrier when it is interrupted; all CPUs are, for any of these. */
enum {
    BARRIER_QUERY = 0,
    BARRIER_GLOBAL = 1,
    BARRIER_GLOBAL_EXPEDITED = 2,
    BARRIER_GLOBAL_REGISTER = 4,
    BARRIER_PRIVATE_EXPEDITED = 8,
    BARRIER_PRIVATE_REGISTER = 16,
    BARRIER_ALL = 31,
};

LINUX_CALL(324, membarrier, int command, unsigned flags, int cpu) {
    (void)cpu;
    if (flags)
        return -EINVAL;
    uint32_t *ready = &task_self()->memory->barriers;
    switch (command) {
    case BARRIER_QUERY:
        return BARRIER_ALL;
    case BARRIER_PRIVATE_EXPEDITED:
        if (!(__atomic_load_n(ready, __ATOMIC_RELAXED) & BARRIER_PRIVATE_REGISTER))
            return -EPERM;
        cpu_barrier_all();
        return 0;
    case BARRIER_GLOBAL_EXPEDITED:
    case BARRIER_GLOBAL:
        cpu_barrier_all();
        return 0;
    case BARRIER_GLOBAL_REGISTER:
    case BARRIER_PRIVATE_REGISTER:
        __atomic_fetch_or(ready, (uint32_t)command, __ATOMIC_RELAXED);
        return 0;
    default:
        return -EINVAL;
    }
}
