/*
 * Tasks: made, begun, given back.
 *
 * A task's thread is made by clone() and started when everything stands. The task is found by
 * others through its process (process.thread) until it leaves that; its memory lasts a grace period
 * longer.
 */
#include "lives.h"

#include "../../fs/path.h"
#include "../../mem/heap/heap.h"
#include "../../print.h"
#include "../../sched/wait.h"
#include "../call.h"
#include "../host_names.h"
#include "../ipc/semaphore_undo.h"
#include "../keys/keys.h"
#include "../landlock/landlock.h"
#include "../program.h"
#include "../seccomp/seccomp.h"
#include "ids.h"

#include <k42/k42.h>

struct task *task_make(void) {
    struct task *task = heap_allocate_zeroed(sizeof *task);
    if (!task)
        return NULL;
    task->state = heap_allocate_zeroed((user_state_size() + 63) & ~63ul);
    if (!task->state) {
        heap_free(task);
        return NULL;
    }
    task->started_ns = time_ns();
    task->file_size_limit = TASK_UNLIMITED;
    return task;
}

void task_unmake(struct task *task) {
    heap_free(task->state);
    heap_free(task->ports);
    heap_free(task);
}

/* A page that cannot be had is the program's own fault, as Linux sees it. */
static void put_tid(struct task *task) {
    k42_enter();
    int32_t tid = task->tid;
    k42_result result = program_write(task->tid_address, &tid, sizeof tid);
    (void)result;
    k42_exit();
}

void task_begin(void *argument) {
    struct task *task = argument;
    space_set_current(task->space);
    if (task->tid_address)
        put_tid(task);
    k42_enter();
    limits_keep(task, task->tid == task->pid);
    k42_exit();
    user_enter(&task->start);
}

void task_release(struct task *task) {
    user_context_close();
    space_set_current((space_ref)K42_NULL_REF);
    heap_free(task->state);
    seccomp_end(task);
    heap_free(task->ports);
    memory_release(task->memory);
    undo_list_release(task->undo);
    file_held_release(task->executable);
    landlock_release(task->landlock);
    keys_release(task);
    if (k42_id_of(task->descriptors) && k42_call(task->descriptors, release) < 0)
        panic("linux: task %d has lost its table of files", task->tid);
    paths_release(task->paths);
    host_names_release(task->host_names);
    credentials_release(task->credentials);
}

static struct process_transfers transfers_of(const struct task *task) {
    const struct process_transfers *from = &task->transfers;
    return (struct process_transfers){
        .bytes_read = __atomic_load_n(&from->bytes_read, __ATOMIC_RELAXED),
        .bytes_written = __atomic_load_n(&from->bytes_written, __ATOMIC_RELAXED),
        .reads = __atomic_load_n(&from->reads, __ATOMIC_RELAXED),
        .writes = __atomic_load_n(&from->writes, __ATOMIC_RELAXED)};
}

struct process_times task_times(const struct task *task) {
    struct thread_times times;
    thread_read_times(task->thread, &times);
    return (struct process_times){.user_ns = times.user_ns,
                                  .system_ns = times.system_ns,
                                  .minor_faults = __atomic_load_n(&task->faults, __ATOMIC_RELAXED),
                                  .transfers = transfers_of(task)};
}

bool task_capable(const struct task *task, unsigned capability) {
    return task->credentials->effective >> capability & 1;
}

uint64_t task_limit(const struct task *task, unsigned resource) {
    struct process_limit limit = {0};
    k42_result result = k42_call(task->process, limit, resource, NULL, &limit, 0);
    return result < 0 ? 0 : limit.now;
}
