/*
 * Ends: of threads, and of the process with its last thread.
 *
 * The order is Linux's where a program can see it: what the thread uses together with others is
 * given up first (so that the other end of a pipe knows before the parent does), then children go
 * to another parent, then the parent learns of it. When the parent knows, the process object may be
 * gone at any moment: nothing of it is touched afterwards.
 */
#include "accounting.h"
#include "lives.h"

#include "../../dev/tty/terminal.h"
#include "../../mem/heap/heap.h"
#include "../../print.h"
#include "../../sched/wait.h"
#include "../../trace/events.h"
#include "../abi.h"
#include "../call.h"
#include "../job.h"
#include "../program.h"
#include "../ptrace/tracee.h"
#include "../uring/staff.h"
#include "ids.h"
#include "users.h"

#include <k42/k42.h>

void (*task_futexes_end)(struct task *task);
void (*process_alarms_end)(int pid, bool goes_on);

static void ignore(k42_result result) {
    (void)result;
}

/* ---- children that lose their parent ---- */

/* The nearest process above that takes orphans, or the first process. */
static process_ref reaper_of(k42_id above, int *pid) {
    struct process_info info;
    for (;;) {
        process_ref candidate = (process_ref)k42_id_ref(above);
        if (k42_call(candidate, info, &info) < 0)
            break;
        if (k42_call(candidate, number, PROCESS_SUBREAPER) > 0 && info.state != CHILD_ENDED) {
            *pid = info.pid;
            return candidate;
        }
        above = info.parent_process;
    }
    *pid = 1;
    return ids_process(1);
}

void process_tell_known(const struct child *child) {
    ignore(k42_call((process_ref)k42_id_ref(child->process), known));
    wait_notify(child->process, PROCESS_ENDED, WAIT_READ, WAIT_ALL);
}

void process_tell_end(process_ref parent, const struct child *child) {
    k42_result told = k42_call(parent, changed, child);
    if (told == 1)
        process_reap(child);
    if (told >= 0)
        process_tell_known(child);
}

static void give_away(const struct child *child, k42_id above) {
    process_ref process = (process_ref)k42_id_ref(child->process);
    struct child now = *child, moved = *child;
    moved.exit_signal = SIGCHLD;
    for (;;) {
        int pid;
        process_ref reaper = reaper_of(above, &pid);
        k42_result adopted = k42_call(reaper, adopt, &moved);
        if (adopted == -ENOMEM)
            thread_sleep(1000000); /* memory comes back as we end; a child must not get lost */
        if (adopted < 0 && pid != 1)
            continue;
        if (adopted >= 0 && k42_call(process, reparent, (k42_ref)reaper, pid, &now) == 1)
            process_tell_end(reaper, &now);
        if (adopted >= 0 || pid == 1)
            return;
    }
}

/* ---- groups that lose whoever could continue them ---- */

static bool has_stopped(struct group *group) {
    k42_id *members;
    k42_result count = group_members(group, &members);
    bool stopped = false;
    for (k42_result i = 0; i < count && !stopped; i++) {
        struct process_info info;
        stopped = k42_call((process_ref)k42_id_ref(members[i]), info, &info) >= 0 &&
                  info.state == CHILD_STOPPED;
    }
    if (count >= 0)
        heap_free(members);
    return stopped;
}

/* Whether a process with that parent keeps its group from being orphaned. */
static bool holds_group(const struct process_info *child, const struct process_info *parent) {
    return parent->group != child->group && parent->session == child->session;
}

/* A group that somebody held who does so no more. */
static void wake_orphans(int number, k42_id except) {
    struct group *group = ids_group(number);
    if (!group || !has_stopped(group) || !group_is_orphaned(group, except))
        return;
    struct signal_info hang_up = signal_from_kernel(SIGHUP), go_on = signal_from_kernel(SIGCONT);
    ignore(signal_group(number, &hang_up));
    ignore(signal_group(number, &go_on));
}

/* PR_SET_PDEATHSIG: to the process of each thread that asked for it. */
static void tell_of_death(process_ref process) {
    for (int tid = 1;;) {
        struct k42_pair found = k42_call(process, thread, tid, 1);
        if (found.result < 0)
            return;
        const struct task *task = (const struct task *)found.word;
        struct signal_info info = signal_from_kernel(task->parent_death_signal);
        if (info.signal)
            ignore(k42_call(process, send, 0, &info));
        tid = task->tid + 1;
    }
}

