/*
 * clone(), fork() and vfork(): another task, in this process or a new one.
 *
 * Everything is made first and taken back in reverse order when something fails. Then the task
 * becomes visible: in its process, among its parent's children, by its number; then it runs. A new
 * process joins its parent's group before it is looked whether a signal waits: so one that is sent
 * to the group either reaches the child, too, or makes the parent deal with it first and fork
 * again.
 */
#include "lives.h"

#include "../../fs/path.h"
#include "../../print.h"
#include "../../sched/wait.h"
#include "../../trace/events.h"
#include "../abi.h"
#include "../call.h"
#include "../events/process_file.h"
#include "../host_names.h"
#include "../ipc/semaphore_undo.h"
#include "../keys/keys.h"
#include "../landlock/landlock.h"
#include "../ports.h"
#include "../program.h"
#include "../ptrace/tracee.h"
#include "../seccomp/seccomp.h"
#include "ids.h"
#include "users.h"

#include <k42/k42.h>

/* Name spaces other than of the host's names are not there. */
#define CLONE_REFUSED                                                                              \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

static k42_result check(const struct clone_request *request) {
    uint64_t flags = request->flags;
    if (flags & CLONE_REFUSED)
        return -EINVAL;
    if ((flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_SIGHAND) && !(flags & CLONE_VM))
        return -EINVAL;
    if ((flags & CLONE_CLEAR_SIGHAND) && (flags & CLONE_SIGHAND))
        return -EINVAL;
    if ((flags & CLONE_PIDFD) && (flags & (CLONE_THREAD | CLONE_DETACHED)))
        return -EINVAL;
    if ((flags & CLONE_PARENT) && task_self()->pid == 1)
        return -EINVAL;
    if ((flags & CLONE_NEWUTS) && !task_capable(task_self(), CAP_SYS_ADMIN))
        return -EPERM;
    return request->exit_signal < 0 || request->exit_signal > SIGNALS ? -EINVAL : 0;
}

/* ---- what it shares or gets a copy of ---- */

static k42_result share_memory(struct task *self, struct task *task, uint64_t flags) {
    if (flags & CLONE_VM) {
        if (flags & CLONE_THREAD)
            memory_shared(self->memory);
        task->memory = memory_hold(self->memory);
    } else {
        k42_result result = memory_copy(self->memory, &task->memory);
        if (result < 0)
            return result;
    }
    task->space = task->memory->space;
    return 0;
}

static k42_result share_descriptors(struct task *self, struct task *task, uint64_t flags) {
    if (!(flags & CLONE_FILES)) {
        struct k42_pair copy = k42_call(self->descriptors, copy);
        task->descriptors = (descriptors_ref)copy.word;
        return copy.result;
    }
    k42_result result = k42_call(self->descriptors, hold);
    if (result >= 0)
        task->descriptors = self->descriptors;
    return result;
}

static k42_result share_paths(struct task *self, struct task *task, uint64_t flags) {
    task->paths = flags & CLONE_FS ? paths_hold(self->paths) : paths_copy(self->paths);
    return task->paths ? 0 : -ENOMEM;
}

static k42_result share_host_names(struct task *self, struct task *task, uint64_t flags) {
    task->host_names = flags & CLONE_NEWUTS ? host_names_copy(self->host_names)
                                            : host_names_hold(self->host_names);
    return (flags & CLONE_NEWUTS) && !task->host_names ? -ENOMEM : 0;
}

static k42_result share_undo(struct task *task, uint64_t flags) {
    if (flags & CLONE_SYSVSEM)
        task->undo = undo_list_share();
    return (flags & CLONE_SYSVSEM) && !task->undo ? -ENOMEM : 0;
}

static void unshare(struct task *task) {
    undo_list_release(task->undo);
    paths_release(task->paths);
    host_names_release(task->host_names);
    if (k42_id_of(task->descriptors)) {
        k42_result released = k42_call(task->descriptors, release);
        (void)released;
    }
    memory_release(task->memory);
    file_held_release(task->executable);
    filters_release(task->filters);
    landlock_release(task->landlock);
    keys_release(task);
    credentials_release(task->credentials);
}

