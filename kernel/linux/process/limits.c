/*
 * Limits, personality, and a thread's registers and list of locks.
 */
#include "../../arch/x86_64/user.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../program.h"
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

/* ---- the processor ---- */

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
