/*
 * Who gets how much of the CPUs: policies, nice, CPUs that are allowed.
 *
 * Linux's policies are the scheduler's levels: SCHED_FIFO and SCHED_RR are priorities, the others
 * shares; SCHED_IDLE is the smallest share there is. What the program called it is kept beside it.
 *
 * A task that was found lasts while the caller is active, but its thread's record is another
 * thread's soon after its end. So the record is touched inside process.keep() alone, which finds
 * the thread gone or keeps it. Who may is asked before, with no lock held: the credentials and
 * limits are the task's, whatever becomes of the thread.
 */
#include "../sched/run_queue/run_queue.h"
#include "../sched/thread.h"
#include "abi.h"
#include "clocks.h"
#include "process/ids.h"
#include "process/lives.h"
#include "program.h"
#include "whom.h"

#include <k42/k42.h>

#define MASK_WORDS       128u /* of the most CPUs that are told of */
#define ATTRIBUTES_FIRST 48   /* bytes of the first struct sched_attr */
#define ATTRIBUTES_MOST  4096 /* that a later one may have */

/* Linux's struct sched_attr, as far as it is heeded. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};
_Static_assert(sizeof(struct attributes) == ATTRIBUTES_FIRST, "Linux's layout");

/* ---- the thread of a task; all may say -ESRCH ---- */

static k42_result read_thread(struct thread *thread, void *to) {
    thread_read_policy(thread, to);
    return 0;
}

static k42_result set_thread(struct thread *thread, void *from) {
    return thread_set_policy(thread, from);
}

static k42_result read_thread_cpus(struct thread *thread, void *to) {
    thread_read_cpus(thread, to);
    return 0;
}

static k42_result set_thread_cpus(struct thread *thread, void *from) {
    return thread_set_cpus(thread, from);
}

k42_result whom_policy(struct task *task, struct thread_policy *policy) {
    k42_result result = k42_call(task->process, keep, task, read_thread, policy);
    return result == -K42_STALE ? -ESRCH : result;
}

static k42_result change(struct task *task, struct thread_policy *policy) {
    k42_result result = k42_call(task->process, keep, task, set_thread, policy);
    return result == -K42_STALE ? -ESRCH : result;
}

static bool may_change(const struct task *task) {
    return whom_is_own(task) || task_capable(task_self(), CAP_SYS_NICE);
}

/* ---- policies ---- */

