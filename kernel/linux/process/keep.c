/*
 * Limits that must not be asked for each time: RLIMIT_FSIZE, which every write would look at, and
 * RLIMIT_CPU, which a clock looks at.
 *
 * They are the process's, under its lock. Each thread has its own copy of the first, and one of
 * them sees to the clock. When a limit is set every thread of the process is asked, under that
 * lock, to look again on the way to its program (THREAD_WORK); one that is made later looks when it
 * begins. So a thread that comes back from a call after the limit was set keeps to it, and of the
 * threads that are asked at least one gets there, or makes one that does, or the process ends.
 */
#include "../abi.h"
#include "../call.h"
#include "lives.h"

#include <k42/k42.h>

k42_result (*process_limit_time)(void);

/* Without memory for the clock a process would have no limit. So it waits for some, or its end. */
static void limit_time(void) {
    while (process_limit_time() == -ENOMEM) {
        k42_exit();
        bool go_on = out_of_memory_wait();
        k42_enter();
        if (!go_on || (thread_interrupts() & THREAD_KILLED))
            process_exit(SIGKILL);
    }
}

void limits_keep(struct task *task, bool time) {
    __atomic_store_n(&task->file_size_limit, task_limit(task, RLIMIT_FSIZE), __ATOMIC_RELAXED);
    if (time && process_limit_time)
        limit_time();
}
