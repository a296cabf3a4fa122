/*
 * /proc/PID and /proc/PID/task/TID: what a process is and uses, in Linux's words.
 *
 * A process that has ended and has not been waited for has no task; then there is what its object
 * remembers. Nothing is locked: each file is of several moments close together, as on Linux.
 */
#include "../../copy.h"
#include "../../dev/tty/terminal.h"
#include "../../fs/file.h"
#include "../../fs/path.h"
#include "../../fs/values.h"
#include "../../sched/thread.h"
#include "../files/files.h"
#include "../files/proc.h"
#include "../job.h"
#include "../process/account.h"
#include "../process/ids.h"
#include "../process/lives.h"
#include "../ptrace/tracee.h"
#include "../whom.h"
#include "proc.h"
#include "runtime.h"
#include "subject.h"

#include <k42/k42.h>

#define NS_PER_TICK  10000000ul
#define KIB_PER_PAGE 4ul

bool subject_find(const struct proc_key *key, struct subject *subject) {
    *subject = (struct subject){.process = ids_process((int)key->id[0])};
    if (k42_call(subject->process, info, &subject->info) < 0)
        return false;
    int tid = key->id[1] ? (int)key->id[1] : subject->info.pid;
    struct k42_pair task = k42_call(subject->process, thread, tid, 0);
    subject->first_left = task.result < 0;
    if (task.result < 0 && !key->id[1])
        task = k42_call(subject->process, thread, 0, 1);
    if (task.result < 0)
        return !key->id[1];
    subject->task = (struct task *)task.word;
    subject->times = key->id[1] ? task_times(subject->task) : account_of_process(subject->process);
    /* Its memory may be given up at this moment; then it has none. */
    if (k42_call(subject->task->space, usage, &subject->usage) < 0 ||
        k42_call(subject->task->space, marks, &subject->marks) < 0)
        subject->usage = (struct space_usage){0};
    return true;
}

const char *subject_name(const struct subject *subject) {
    return subject->task ? subject->task->name : subject->info.name;
}

/* A process is what its first thread is. */
const char *subject_state(const struct subject *subject) {
    if (!subject->task || subject->first_left)
        return "Z (zombie)";
    const struct tracee *tracee = tracee_of(subject->task);
    if (tracee && __atomic_load_n(&tracee->state, __ATOMIC_RELAXED) == TRACEE_STOPPED)
        return "t (tracing stop)";
    if (!tracee &&
        (subject->info.state == CHILD_STOPPED || k42_load_relaxed(&subject->task->stopped)))
        return "T (stopped)";
    switch (thread_activity(subject->task->thread)) {
    case THREAD_RUNS:
        return "R (running)";
    case THREAD_SLEEPS:
        return "S (sleeping)";
    case THREAD_IS_HELD:
        return "D (disk sleep)";
    default:
        return "X (dead)";
    }
}

/* ---- stat ---- */

static void print_times(struct proc_text *text, const struct subject *subject) {
    const struct process_times *own = &subject->times, *children = &subject->info.child_times;
    proc_print(text, " %lu %lu %lu %lu", own->user_ns / NS_PER_TICK, own->system_ns / NS_PER_TICK,
               children->user_ns / NS_PER_TICK, children->system_ns / NS_PER_TICK);
}

/* The priority as Linux counts it for ordinary threads, and what nice() makes of it. */
static void print_priority(struct proc_text *text, const struct subject *subject) {
    struct thread_policy policy;
    int nice = subject->task && whom_policy(subject->task, &policy) >= 0 ? policy.nice : 0;
    proc_print(text, " %d %d", 20 + nice, nice);
}

static k42_result print_stat(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject))
        return -ESRCH;
    const struct process_info *info = &subject.info;
    const struct space_marks *marks = &subject.marks;
    proc_print(text, "%d (%s) ", key->id[1] ? (int)key->id[1] : info->pid, subject_name(&subject));
    proc_put(text, subject_state(&subject), 1);
    struct terminal_facts terminal = {.foreground = -1};
    (void)job_terminal_facts(info->session, &terminal);
    proc_print(text, " %d %d %d %d %d 4194304 %lu 0 %lu 0", info->parent, info->group,
               info->session, (int)terminal.device, terminal.foreground, subject.times.minor_faults,
               subject.times.major_faults);
    print_times(text, &subject);
    print_priority(text, &subject);
    proc_print(text, " %d 0 %lu %lu %lu 18446744073709551615", info->threads,
               info->started_ns / NS_PER_TICK, subject.usage.mapped * FRAME_SIZE,
               subject.usage.resident);
    proc_print(text, " %lu %lu %lu 0 0", marks->code_start, marks->code_end, marks->stack_start);
    proc_print(text, " %lu %lu %lu %lu 0 0 0", info->pending,
               subject.task ? subject.task->blocked : 0, info->ignored, info->caught);
    proc_print(text, " %d 0 0 0 0 0 0 %lu %lu %lu", info->exit_signal, marks->data_start,
               marks->data_end, marks->break_start);
    proc_print(text, " %lu %lu %lu %lu 0\n", marks->arguments_start, marks->arguments_end,
               marks->environment_start, marks->environment_end);
    return 0;
}

