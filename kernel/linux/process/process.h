/*
 * The interface `process`: what Linux calls a process or thread group. It knows its threads, what
 * signals wait for them and what is done about each, its children and what became of them, its
 * limits and its accounts.
 *
 * Existence. A process is found by its number (ids.h) or known to its parent by ref; it lasts until
 * its parent has waited for it. Between k42_enter() and k42_exit() its tasks last, too. A parent
 * keeps a record of each child (struct child), which the child changes by parent.changed(); so
 * waiting asks no other object.
 *
 * Methods do not wait: -K42_WAIT is on one of the keys of enum process_key. They may be called by
 * any active thread.
 */
#ifndef KERNEL_PROCESS_H
#define KERNEL_PROCESS_H

#include "../signal/signals.h"

#include <k42/object.h>

#define PROCESS_INTERFACE_VERSION 5

struct process;
struct task;
struct thread;
struct tracee;

/* What can be waited for. */
enum process_key {
    PROCESS_CHILDREN, /* a child changed */
    PROCESS_THREADS,  /* a thread left */
    PROCESS_STOPPED,  /* it goes on */
    PROCESS_BORROWED, /* a child made by vfork() no longer uses its parent's memory */
    PROCESS_SIGNALS,  /* a signal came: sigtimedwait, signalfd */
    PROCESS_ENDED,    /* it has ended, and whoever waits for it knows: pidfd */
};

/* What went through read() and write() and their like: bytes, and how many calls it were. */
struct process_transfers {
    uint64_t bytes_read, bytes_written;
    uint64_t reads, writes;
};

struct process_times {
    uint64_t user_ns, system_ns;
    uint64_t minor_faults, major_faults, switches, forced_switches;
    uint64_t most_resident; /* pages */
    struct process_transfers transfers;
};

enum child_state {
    CHILD_RUNS,
    CHILD_STOPPED,
    CHILD_CONTINUED,
    CHILD_ENDED,
    /* Of those that are traced. */
    CHILD_TRAPPED,
    CHILD_LEFT,        /* it has ended, and its parent does not know yet */
    CHILD_THREAD_LEFT, /* likewise a thread, whose number is still taken */
};

/* A child, as its parent knows it. */
struct child {
    int32_t pid, group;
    k42_id process;
    uint32_t uid;
    int32_t exit_signal; /* sent to the parent at its end; 0: none */
    enum child_state state;
    int32_t status;             /* as wait() gives it */
    uint32_t turn;              /* counts what the process tells; 0: nothing yet */
    int32_t parent_thread;      /* which thread made it, for __WNOTHREAD */
    struct process_times times; /* its own and of the children it waited for */
};

/* Which children to wait for, in what states. */
struct child_choice {
    int32_t pid;     /* that one, or 0: any */
    int32_t group;   /* of that group, or 0: any */
    uint32_t states; /* bits: 1 << CHILD_ENDED and so on */
    uint32_t kinds;  /* __WALL, __WCLONE, __WNOTHREAD */
    int32_t thread;  /* for __WNOTHREAD */
    bool keep;       /* WNOWAIT: it can be waited for again */
};

struct process_limit {
    uint64_t now, most;
};
#define PROCESS_LIMITS 16

/* Numbers of a process that may be set or read, where Linux's prctl and its like do. */
enum process_number {
    PROCESS_DUMPABLE,
    PROCESS_SUBREAPER,                /* orphans below it come to it */
    PROCESS_OUT_OF_MEMORY_ADJUSTMENT, /* -1000 to 1000 */
    PROCESS_NUMBERS,
};

/* What a child gets a copy of. */
struct process_heritage {
    struct process_limit limits[PROCESS_LIMITS];
    struct signal_action actions[SIGNALS];
    uint64_t ignored; /* signals whose action is to do nothing */
    uint64_t caught;  /* signals that have a handler */
    int32_t numbers[PROCESS_NUMBERS];
};

struct process_info {
    int32_t pid, parent, group, session;
    k42_id parent_process;
    int32_t parent_thread; /* that made it, or 0 */
    int32_t threads;
    enum child_state state;
    int32_t exit_signal;
    uint64_t started_ns;
    struct process_times times, child_times;
    uint64_t pending, ignored, caught; /* of the process; signals; those it ignores itself */
    bool ending;                       /* its threads are on their way out */
    bool known;                        /* it has ended, and can be waited for */
    int32_t status;                    /* with which, as wait() gives it */
    uint32_t queued;                   /* signals that carry something, of its threads as well */
    bool executed;                     /* it has called execve() */
    char name[16];                     /* of the last thread that left it */
    uint32_t uid, gid;                 /* effective, of that one */
};