static void give_children_away(struct task *task, const struct process_info *self) {
    struct child child;
    while (k42_call(task->process, disown, &child) > 0) {
        struct process_info info;
        bool other = k42_call((process_ref)k42_id_ref(child.process), info, &info) >= 0 &&
                     holds_group(&info, self);
        give_away(&child, self->parent_process);
        tell_of_death((process_ref)k42_id_ref(child.process));
        if (other)
            wake_orphans(info.group, 0);
    }
}

/* ---- the end of a process ---- */

void process_reap(const struct child *child) {
    process_ref process = (process_ref)k42_id_ref(child->process);
    struct process_info info;
    if (k42_call(process, info, &info) < 0 || k42_destroy((k42_ref)process) < 0)
        return;
    group_leave(info.group, process);
    ids_give(child->pid);
}

/* The terminal of a session whose leader ends is nobody's any more, and says so to who uses it. Of
 * one that has hung up before, they hear now. */
static void leave_session(const struct process_info *self) {
    struct session *session = self->pid == self->session ? ids_session(self->session) : NULL;
    k42_id terminal = session ? __atomic_load_n(&session->terminal, __ATOMIC_RELAXED) : 0;
    int32_t group = session ? __atomic_load_n(&session->foreground, __ATOMIC_RELAXED) : 0;
    if (terminal) {
        ignore(k42_call((terminal_ref)k42_id_ref(terminal), session_ended, self->session, true));
    } else if (group) {
        job_signal(group, SIGHUP);
        job_signal(group, SIGCONT);
    }
}

/* The parent that is there when the call is made; while it changes, reparent() finds us ended. */
static void end_process(struct task *task, struct tracee *tracee) {
    struct process_info self;
    struct child child;
    if (task->pid == 1)
        panic("linux: the first program has ended; there is nobody to go on");
    if (process_alarms_end)
        process_alarms_end(task->pid, false);
    ignore(k42_call(task->process, info, &self));
    accounting_write(task, &self);
    leave_session(&self);
    give_children_away(task, &self);
    k42_result parent = k42_call(task->process, ended, &child);
    if (parent < 0)
        return;
    child.uid = task->credentials->uid;
    struct process_info above;
    if (k42_call((process_ref)k42_id_ref((k42_id)parent), info, &above) >= 0 &&
        holds_group(&self, &above))
        wake_orphans(self.group, child.process);
    if (!tracee || !tracee_ended(tracee, &child))
        process_tell_end((process_ref)k42_id_ref((k42_id)parent), &child);
}

/* ---- the end of a thread ---- */

static void clear_tid(struct task *task) {
    int32_t zero = 0;
    if (task->clear_tid && __atomic_load_n(&task->memory->references, __ATOMIC_RELAXED) > 1)
        ignore(program_write(task->clear_tid, &zero, sizeof zero));
    if (task_futexes_end)
        task_futexes_end(task);
}

/* A thread that is not the first ends for its tracer by itself. True: that gives its number back.
 */
static bool end_traced(const struct task *task, struct tracee *tracee) {
    struct child child = {.pid = task->tid,
                          .process = k42_id_of(task->process),
                          .uid = task->credentials->uid,
                          .state = CHILD_THREAD_LEFT,
                          .status = task->exit_status};
    return tracee && tracee_ended(tracee, &child);
}

static void task_free(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct task, defer));
}

void task_exit(void) {
    struct task *task = task_self();
    struct credentials *credentials = credentials_hold(task->credentials);
    struct tracee *tracee = NULL;
    tracing_exit(task);
    staff_end(task);
    task->ending = true;
    if (task->memory)
        clear_tid(task);
    task_release(task);
    task->credentials = credentials;
    int32_t tid = task->tid, pid = task->pid;
    K42_TRACE(event_exit, (uint32_t)tid, task->name);
    tracees_leave(task);
    if (tid != pid)
        tracee = tracee_close(task);
    struct k42_pair left = k42_call(task->process, leave, task);
    bool given = end_traced(task, tracee);
    if (left.result == 0)
        end_process(task, (struct tracee *)left.word);
    if (tid != pid && !given)
        ids_give(tid);
    thread_set_task(thread_self(), NULL);
    user_remove_thread(credentials->uid);
    credentials_release(credentials);
    k42_defer(&task->defer, task_free);
    k42_exit();
    thread_exit();
}

void process_exit(int status) {
    ignore(k42_call(task_self()->process, end, status));
    task_exit();
}

LINUX_CALL(60, exit, int status) {
    task_self()->exit_status = (status & 0xff) << 8;
    task_exit();
}

LINUX_CALL(231, exit_group, int status) {
    process_exit((status & 0xff) << 8);
}
