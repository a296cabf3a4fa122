/*
 * /proc/PID/stack: which functions of the kernel's a thread is in that waits, the innermost first.
 *
 * The thread is kept from ending, not from waking up: then its stack changes while it is read, and
 * what is told is of several moments. Only words of the stack itself are read, whatever the chain
 * of frame pointers says. Of a thread that runs nothing is told.
 *
 * Owns nothing. Fails: -ESRCH; -EACCES, the reader is not in charge of the machine.
 */
#include "../../arch/x86_64/backtrace.h"
#include "../../sched/thread.h"
#include "../abi.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

enum { MOST = 32, SAVED_FRAME = 5 /* words above where thread_switch() left: switch.S */ };

struct found {
    uintptr_t at[MOST];
    unsigned count;
};

static uint64_t word_at(const uint64_t *at) {
    return __atomic_load_n(at, __ATOMIC_RELAXED);
}

static k42_result find_callers(struct thread *thread, void *to) {
    struct found *found = to;
    struct thread_stack stack = thread_stack_of(thread);
    const uint64_t *at = stack.from ? stack.from + SAVED_FRAME : NULL;
    while (at && at >= stack.from && at + 1 < stack.end && found->count < MOST) {
        found->at[found->count++] = word_at(at + 1);
        const uint64_t *next = (const uint64_t *)word_at(at); /* NOLINT */
        at = next > at && !((uintptr_t)next % sizeof *next) ? next : NULL;
    }
    return 0;
}

k42_result subject_print_stack(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    struct found found = {.count = 0};
    if (!task_capable(task_self(), CAP_SYS_ADMIN))
        return -EACCES;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    if (k42_call(subject.process, keep, subject.task, find_callers, &found) < 0)
        return 0;
    for (unsigned i = 0; i < found.count; i++) {
        uintptr_t offset;
        const char *name = backtrace_name(found.at[i], &offset);
        if (!name)
            break;
        proc_print(text, "[<0>] %s+0x", name);
        proc_print_hex(text, offset, 1);
        proc_put(text, "\n", 1);
    }
    return 0;
}