static k42_result share(struct task *self, struct task *task, uint64_t flags) {
    k42_result result = share_memory(self, task, flags);
    if (result >= 0)
        result = share_descriptors(self, task, flags);
    if (result < 0)
        task->descriptors = (descriptors_ref)K42_NULL_REF;
    if (result >= 0)
        result = share_paths(self, task, flags);
    if (result >= 0)
        result = share_host_names(self, task, flags);
    if (result >= 0)
        result = share_undo(task, flags);
    if (result >= 0)
        result = ports_inherit(self, task);
    task->credentials = credentials_hold(self->credentials);
    task->executable = file_held_hold(self->executable);
    task->filters = filters_hold(__atomic_load_n(&self->filters, __ATOMIC_ACQUIRE));
    task->guarded = task->strict || task->filters;
    task->landlock = landlock_hold(self->landlock);
    keys_inherit(self, task, flags & CLONE_THREAD);
    if (result < 0)
        unshare(task);
    return result;
}

/* ---- its registers ---- */

static void inherit(struct task *self, struct task *task, const struct clone_request *request) {
    uint64_t flags = request->flags;
    __builtin_memcpy(task->name, self->name, sizeof task->name);
    task->blocked = self->blocked;
    task->persona = self->persona;
    task->login = self->login;
    task->login_session = self->login_session;
    task->timer_slack = self->timer_slack;
    task->memory_errors = self->memory_errors;
    task->flushes = self->flushes;
    task->memory_policy = self->memory_policy;
    task->io_priority = self->io_priority;
    task->no_new_privileges = self->no_new_privileges;
    task->strict = self->strict;
    if (!(flags & CLONE_VM) || (flags & CLONE_VFORK))
        task->signal_stack = self->signal_stack;
    else
        task->signal_stack.flags = SS_DISABLE;
    if (!(flags & CLONE_VM)) {
        task->sequence_area = self->sequence_area;
        task->sequence_signature = self->sequence_signature;
        task->sequence_cpu = ~0u;
    }
    if (flags & CLONE_CHILD_CLEARTID)
        task->clear_tid = request->child_tid;
    if (flags & CLONE_CHILD_SETTID)
        task->tid_address = request->child_tid;
    task->start = *self->frame;
    task->start.rax = 0;
    if (request->stack)
        task->start.rsp = request->stack;
}

/* What raised the parent is not the child's. */
static void begin_as_usual(struct thread *thread) {
    struct thread_policy policy;
    thread_read_policy(thread, &policy);
    if (policy.priority)
        policy = (struct thread_policy){.called = SCHED_NORMAL};
    else if (policy.nice < 0)
        policy.nice = 0;
    if (thread_set_policy(thread, &policy))
        panic("linux: a thread cannot have the usual policy");
}

static k42_result make_thread(struct task *task, const struct clone_request *request) {
    task->thread = thread_create(task->name, task_begin, task);
    if (!task->thread)
        return -ENOMEM;
    thread_set_task(task->thread, task);
    if (__atomic_load_n(&task_self()->resets_policy, __ATOMIC_RELAXED))
        begin_as_usual(task->thread);
    struct user_context *context = thread_user(task->thread);
    user_context_copy(context, task->state, task->memory->table);
    ports_give(task);
    if (request->flags & CLONE_VM)
        context->personality = &linux_personality; /* no restartable sequences */
    if (request->flags & CLONE_SETTLS)
        context->fs_base = request->tls;
    return 0;
}

/* ---- its process ---- */

static k42_result own_parent(struct task *self, uint64_t flags, process_ref *parent, int *pid) {
    *parent = self->process;
    *pid = self->pid;
    if (!(flags & CLONE_PARENT))
        return 0;
    struct process_info info;
    k42_result result = k42_call(self->process, info, &info);
    *parent = (process_ref)k42_id_ref(info.parent_process);
    *pid = info.parent;
    return result;
}

