/*
 * A task: one thread of a program, as Linux has them, on top of a kernel thread.
 *
 * A task belongs to its own thread, which alone writes it; what others may touch is said at the
 * members. What it shares with other tasks it reaches by refs and counted pointers. Everything that
 * belongs to the process as a whole (threads, children, signal actions, limits, ids of group and
 * session) is in the process object (process/process.h). Its memory goes a grace period after its
 * end.
 */
#ifndef KERNEL_TASK_H
#define KERNEL_TASK_H

#include "../arch/x86_64/arch.h"
#include "../fs/node.h"
#include "../mem/space/space.h"
#include "files/descriptors.h"
#include "linux.h"
#include "process/process.h"

#include <k42/lock.h>

struct call_filter;
struct charge;
struct core;
struct staff;
struct host_names;
struct key;
struct landlock_domain;
struct path_context;
struct thread;
struct tracee;
struct undo_list;
struct user_ports;
struct user_segments;
struct user_table;

/* An address space and how many tasks use it. Lasts a grace period longer than they. */
struct task_memory {
    uint32_t references;
    space_ref space;
    struct user_table *table;
    uint64_t top;                  /* new mappings are placed below; constant */
    k42_ref futexes;               /* futex_table, from its second thread on; set once, atomic */
    struct core *core;             /* while one is made: core/core.h; atomic */
    uint32_t barriers;             /* what membarrier() was told to be ready for; atomic */
    uint32_t core_kinds;           /* what core dumps have: core/core.h; atomic */
    bool small_pages;              /* as prctl() has it; atomic */
    bool segments;                 /* it, or what it was copied from, has had some (ipc/); atomic */
    bool locks;                    /* it has locked some, or will; atomic */
    struct k42_lock filters_lock;  /* seccomp/filters.h; of its threads */
    uint64_t threads_begun;        /* with that */
    struct k42_lock segments_lock; /* who changes these has it */
    struct user_segments *own_segments; /* of modify_ldt(), or NULL; loaded with `table` */
    struct charge *charge;      /* what its frames are charged to; NULL: the machine; constant */
    struct charge *next_charge; /* and those of the program it runs next; atomic */
    struct k42_defer defer;
};

#define TASK_NAME      16
#define TASK_UNLIMITED (~0ul) /* as a limit */

/* Whether a task traces others. */
enum { TASK_TRACES_NONE, TASK_TRACES, TASK_TRACES_NO_MORE };

/* A task's own rings of keys. */
enum { KEYRING_THREAD, KEYRING_PROCESS, KEYRING_SESSION, KEYRINGS };

/* Calls from elsewhere than a range of code are the program's: seccomp/dispatch.c. */
struct call_dispatch {
    uint64_t start, length;
    uintptr_t selector; /* a byte of the program's, or 0 */
    bool is_on;
};

struct task {
    struct thread *thread;
    struct trap_frame *frame; /* the program's registers, while it is in the kernel */
    int32_t tid;              /* read by all */
    int32_t pid;              /* its process's number; constant */
    space_ref space;
    descriptors_ref descriptors;
    struct path_context *paths;
    struct host_names *host_names;   /* NULL: the machine's */
    struct staff *staff;             /* who does for it what it does not wait for, or NULL */
    struct undo_list *undo;          /* of semaphores (ipc/semaphore_undo.h), or NULL */
    struct credentials *credentials; /* replaced whole, by its own thread; others: quiescence */

    process_ref process; /* constant */
    struct task_memory *memory;
    struct file_held *executable; /* what it runs, for /proc; read by all, replaced whole */
    char name[TASK_NAME];         /* comm; read by all, torn at worst */
    uint16_t io_priority;         /* as ioprio_set() has it; atomic, anybody's */
    uint8_t traces;               /* TASK_TRACES...; atomic */
    struct tracee *tracee;        /* how it is traced: ptrace/tracee.h; atomic */

    /* Guarded by the process's lock. */
    struct task *next, *before; /* in the process */
    struct signal_queue pending;
    uint64_t blocked;   /* signals; its own thread reads it without */
    uint64_t waits_for; /* blocked signals that a sigtimedwait of it takes */
    bool leaving;       /* takes no more signals */
    bool stopped;       /* counted in the process's `stopped` */

    /* Its own thread's. */
    uint64_t blocked_after_call; /* to be put back on the way out, if `restores_mask` */
    bool restores_mask;
    struct signal_stack {
        uint64_t start, size;
        uint32_t flags;
    } signal_stack;
    uintptr_t tid_address;                     /* where it writes its number when it begins, or 0 */
    uintptr_t clear_tid;                       /* set_tid_address: zeroed, and woken, at the end */
    uintptr_t robust_list;                     /* set_robust_list */
    uintptr_t sequence_area;                   /* rseq (restartable.c), or 0 */
    uint32_t sequence_signature, sequence_cpu; /* which it has been told of */
    int32_t exit_status; /* as wait() gives it; the last thread's is the process's */
    bool ending;         /* in task_exit() */
    uint32_t persona;
    uint16_t memory_policy; /* as set_mempolicy() has it (memory_nodes.c) */
    bool resets_policy;    /* its children begin with the usual one (SCHED_RESET_ON_FORK); atomic */
    uint64_t timer_slack;  /* as prctl() has it; 0: as it was */
    uint8_t memory_errors; /* likewise; 0: as it was */
    bool flushes;          /* likewise */
    int32_t parent_death_signal;
    bool no_new_privileges;
    bool guarded;        /* its calls are looked at before they are made, because of what follows */
    bool strict;         /* seccomp: it makes next to no calls */
    bool stops_at_calls; /* traced: it stops before each of its calls */
    bool steps, call_stops;      /* likewise: after the next instruction; at the end of this call */
    struct call_filter *filters; /* seccomp/seccomp.h; held */
    bool filters_ended;          /* and given up for good */
    struct call_dispatch dispatch;
    struct landlock_domain *landlock;         /* landlock/landlock.h, or NULL; held; read by all */
    struct key *keyrings[KEYRINGS];           /* keys/keys.h; held, or NULL; atomic */
    struct key *given_session;                /* likewise, by a child */
    uint8_t key_default;                      /* as keyctl() has it */
    uint64_t file_size_limit;                 /* RLIMIT_FSIZE; kept up to date by limits_keep() */
    k42_result (*restart)(struct task *task); /* what restart_syscall does */
    uint64_t restart_words[6];                /* and needs for that */
    uint64_t started_ns;
    uint64_t faults;                    /* of pages; the task's own thread counts them */
    struct process_transfers transfers; /* likewise; others read each number whole */
    uint32_t login, login_session; /* 1 + whose it is, for audits, and its number; 0: nobody's */
    struct user_ports *ports;      /* as ioperm() has them, or NULL */
    uint8_t ports_level;           /* as iopl() has it */

    uint32_t trap_vector; /* of the exception that caused a signal, for its frame */
    uint64_t trap_error, trap_address;

    struct trap_frame start; /* registers to begin with */
    void *state;             /* FPU and vector registers, behind this structure */
    struct k42_defer defer;
};

/* The calling thread's; NULL in a kernel thread. */
struct task *task_self(void);

/* Whether it may do what a capability (Linux's number) allows. */
bool task_capable(const struct task *task, unsigned capability);

/* The value of one of its process's limits: RLIMIT_*. */
uint64_t task_limit(const struct task *task, unsigned resource);

#endif