struct process_ops {
    struct k42_object_ops object;

    /* What is known of it. */
    K42_METHOD(info)(struct process *self, K42_OUT struct process_info *info);

    /* ---- threads ---- */

    /* One more thread. Errors: -EAGAIN, the process is ending or a thread wants to be alone. */
    K42_METHOD(join)(struct process *self, K42_LOCAL struct task *task);

    /* One thread fewer; returns how many are left. In the word, with the last one: the record by
     * which the first thread was traced, if it was, with its hold. */
    K42_METHOD_PAIR(leave)(struct process *self, K42_LOCAL struct task *task);

    /* The task with number `tid`, or with `next` the first with a number of at least `tid`, in the
     * word. It lasts while the caller stays active. Errors: -ESRCH. */
    K42_METHOD_PAIR(thread)(struct process *self, int tid, unsigned next);

    /* All threads are to end, with this status as wait() gives it; that of the first such call
     * counts, and is returned. */
    K42_METHOD(end)(struct process *self, int status);

    /*
     * The calling thread ends all others, takes over the process's own number, and stays alone.
     * Errors: -K42_WAIT until it is, -EAGAIN: another is doing it, or the process is ending.
     */
    K42_METHOD(alone)(struct process *self, K42_LOCAL struct task *task);

    /* ---- signals ---- */

    /* A signal for one thread, or with tid 0 for any. Errors: -ESRCH, -EAGAIN (too many queued). */
    K42_METHOD(send)(struct process *self, int tid, K42_IN const struct signal_info *info);

    /*
     * Takes the next signal of a set for a thread, and what is to be done about it. `deliver`: by
     * what the program wants; ignored ones are dropped, and its flags are heeded. Returns its
     * number, or 0.
     */
    K42_METHOD(take)
    (struct process *self, K42_LOCAL struct task *task, uint64_t set, unsigned deliver,
     K42_OUT struct signal_taken *taken);

    /* Which of `blocked` a thread blocks from now on. */
    K42_METHOD(block)(struct process *self, K42_LOCAL struct task *task, uint64_t blocked);

    /* Those that wait for a thread or for all, in the word. */
    K42_METHOD_PAIR(pending)(struct process *self, K42_LOCAL struct task *task);

    /* What waits for a thread (NULL: for the process) at a position, the oldest at 0. Errors:
     * -ENOENT. */
    K42_METHOD(queued)
    (struct process *self, K42_LOCAL struct task *task, uint64_t position,
     K42_OUT struct signal_info *info);

    /* What is done about a signal: sets (not NULL) and tells (not NULL). Errors: -EINVAL. */
    K42_METHOD(act)
    (struct process *self, int signal, K42_LOCAL const struct signal_action *wanted,
     K42_LOCAL struct signal_action *present);

    /* The calling thread does what the default is after `signal`: it stops. -K42_WAIT: until it
     * goes on. With 0: only if the process is stopped. One that is traced gets the signal that it
     * is to stop with for its tracer (SIGTRAP: because that asks for it), once, or 0. */
    K42_METHOD(stop)(struct process *self, K42_LOCAL struct task *task, int signal);

    /* A new program: handlers go, what is ignored stays; numbers are as at the beginning; and if it
     * borrowed its parent's memory, the parent goes on. */
    K42_METHOD(executed)(struct process *self);

    /* ---- family ---- */

    /* One more child. Errors: -ENOMEM; -ESRCH, it is ending. */
    K42_METHOD(adopt)(struct process *self, K42_IN const struct child *child);

    /* A child changed, or is in another group. Errors: -ESRCH: it is not its child any more.
     * Returns 1 when nobody will wait for it: its end is the caller's matter. */
    K42_METHOD(changed)(struct process *self, K42_IN const struct child *child);

    /* Waits for a child. Returns its pid; -ECHILD: there is none such; -K42_WAIT. */
    K42_METHOD(wait)
    (struct process *self, K42_IN const struct child_choice *choice, K42_OUT struct child *child);