static k42_result print_statm(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    struct space_census pages = {0};
    if (!subject_find(key, &subject))
        return -ESRCH;
    if (subject.task && k42_call(subject.task->space, census, &pages) < 0)
        pages = (struct space_census){0};
    uint64_t code = (subject.marks.code_end - subject.marks.code_start + FRAME_SIZE - 1);
    proc_print(text, "%lu %lu %lu %lu 0 %lu 0\n", subject.usage.mapped, subject.usage.resident,
               pages.of_files + pages.of_memory, code / FRAME_SIZE, subject.usage.mapped);
    return 0;
}

/* ---- texts in the program's memory ---- */

#define TEXT_MOST (1ul << 20)

static k42_result print_range(struct proc_text *text, space_ref space, uint64_t at, uint64_t end) {
    char piece[256];
    if (end - at > TEXT_MOST)
        end = at + TEXT_MOST;
    while (at < end) {
        size_t wanted = end - at < sizeof piece ? end - at : sizeof piece;
        struct copy copy = copy_of_kernel(piece, wanted);
        k42_result result = k42_call(space, peek, at, &copy);
        if (result <= 0)
            break;
        proc_put(text, piece, (size_t)result);
        at += (uint64_t)result;
    }
    return 0;
}

static k42_result print_cmdline(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject))
        return -ESRCH;
    return subject.task ? print_range(text, subject.task->space, subject.marks.arguments_start,
                                      subject.marks.arguments_end)
                        : 0;
}

static k42_result print_environ(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject))
        return -ESRCH;
    return subject.task ? print_range(text, subject.task->space, subject.marks.environment_start,
                                      subject.marks.environment_end)
                        : 0;
}

/* Where in the kernel it waits, which is told as by a Linux that does not tell it. */
static k42_result print_where(const struct proc_key *key, struct proc_text *text) {
    struct subject subject;
    if (!subject_find(key, &subject))
        return -ESRCH;
    proc_put(text, "0", 1);
    return 0;
}

/* ---- links ---- */

static k42_result executable_target(const struct proc_key *key, char *text, size_t size) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return -ENOENT;
    struct file_held *held = __atomic_load_n(&subject.task->executable, __ATOMIC_ACQUIRE);
    struct place root = path_root(task_self()->paths);
    return held ? files_name((file_ref)held->file, &root, text, size) : -ENOENT;
}

static k42_result executable_jump(const struct proc_key *key, struct place *place) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return -ENOENT;
    struct file_held *held = __atomic_load_n(&subject.task->executable, __ATOMIC_ACQUIRE);
    struct k42_pair found = {.result = -ENOENT};
    if (held)
        found = k42_call((file_ref)held->file, place);
    if (found.result < 0 || !found.word)
        return -ENOENT;
    *place = *(const struct place *)found.word;
    return 0;
}

/* Where a task's paths begin; they last while we are active. */
static k42_result place_of(const struct proc_key *key, struct place (*which)(struct path_context *),
                           struct place *place) {
    struct subject subject;
    if (!subject_find(key, &subject) || !subject.task)
        return -ENOENT;
    struct path_context *paths = __atomic_load_n(&subject.task->paths, __ATOMIC_ACQUIRE);
    if (!paths)
        return -ENOENT;
    *place = which(paths);
    return 0;
}

static k42_result name_place(const struct place *place, char *text, size_t size) {
    struct place root = path_root(task_self()->paths);
    char *whole = k42_platform_alloc(FILES_PATH), *begin;
    if (!whole)
        return -ENOMEM;
    k42_result result = path_name(place, &root, whole, FILES_PATH, &begin);
    if (result >= 0) {
        result = (k42_result)k42_text_length(begin);
        result = result > (k42_result)size ? (k42_result)size : result;
        __builtin_memcpy(text, begin, (size_t)result);
    }
    k42_platform_free(whole);
    return result;
}

static k42_result working_jump(const struct proc_key *key, struct place *place) {
    return place_of(key, path_working, place);
}

static k42_result working_target(const struct proc_key *key, char *text, size_t size) {
    struct place place;
    k42_result result = working_jump(key, &place);
    return result < 0 ? result : name_place(&place, text, size);
}

static k42_result root_jump(const struct proc_key *key, struct place *place) {
    return place_of(key, path_root, place);
}

