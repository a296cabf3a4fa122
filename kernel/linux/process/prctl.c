/*
 * prctl: what a thread, or for it its process, says about itself.
 *
 * What belongs to the thread is in its task, of which only it changes these words; the rest is kept
 * where it takes effect. No locking of its own. Fails: -EINVAL, -EPERM, -EFAULT, -ENOMEM.
 */
#include "../../arch/x86_64/user.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "../memory_calls.h"
#include "../program.h"
#include "../seccomp/seccomp.h"
#include "lives.h"
#include "runtime.h"

#include <k42/k42.h>
#include <linux/securebits.h>

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

/* ---- rights ---- */

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
        (task->credentials->secure & SECBIT_NO_CAP_AMBIENT_RAISE ||
         !(task->credentials->permitted & task->credentials->inheritable & bit)))
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

static k42_result set_secure(uint32_t bits) {
    struct credentials *now = credentials_copy(task_self()->credentials);
    if (!now)
        return -ENOMEM;
    now->secure = bits;
    credentials_set(now);
    return 0;
}

/* What is locked stays as it is, and locked. */
static k42_result change_secure(uint64_t bits) {
    const struct credentials *now = task_self()->credentials;
    uint32_t locks = now->secure & SECURE_ALL_LOCKS;
    if (bits & ~(uint64_t)(SECURE_ALL_BITS | SECURE_ALL_LOCKS) || locks & ~bits ||
        locks >> 1 & (now->secure ^ bits) || !task_capable(task_self(), CAP_SETPCAP))
        return -EPERM;
    return set_secure((uint32_t)bits);
}

static k42_result keep_capabilities(uint64_t keep) {
    uint32_t bits = task_self()->credentials->secure;
    if (keep > 1)
        return -EINVAL;
    if (bits & SECBIT_KEEP_CAPS_LOCKED)
        return -EPERM;
    return set_secure((bits & ~(uint32_t)SECBIT_KEEP_CAPS) | (keep ? SECBIT_KEEP_CAPS : 0u));
}

/* ---- what is only kept ---- */

/* Memory that turns out to be broken: there is nobody who would tell. */
static k42_result set_memory_errors(uint64_t what, uint64_t when) {
    bool is_known =
        what == PR_MCE_KILL_SET ? when <= PR_MCE_KILL_DEFAULT : what == PR_MCE_KILL_CLEAR && !when;
    if (!is_known)
        return -EINVAL;
    /* Kept as what was asked for and one, so that 0 is as it was. */
    bool is_usual = what == PR_MCE_KILL_CLEAR || when == PR_MCE_KILL_DEFAULT;
    task_self()->memory_errors = is_usual ? 0 : (uint8_t)(when + 1);
    return 0;
}

static k42_result memory_errors(void) {
    uint8_t kept = task_self()->memory_errors;
    return kept ? kept - 1 : PR_MCE_KILL_DEFAULT;
}

/* Whether writing to disks takes it: who frees memory does not wait for it then, nor at all. */
static k42_result set_flusher(uint64_t is) {
    if (!task_capable(task_self(), CAP_SYS_RESOURCE))
        return -EPERM;
    if (is > 1)
        return -EINVAL;
    task_self()->flushes = is;
    return 0;
}

static k42_result flusher(void) {
    return task_capable(task_self(), CAP_SYS_RESOURCE) ? task_self()->flushes : -EPERM;
}

/* No large pages are made for programs but what files have. */
static k42_result small_pages(void) {
    return __atomic_load_n(&task_self()->memory->small_pages, __ATOMIC_RELAXED);
}

static k42_result set_small_pages(uint64_t small) {
    __atomic_store_n(&task_self()->memory->small_pages, small != 0, __ATOMIC_RELAXED);
    return 0;
}

/* ---- the call ---- */

static k42_result put_number(uintptr_t to, k42_result value) {
    int32_t word = (int32_t)value;
    return value < 0 ? value : program_write(to, &word, sizeof word);
}

#define TIMER_SLACK 50000 /* ns; timers here come no later for it */

/* Whether there is something in words that an option has no use for, of those that mind. */
static bool has_rest(int option, const uint64_t words[4]) {
    static const struct {
        int option;
        unsigned used;
    } strict[] = {
        {PR_SET_NO_NEW_PRIVS, 1}, {PR_GET_NO_NEW_PRIVS, 0}, {PR_SET_THP_DISABLE, 1},
        {PR_GET_THP_DISABLE, 0},  {PR_MCE_KILL, 2},         {PR_MCE_KILL_GET, 0},
        {PR_SET_IO_FLUSHER, 1},   {PR_GET_IO_FLUSHER, 0},
    };
    for (unsigned n = 0; n < sizeof strict / sizeof *strict; n++)
        for (unsigned at = strict[n].used; at < 4 && strict[n].option == option; at++)
            if (words[at])
                return true;
    return false;
}

/*
 * Partly: no PR_SET_MM and PR_SCHED_CORE, nor what concerns a processor's guesses, counters of
 * events, and other processors.
 */
LINUX_CALL(157, prctl, int option, uint64_t a, uint64_t b, uint64_t c, uint64_t d) {
    struct task *task = task_self();
    if (has_rest(option, (const uint64_t[]){a, b, c, d}))
        return -EINVAL;
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
        return keep_capabilities(a);
    case PR_GET_KEEPCAPS:
        return !!(task->credentials->secure & SECBIT_KEEP_CAPS);
    case PR_SET_CHILD_SUBREAPER:
        return set_number(PROCESS_SUBREAPER, !!a, 1);
    case PR_GET_CHILD_SUBREAPER:
        return put_number(a, number(PROCESS_SUBREAPER));
    case PR_SET_NO_NEW_PRIVS:
        if (a != 1)
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
    case PR_SET_SECUREBITS:
        return change_secure(a);
    case PR_GET_SECUREBITS:
        return task->credentials->secure;
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
    case PR_SET_TIMING:
        return a == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
    case PR_GET_TIMING:
        return PR_TIMING_STATISTICAL;
    case PR_GET_TID_ADDRESS:
        return program_write(a, &task->clear_tid, sizeof task->clear_tid);
    case PR_MCE_KILL:
        return set_memory_errors(a, b);
    case PR_MCE_KILL_GET:
        return memory_errors();
    case PR_SET_IO_FLUSHER:
        return set_flusher(a);
    case PR_GET_IO_FLUSHER:
        return flusher();
    case PR_SET_THP_DISABLE:
        return set_small_pages(a);
    case PR_GET_THP_DISABLE:
        return small_pages();
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
