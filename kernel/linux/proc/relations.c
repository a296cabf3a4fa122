/*
 * /proc/PID/io and /proc/PID/task/TID/children: what a process or a thread has read and written,
 * and which children it has.
 *
 * Each thread counts its own calls in its own record; a process has those of its threads, and of
 * the children that it waited for, as on Linux. Nobody counts which of the bytes came from a disk
 * or went to one, so these lines are zero, as they are on Linux for files in memory.
 *
 * Owns nothing. Fails: -ESRCH, -EACCES, -ENOMEM.
 */
#include "../../mem/heap/heap.h"
#include "../process/account.h"
#include "../whom.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

k42_result subject_print_io(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    if (!whom_may_trace(subject.task))
        return -EACCES;
    struct process_times all = subject.times;
    if (!key->id[1])
        account_add(&all, &subject.info.child_times);
    const struct process_transfers *transfers = &all.transfers;
    proc_print(text, "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", transfers->bytes_read,
               transfers->bytes_written, transfers->reads, transfers->writes);
    proc_print(text, "read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    return 0;
}

/* Some at a time: who goes meanwhile may make the list end early, as on Linux. */
k42_result subject_print_children(const struct proc_key *key, struct proc_text *text) {
    enum { MOST = 512 };
    struct subject subject;
    int last = 0;
    if (!subject_find(key, &subject) || !subject.task)
        return -ESRCH;
    int32_t *pids = heap_allocate(MOST * sizeof *pids);
    k42_result got = pids ? MOST * (k42_result)sizeof *pids : -ENOMEM;
    while (got == MOST * (k42_result)sizeof *pids) {
        got =
            k42_call(subject.process, children, subject.task->tid, last, pids, MOST * sizeof *pids);
        for (k42_result i = 0; i < got / (k42_result)sizeof *pids; i++)
            proc_print(text, "%d ", last = pids[i]);
    }
    heap_free(pids);
    return got == -ENOMEM ? got : 0;
}