static k42_result root_target(const struct proc_key *key, char *text, size_t size) {
    struct place place;
    k42_result result = root_jump(key, &place);
    return result < 0 ? result : name_place(&place, text, size);
}

k42_result proc_may_trace(const struct proc_key *key) {
    const struct task *task = proc_task(key->id[0]);
    return !task ? -ENOENT : whom_may_trace(task) ? 0 : -EACCES;
}

/* ---- the tree ---- */

static k42_result next_thread(const struct proc_key *key, uint64_t from) {
    process_ref process = ids_process((int)key->id[0]);
    if (from > INT32_MAX)
        return -ESRCH;
    struct k42_pair task = k42_call(process, thread, (int)from, 1);
    return task.result < 0 ? -ESRCH : ((struct task *)task.word)->tid;
}

#define PROC_FILE(name_, print_)                                                                   \
    { .name = name_, .mode = MODE_REGULAR | 0444, .print = print_, .owner = proc_owner }
#define PROC_SECRET(name_, print_)                                                                 \
    { .name = name_, .mode = MODE_REGULAR | 0400, .print = print_, .owner = proc_owner }
#define PROC_PAGES                                                                                 \
    {                                                                                              \
        .name = "pagemap", .mode = MODE_REGULAR | 0400, .move = subject_move_pagemap,              \
        .owner = proc_owner                                                                        \
    }
#define PROC_MEMORY                                                                                \
    { .name = "mem", .mode = MODE_REGULAR | 0600, .move = subject_move, .owner = proc_owner }
#define PROC_CORE_KINDS                                                                            \
    {                                                                                              \
        .name = "coredump_filter", .mode = MODE_REGULAR | 0644, .print = subject_print_core_kinds, \
        .write = subject_write_core_kinds, .owner = proc_owner                                     \
    }
#define PROC_FORGET                                                                                \
    {                                                                                              \
        .name = "clear_refs", .mode = MODE_REGULAR | 0200, .write = subject_write_forget,          \
        .owner = proc_owner                                                                        \
    }
#define PROC_LINK(name_, target_, jump_)                                                           \
    {                                                                                              \
        .name = name_, .mode = MODE_LINK | 0777, .jumps = true, .target = target_, .jump = jump_,  \
        .allows = proc_may_trace, .owner = proc_owner                                              \
    }

void proc_processes_register(void) {
    static struct proc_entry files[] = {
        PROC_FILE("stat", print_stat),
        PROC_FILE("statm", print_statm),
        PROC_FILE("status", subject_print_status),
        PROC_FILE("cmdline", print_cmdline),
        PROC_FILE("environ", print_environ),
        PROC_FILE("auxv", subject_print_auxv),
        PROC_MEMORY,
        PROC_FILE("maps", subject_print_maps),
        PROC_FILE("smaps", subject_print_smaps),
        PROC_FILE("smaps_rollup", subject_print_rollup),
        PROC_PAGES,
        PROC_FILE("limits", subject_print_limits),
        PROC_FILE("wchan", print_where),
        PROC_SECRET("syscall", subject_print_call),
        PROC_SECRET("io", subject_print_io),
        PROC_SECRET("stack", subject_print_stack),
        PROC_CORE_KINDS,
        PROC_FORGET,
        PROC_LINK("exe", executable_target, executable_jump),
        PROC_LINK("cwd", working_target, working_jump),
        PROC_LINK("root", root_target, root_jump),
    };
    static struct proc_entry of_thread[] = {
        PROC_FILE("stat", print_stat),
        PROC_FILE("status", subject_print_status),
        PROC_FILE("maps", subject_print_maps),
        PROC_FILE("smaps", subject_print_smaps),
        PROC_FILE("smaps_rollup", subject_print_rollup),
        PROC_PAGES,
        PROC_FILE("limits", subject_print_limits),
        PROC_FILE("wchan", print_where),
        PROC_SECRET("syscall", subject_print_call),
        PROC_SECRET("io", subject_print_io),
        PROC_SECRET("stack", subject_print_stack),
        PROC_FILE("children", subject_print_children),
        PROC_FORGET,
        PROC_MEMORY,
    };
    static struct proc_entry thread = {.mode = MODE_DIRECTORY | 0555};
    static struct proc_entry threads = {
        .name = "task", .mode = MODE_DIRECTORY | 0555, .next = next_thread, .each = &thread};
    for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
        proc_add(&proc_process, &files[i]);
    proc_add(&proc_process, &threads);
    for (unsigned i = 0; i < sizeof of_thread / sizeof *of_thread; i++)
        proc_add(&thread, &of_thread[i]);
    proc_adjustable_register(&proc_process, &thread);
}