/* The process gets its group and its parent; with one of them gone meanwhile it is not made. */
static k42_result settle(struct task *self, struct task *task, process_ref parent,
                         const struct process_creation *creation) {
    struct session *session = ids_session(creation->session);
    k42_result result = group_join(creation->group, session, task->process);
    if (result < 0)
        return result == -EPERM ? -EAGAIN : result;
    struct child child = {
        .pid = task->pid,
        .group = creation->group,
        .process = k42_id_of(task->process),
        .exit_signal = creation->exit_signal,
        .parent_thread = self->tid,
        .state = CHILD_RUNS,
    };
    result = signal_is_pending() ? -LINUX_RESTART_ALWAYS : k42_call(parent, adopt, &child);
    if (result < 0)
        group_leave(creation->group, task->process);
    return result;
}

static k42_result make_process(struct task *self, struct task *task,
                               const struct clone_request *request) {
    struct process_info info;
    process_ref parent;
    int parent_pid;
    k42_result result = k42_call(self->process, info, &info);
    if (result >= 0)
        result = own_parent(self, request->flags, &parent, &parent_pid);
    if (result < 0)
        return result;
    task->pid = task->tid;
    struct process_creation creation = {
        .heir_of = self->process,
        .parent = parent,
        .pid = task->pid,
        .parent_pid = parent_pid,
        .group = info.group,
        .session = info.session,
        .exit_signal = request->exit_signal,
        .parent_thread = request->flags & CLONE_PARENT ? 0 : self->tid,
        .borrows = request->flags & CLONE_VFORK,
        .default_handlers = request->flags & CLONE_CLEAR_SIGHAND,
    };
    result = process_create(&creation, &task->process);
    if (result < 0)
        return result;
    result = k42_call(task->process, join, task);
    if (result >= 0)
        result = settle(self, task, parent, &creation);
    if (result < 0 && k42_destroy((k42_ref)task->process) < 0)
        return -EAGAIN;
    return result;
}

static k42_result join_process(struct task *self, struct task *task) {
    task->process = self->process;
    task->pid = self->pid;
    return k42_call(task->process, join, task);
}

/* ---- all of it ---- */

static k42_result make(struct task *self, struct task *task, const struct clone_request *request) {
    k42_result result = make_thread(task, request);
    if (result < 0)
        return result;
    if (request->flags & CLONE_THREAD)
        result = join_process(self, task);
    else
        result = make_process(self, task, request);
    if (result < 0)
        thread_discard(task->thread);
    return result;
}

/* Nobody can have waited for the child: who could is the thread that is here. */
static void wait_for_memory(process_ref child) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(child, borrow, 0));
    (void)result;
}

static k42_result launch(struct task *task, const struct clone_request *request) {
    struct task *self = task_self();
    process_ref process = task->process;
    int32_t tid = task->tid;
    ids_set(tid, process);
    if (request->flags & CLONE_THREAD)
        seccomp_begin(self, task);
    K42_TRACE(event_clone, (uint32_t)self->tid, (uint32_t)tid);
    if (request->flags & CLONE_PARENT_SETTID) {
        k42_result written = program_write(request->parent_tid, &tid, sizeof tid);
        (void)written; /* as on Linux, the child is there all the same */
    }
    int event = tracee_of(self) ? tracing_child(self, task, request) : 0;
    thread_launch(task->thread);
    if (event)
        tracing_event(self, event, (uint64_t)tid);
    if (request->flags & CLONE_VFORK) {
        wait_for_memory(process);
        tracing_event(self, PTRACE_EVENT_VFORK_DONE, (uint64_t)tid);
    }
    return tid;
}

/* Whoever may manage resources has no limit. */
static k42_result charge_user(const struct task *self) {
    bool may = task_capable(self, CAP_SYS_RESOURCE) || task_capable(self, CAP_SYS_ADMIN);
    return user_add_thread(self->credentials->uid,
                           may ? UINT64_MAX : task_limit(self, RLIMIT_NPROC));
}

/* The child has its descriptors already, and does not get this one. */
static k42_result reserve_file(const struct clone_request *request) {
    if (!(request->flags & CLONE_PIDFD))
        return 0;
    k42_result fd = process_file_reserve();
    int32_t number = (int32_t)fd;
    k42_result result = fd < 0 ? fd : program_write(request->process_fd, &number, sizeof number);
    if (fd >= 0 && result < 0)
        process_file_take_back(number);
    return result < 0 ? result : fd;
}