    /* Takes a child out, any but `keep`, for another parent: its pid; 0: there is none. No more
     * come. */
    K42_METHOD(disown)(struct process *self, K42_OUT struct child *child);

    /* The numbers of children that a thread has made (the first: or that nobody else has), in the
     * order of their coming, behind the one with the number `after` (0: from the first on), as many
     * as there is room for. Returns how many bytes; 0 also when that one has gone meanwhile. */
    K42_METHOD(children)
    (struct process *self, int thread, int after, K42_OUT K42_BUF(size, 4096) int32_t *pids,
     size_t size);

    /* It has another parent from now on; what that should know of it. Returns 1 if it has ended. */
    K42_METHOD(reparent)
    (struct process *self, k42_ref parent, int parent_pid, K42_OUT struct child *child);

    /* It has ended (its last thread has left); what its parent should know of it. Returns the
     * parent's id. */
    K42_METHOD(ended)(struct process *self, K42_OUT struct child *child);

    /* What its threads have used, those that have left included. */
    K42_METHOD(times)(struct process *self, K42_OUT struct process_times *times);

    /* Its group, and its session when that is not 0. Errors: -EALREADY, it is in that group. */
    K42_METHOD(regroup)(struct process *self, int group, int session);

    /* -K42_WAIT while it borrows its parent's memory. With `back`: not any more. */
    K42_METHOD(borrow)(struct process *self, unsigned back);

    /* ---- the rest ---- */

    /* A limit: sets (not NULL) and tells (not NULL). Errors: -EINVAL, -EPERM (raises the most, and
     * not `may_raise`). */
    K42_METHOD(limit)
    (struct process *self, unsigned resource, K42_LOCAL const struct process_limit *wanted,
     K42_LOCAL struct process_limit *present, unsigned may_raise);

    /* What a child is to have. */
    K42_METHOD(bequeath)(struct process *self, K42_LOCAL struct process_heritage *heritage);

    /* One of process_number. Errors: -EINVAL. */
    K42_METHOD(number)(struct process *self, unsigned which);
    /* Sets it. Errors: -EINVAL. */
    K42_METHOD(set_number)(struct process *self, unsigned which, int value);

    /* What RLIMIT_CPU has it get now: a signal, or 0; in the word how many nanoseconds it may use
     * until this is to be asked again, or ~0: never. */
    K42_METHOD_PAIR(time_limit)(struct process *self);

    /* Calls a function for a thread that is kept from ending meanwhile, by the process's lock: it
     * may use the thread and the heap, and calls no object. Returns what it returns. Errors:
     * -ESRCH: the thread is on its way out. */
    K42_METHOD(keep)
    (struct process *self, K42_LOCAL struct task *task,
     K42_LOCAL k42_result (*fn)(struct thread *thread, void *argument), K42_LOCAL void *argument);

    /* ---- tracing ---- */

    /* One of its threads traces somebody: that with the number the record says, or another if there
     * is no such, which the record says then. Takes over a hold. Errors: -ESRCH: it is ending. */
    K42_METHOD(trace)(struct process *self, K42_LOCAL struct tracee *tracee);

    /* Nobody does any more: 1, and the hold is the caller's; 0: that was so already. */
    K42_METHOD(untrace)(struct process *self, K42_LOCAL struct tracee *tracee);

    /* Takes one that a thread traces out, in the word, with its hold. Errors: -ESRCH. */
    K42_METHOD_PAIR(traced)(struct process *self, int tid);

    /* Whoever waits for it has learned of its end. */
    K42_METHOD(known)(struct process *self);
};

struct process {
    const struct process_ops *ops;
};
K42_DECLARE_REF(process);
extern const struct k42_interface process_interface;

/* SIGCHLD as a child's change causes it. */
struct signal_info child_signal_info(const struct child *child);

/* What a process is made with. */
struct process_creation {
    process_ref heir_of; /* it has a copy of that one's heritage; null for the first */
    process_ref parent;
    int pid, parent_pid, group, session;
    int exit_signal;
    int parent_thread;     /* that makes it, or 0 */
    bool borrows;          /* vfork: its parent's memory */
    bool default_handlers; /* CLONE_CLEAR_SIGHAND */
};

/* Makes one, without threads. Active callers. Errors: -ENOMEM. k42_destroy() ends it. */
K42_MUST_CHECK
k42_result process_create(const struct process_creation *creation, process_ref *process);

#endif