static bool is_realtime(unsigned policy) {
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

static bool is_shared(unsigned policy) {
    return policy == SCHED_NORMAL || policy == SCHED_BATCH || policy == SCHED_IDLE;
}

static int nice_least(const struct task *task) {
    return 20 - (int)task_limit(task, RLIMIT_NICE);
}

/* What Linux asks: a limit or a capability, for more than one has. */
static k42_result may_have(struct task *task, unsigned policy, uint32_t priority, int nice) {
    struct thread_policy now;
    k42_result result = whom_policy(task, &now);
    if (result < 0)
        return result;
    if (!may_change(task))
        return -EPERM;
    if (task_capable(task_self(), CAP_SYS_NICE))
        return 0;
    if (is_realtime(policy) && (priority > now.priority || !is_realtime(now.called)) &&
        priority > task_limit(task, RLIMIT_RTPRIO))
        return -EPERM;
    return nice < now.nice && nice < nice_least(task) ? -EPERM : 0;
}

/* Who asked that his children begin as usual needs a right to take that back. */
static k42_result set_policy(struct task *task, unsigned policy, uint32_t priority, int nice) {
    if (!task)
        return -ESRCH;
    bool resets = policy & SCHED_RESET_ON_FORK;
    policy &= ~(unsigned)SCHED_RESET_ON_FORK;
    if (!is_realtime(policy) && !is_shared(policy))
        return -EINVAL;
    if (is_realtime(policy) ? priority < 1 || priority > 99 : priority)
        return -EINVAL;
    k42_result result = may_have(task, policy, priority, nice);
    struct thread_policy wanted = {.priority = priority,
                                   .in_rounds = policy == SCHED_RR,
                                   .nice = nice,
                                   .idle = policy == SCHED_IDLE,
                                   .called = (uint8_t)policy};
    if (result >= 0 && __atomic_load_n(&task->resets_policy, __ATOMIC_RELAXED) && !resets &&
        !task_capable(task_self(), CAP_SYS_NICE))
        result = -EPERM;
    result = result < 0 ? result : change(task, &wanted);
    if (result >= 0)
        __atomic_store_n(&task->resets_policy, resets, __ATOMIC_RELAXED);
    return result;
}

static k42_result set_scheduler(int tid, int policy, uintptr_t from) {
    int32_t priority;
    struct thread_policy now;
    if (policy < 0 || tid < 0 || !from)
        return -EINVAL;
    k42_result result = program_read(&priority, from, sizeof priority);
    struct task *task = whom_thread(tid);
    if (result >= 0)
        result = task ? whom_policy(task, &now) : -ESRCH;
    if (result < 0)
        return result;
    return set_policy(task, (unsigned)policy, (uint32_t)priority, now.nice);
}

LINUX_CALL(144, sched_setscheduler, int tid, int policy, uintptr_t from) {
    return set_scheduler(tid, policy, from);
}

/* Gives 1: its children begin as usual. */
static k42_result read_policy(int tid, struct thread_policy *policy) {
    struct task *task = tid < 0 ? NULL : whom_thread(tid);
    if (!task)
        return tid < 0 ? -EINVAL : -ESRCH;
    k42_result result = whom_policy(task, policy);
    return result < 0 ? result : __atomic_load_n(&task->resets_policy, __ATOMIC_RELAXED);
}

static int with_reset(const struct thread_policy *policy, k42_result resets) {
    return policy->called | (resets > 0 ? SCHED_RESET_ON_FORK : 0);
}

LINUX_CALL(142, sched_setparam, int tid, uintptr_t from) {
    struct thread_policy policy;
    k42_result result = read_policy(tid, &policy);
    return result < 0 ? result : set_scheduler(tid, with_reset(&policy, result), from);
}

LINUX_CALL(145, sched_getscheduler, int tid) {
    struct thread_policy policy;
    k42_result result = read_policy(tid, &policy);
    return result < 0 ? result : with_reset(&policy, result);
}

LINUX_CALL(143, sched_getparam, int tid, uintptr_t to) {
    struct thread_policy policy;
    k42_result result = to ? read_policy(tid, &policy) : -EINVAL;
    int32_t priority = (int32_t)policy.priority;
    return result < 0 ? result : program_write(to, &priority, sizeof priority);
}

LINUX_CALL(146, sched_get_priority_max, int policy) {
    if (is_realtime((unsigned)policy))
        return 99;
    return is_shared((unsigned)policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

LINUX_CALL(147, sched_get_priority_min, int policy) {
    if (is_realtime((unsigned)policy))
        return 1;
    return is_shared((unsigned)policy) || policy == SCHED_DEADLINE ? 0 : -EINVAL;
}

LINUX_CALL(148, sched_rr_get_interval, int tid, uintptr_t to) {
    struct thread_policy policy;
    k42_result result = read_policy(tid, &policy);
    if (result < 0)
        return result;
    uint64_t ns = policy.in_rounds ? RUN_ROUND_NS : policy.priority ? 0 : RUN_SLICE_NS;
    return clocks_write(to, (int64_t)ns);
}

LINUX_CALL(314, sched_setattr, int tid, uintptr_t from, unsigned flags) {
    struct attributes wanted = {0};
    uint32_t size;
    if (tid < 0 || !from || flags)
        return -EINVAL;
    k42_result result = program_read(&size, from, sizeof size);
    if (result < 0)
        return result;
    if ((size && size < ATTRIBUTES_FIRST) || size > ATTRIBUTES_MOST)
        return -E2BIG;
    result = program_read(&wanted, from, sizeof wanted);
    if (result < 0)
        return result;
    int nice = wanted.nice < RUN_NICE_LEAST  ? RUN_NICE_LEAST
               : wanted.nice > RUN_NICE_MOST ? RUN_NICE_MOST
                                             : wanted.nice;
    if ((wanted.policy & SCHED_RESET_ON_FORK) || (wanted.flags & ~(uint64_t)SCHED_FLAG_ALL))
        return -EINVAL;
    unsigned reset = wanted.flags & SCHED_FLAG_RESET_ON_FORK ? SCHED_RESET_ON_FORK : 0;
    return set_policy(whom_thread(tid), wanted.policy | reset, wanted.priority, nice);
}

LINUX_CALL(315, sched_getattr, int tid, uintptr_t to, unsigned size, unsigned flags) {
    struct thread_policy policy;
    if (!to || flags || size < ATTRIBUTES_FIRST || size > ATTRIBUTES_MOST)
        return -EINVAL;
    k42_result result = read_policy(tid, &policy);
    struct attributes attributes = {.size = ATTRIBUTES_FIRST,
                                    .policy = policy.called,
                                    .flags = result > 0 ? SCHED_FLAG_RESET_ON_FORK : 0,
                                    .nice = is_realtime(policy.called) ? 0 : policy.nice,
                                    .priority = policy.priority};
    return result < 0 ? result : program_write(to, &attributes, sizeof attributes);
}

LINUX_CALL(24, sched_yield, void) {
    k42_exit(); /* so that it can be taken to another CPU, too */
    thread_yield();
    k42_enter();
    return 0;
}

/* ---- nice ---- */

/* One that has just gone was not met. */
static k42_result raise_nice(struct task *task, int nice, k42_result so_far) {
    struct thread_policy policy;
    if (whom_policy(task, &policy) < 0)
        return so_far;
    if (!may_change(task))
        return -EPERM;
    if (nice < policy.nice && nice < nice_least(task) && !task_capable(task_self(), CAP_SYS_NICE))
        return -EACCES;
    policy.nice = nice;
    k42_result result = change(task, &policy);
    return so_far < 0 && so_far != -ESRCH ? so_far : result;
}

static k42_result least_nice(struct task *task, int nice, k42_result so_far) {
    struct thread_policy policy;
    (void)nice;
    if (whom_policy(task, &policy) < 0)
        return so_far;
    return 20 - policy.nice > so_far ? 20 - policy.nice : so_far;
}

LINUX_CALL(141, setpriority, int which, int who, int nice) {
    struct whom whom = {.which = which, .who = who, .fn = raise_nice, .value = nice};
    if (nice < RUN_NICE_LEAST)
        whom.value = RUN_NICE_LEAST;
    if (nice > RUN_NICE_MOST)
        whom.value = RUN_NICE_MOST;
    return whom_all(&whom);
}

LINUX_CALL(140, getpriority, int which, int who) {
    struct whom whom = {.which = which, .who = who, .fn = least_nice};
    return whom_all(&whom);
}

/* ---- CPUs ---- */

static size_t words_needed(void) {
    return (cpu_count() + 63) / 64;
}

LINUX_CALL(203, sched_setaffinity, int tid, size_t size, uintptr_t from) {
    uint64_t mask[MASK_WORDS] = {0};
    if (words_needed() > MASK_WORDS)
        return -EINVAL;
    k42_result result = program_read(mask, from, size < sizeof mask ? size : sizeof mask);
    struct task *task = tid < 0 ? NULL : whom_thread(tid); /* reading may have waited */
    if (result < 0)
        return result;
    if (!task)
        return -ESRCH;
    result = may_change(task) ? k42_call(task->process, keep, task, set_thread_cpus, mask) : -EPERM;
    if (result >= 0 && task == task_self()) {
        k42_exit();
        thread_yield();
        k42_enter();
    }
    return result;
}

LINUX_CALL(204, sched_getaffinity, int tid, size_t size, uintptr_t to) {
    uint64_t mask[MASK_WORDS] = {0};
    size_t bytes = words_needed() * sizeof(uint64_t);
    struct task *task = tid < 0 ? NULL : whom_thread(tid);
    /* Linux counts bits in 32. */
    if (size % sizeof(uint64_t) || (uint32_t)size * 8 < cpu_count() || bytes > sizeof mask)
        return -EINVAL;
    if (!task)
        return -ESRCH;
    k42_result result = k42_call(task->process, keep, task, read_thread_cpus, mask);
    if (result < 0)
        return result == -K42_STALE ? -ESRCH : result;
    result = program_write(to, mask, bytes);
    return result < 0 ? result : (k42_result)bytes;
}

LINUX_CALL(309, getcpu, uintptr_t cpu_at, uintptr_t node_at) {
    uint32_t cpu = (uint32_t)k42_cpu(), node = 0;
    k42_result result = cpu_at ? program_write(cpu_at, &cpu, sizeof cpu) : 0;
    return result < 0 || !node_at ? result : program_write(node_at, &node, sizeof node);
}