static k42_result make_with_file(struct task *self, struct task *task,
                                 const struct clone_request *request) {
    k42_result fd = reserve_file(request);
    k42_result result = fd < 0 ? fd : make(self, task, request);
    if (!(request->flags & CLONE_PIDFD) || fd < 0)
        return result;
    if (result < 0)
        process_file_take_back((int)fd);
    else
        process_file_settle((int)fd, task->process);
    return result;
}

static k42_result clone_once(const struct clone_request *request) {
    struct task *self = task_self(), *task;
    k42_result result = check(request);
    if (result >= 0)
        result = charge_user(self);
    if (result < 0)
        return result;
    if (!(task = task_make())) {
        user_remove_thread(self->credentials->uid);
        return -ENOMEM;
    }
    inherit(self, task, request);
    k42_result number = ids_take();
    result = number;
    if (result >= 0) {
        task->tid = (int32_t)number;
        result = share(self, task, request->flags);
    }
    if (result >= 0) {
        result = make_with_file(self, task, request);
        if (result < 0)
            unshare(task);
    }
    if (result >= 0)
        return launch(task, request);
    if (number >= 0)
        ids_give((int)number);
    user_remove_thread(self->credentials->uid);
    task_unmake(task);
    return result;
}

k42_result task_clone(const struct clone_request *request) {
    k42_result result;
    MEMORY_CALL(result, result = clone_once(request));
    return result;
}

/* ---- calls ---- */

LINUX_CALL(56, clone, uint64_t flags, uint64_t stack, uint64_t parent_tid, uint64_t child_tid,
           uint64_t tls) {
    struct clone_request request = {
        .flags = flags & 0xffffff00u,
        .stack = stack,
        .tls = tls,
        .parent_tid = parent_tid,
        .child_tid = child_tid,
        .process_fd = parent_tid,
        .exit_signal = (int)(flags & 0xff),
    };
    if ((flags & CLONE_PIDFD) && (flags & CLONE_PARENT_SETTID))
        return -EINVAL; /* both at one place */
    return task_clone(&request);
}

LINUX_CALL(57, fork, void) {
    struct clone_request request = {.exit_signal = SIGCHLD};
    return task_clone(&request);
}

LINUX_CALL(58, vfork, void) {
    struct clone_request request = {.flags = CLONE_VM | CLONE_VFORK, .exit_signal = SIGCHLD};
    return task_clone(&request);
}

/* A later, longer structure is taken if what we do not know of it is zero. */
static k42_result read_arguments(struct clone_args *arguments, uintptr_t from, size_t size) {
    if (size < CLONE_ARGS_SIZE_VER0)
        return -EINVAL;
    if (size > FRAME_SIZE)
        return -E2BIG;
    *arguments = (struct clone_args){0};
    size_t known = size < sizeof *arguments ? size : sizeof *arguments;
    k42_result result = program_read(arguments, from, known);
    for (size_t at = known; at < size && result >= 0; at++) {
        uint8_t more = 0;
        result = program_read(&more, from + at, 1);
        if (result >= 0 && more)
            result = -E2BIG;
    }
    return result;
}

LINUX_CALL(435, clone3, uintptr_t from, size_t size) {
    struct clone_args arguments;
    k42_result result = read_arguments(&arguments, from, size);
    if (result < 0)
        return result;
    if (arguments.set_tid_size || arguments.cgroup || (arguments.flags & 0xff) ||
        (arguments.flags >> 33) || arguments.exit_signal > SIGNALS ||
        !arguments.stack != !arguments.stack_size)
        return -EINVAL;
    if ((arguments.flags & (CLONE_THREAD | CLONE_PARENT)) && arguments.exit_signal)
        return -EINVAL;
    struct clone_request request = {
        .flags = arguments.flags,
        .stack = arguments.stack + arguments.stack_size,
        .tls = arguments.tls,
        .parent_tid = arguments.parent_tid,
        .child_tid = arguments.child_tid,
        .process_fd = arguments.pidfd,
        .exit_signal = (int)arguments.exit_signal,
    };
    return task_clone(&request);
}
