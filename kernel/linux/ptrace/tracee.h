/*
 * A tracee: the record between a thread and whoever traces it by ptrace().
 *
 * One record for both sides, so that there is one truth: the tracer's process has it in its list
 * (process.trace), the traced task points at it, and each of the two counts as a user. A tracee
 * that stops copies what a tracer may look at and change (registers, the signal, the mask) into the
 * record and sleeps; the tracer reads and writes the record alone, and never the stopped thread. On
 * its way on the tracee takes over what was changed. So nothing that another CPU, a swap of either
 * process or SIGKILL does meanwhile is in anybody's way.
 *
 *   tracee.c     its life            requests.c   what the tracer asks of one that has stopped
 *   stop.c       how one stops       registers.c  registers as ptrace() has them
 *   attach.c     beginning, end      ptrace.c     the call
 *
 * Locking: `lock` guards what is not marked otherwise; it is taken below the locks of both
 * processes and is leaf but for wake-ups. A record's memory lasts a grace period longer than its
 * users.
 *
 * Ends. Of a tracee that ends, its tracer is told first; who waits for it there has its real parent
 * told, or its number given back. Whoever marks a record LEFT or ENDED first, under its lock,
 * decides whether that is the tracer's matter or the tracee's own.
 */
#ifndef KERNEL_TRACEE_H
#define KERNEL_TRACEE_H

#include "../../arch/x86_64/user.h"
#include "../process/process.h"
#include "numbers.h"

#include <k42/k42.h>

struct clone_request;
struct task;

/* struct user_regs_struct of Linux. */
struct tracee_registers {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi, orig_rax;
    uint64_t rip, cs, eflags, rsp, ss, fs_base, gs_base, ds, es, fs, gs;
};
_Static_assert(sizeof(struct tracee_registers) == 27 * 8, "Linux's layout");

enum tracee_state {
    TRACEE_RUNS,
    TRACEE_STOPPED,
    TRACEE_ENDED, /* its tracer has yet to wait for it */
    TRACEE_LEFT,  /* it is nobody's any more */
};

/* Where one has stopped. */
enum tracee_place {
    TRACEE_AT_SIGNAL, /* that is about to be delivered */
    TRACEE_AT_GROUP,  /* with its process, by a signal */
    TRACEE_AT_EVENT,
    TRACEE_AT_CALL,
    TRACEE_AT_RETURN, /* of a call */
};

/* How it goes on. */
enum tracee_way { TRACEE_FREELY, TRACEE_TO_CALL, TRACEE_ONE_STEP };

struct tracee {
    /* Constant. */
    k42_id tracer; /* a process */
    int32_t tracer_pid, tracer_tid;
    bool seized;

    struct tracee *next, *before; /* the tracer's process's lock */
    bool listed;

    bool group_told; /* the tracee's process's lock: that the process has stopped */
    bool trap;       /* likewise: it is to stop as soon as it can */

    uint32_t references;
    struct k42_defer defer;

    struct k42_lock lock;
    enum tracee_state state;
    enum tracee_place place;
    bool news;          /* wait() has not told of its state yet */
    bool listens;       /* PTRACE_LISTEN: has stopped, but is to tell when that is over */
    struct child child; /* as wait() tells of it */
    uint32_t options;
    uint64_t message; /* PTRACE_GETEVENTMSG */

    /* What a tracer sees of it while it is stopped. */
    bool has_info;
    struct signal_info info;
    uint64_t mask;
    struct tracee_registers registers;
    void *vectors; /* FPU and vector registers, as the processor saves them */
    struct user_debug debug;
    uint64_t debug_status; /* what the processor said when it stopped it; the tracee's own, too */
    bool registers_set, vectors_set, mask_set, debug_set;

    /* What it goes on with. */
    int32_t signal;
    enum tracee_way way;
};

/* ---- its life (tracee.c); active threads ---- */

/* The record by which a task is traced; it lasts while the caller is active. NULL: it is not. */
struct tracee *tracee_of(const struct task *task);
/* One more user, if there still is any. */
bool tracee_hold(struct tracee *tracee);
void tracee_release(struct tracee *tracee);

/* Makes one and has `task` traced by a thread (0: any) of a process. -EPERM: it is traced, or ends;
 * -ESRCH: the tracer ends; -ENOMEM. */
struct tracee_wish {
    process_ref tracer;
    int32_t tracer_pid, tracer_tid;
    uint32_t options;
    bool seized;
    bool trap; /* stops at once */
};
K42_MUST_CHECK
k42_result tracee_make(struct task *task, const struct tracee_wish *wish);

/* It is nobody's any more: whoever waits in a stop goes on with a signal (or 0). The caller has
 * taken it out of its tracer's list, and gives up the list's hold. */
void tracee_leave(struct tracee *tracee, int signal);
/* The calling task traces nobody any more. */
void tracees_leave(struct task *task);

/* The calling task ends: nobody can trace it from here on. What traced it, with its hold. */
struct tracee *tracee_close(struct task *task);
/* What it traced has ended; gives up the hold. True: who waits for it tells of it, or gives its
 * number back. */
bool tracee_ended(struct tracee *tracee, const struct child *child);
/* What it traced has become another thread (execve): nobody is told; gives up the hold. */
void tracee_forget(struct tracee *tracee);
/* That is to be done now: its tracer has waited for it, or will not. */
void tracee_reap(const struct child *child);

/* A task's process goes on by SIGCONT, or it is asked to stop; with its process's lock held. */
void tracee_trap_locked(struct task *task, struct tracee *tracee);

/* ---- stopping (stop.c); the calling thread's task, active ---- */

/* Before a call: false, it is not to be made. The number is then in the frame. */
bool tracing_call(struct task *task);
/* On the way to the program, when task->call_stops. */
void tracing_return(struct task *task);
/* A signal that is to be delivered: what is to be delivered instead, or 0. */
int tracing_signal(struct task *task, struct signal_taken *taken);
/* The process has stopped by a signal, or it is asked to stop (SIGTRAP). */
void tracing_group(struct task *task, int signal);
/* PTRACE_EVENT_*, if that is asked for. */
void tracing_event(struct task *task, int event, uint64_t message);
/* Whether that would be so: PTRACE_O_*. */
bool tracing_has(const struct task *task, uint32_t option);
/* The thread is about to end. */
void tracing_exit(struct task *task);
/* It has its process's number from now on. */
void tracing_renamed(struct task *task);
/* execve() has succeeded; the number it had before. */
void tracing_executed(struct task *task, int before);
/* The processor has stopped it by a debug register, and says which. */
void tracing_watched(struct task *task, uint64_t status);
/* The first instruction of a handler is to come, and each is stopped at. */
void tracing_handler(struct task *task);
/* The next instruction is to be the last before a stop. */
void tracing_step(struct task *task);

/* ---- clone (attach.c) ---- */

/* A child is made, but has yet to run: it is traced, too, if that is asked for. The event to tell
 * of then, or 0. */
int tracing_child(struct task *self, struct task *child, const struct clone_request *request);

/* ---- registers (registers.c) ---- */

/* The calling thread's; all but FPU and vectors. */
void registers_read(struct tracee_registers *to, const struct task *task);
void registers_take(struct tracee *tracee, const struct task *task);
void registers_give(struct tracee *tracee, struct task *task);

/* PTRACE_PEEKUSER and so on; `tracee` has stopped. */
k42_result registers_word(const struct tracee *tracee, uintptr_t offset, uint64_t *word);
k42_result registers_set_word(struct tracee *tracee, uintptr_t offset, uint64_t word);
k42_result registers_request(struct tracee *tracee, long request, uintptr_t address,
                             uintptr_t data);

/* ---- requests (requests.c) ---- */

/* Of one that has stopped. */
k42_result tracee_request(struct tracee *tracee, struct task *task, long request, uintptr_t address,
                          uintptr_t data);
/* Changes a stopped one under its lock: -ESRCH if it is not. */
K42_MUST_CHECK
k42_result tracee_change(struct tracee *tracee, void (*fn)(struct tracee *tracee, const void *what),
                         const void *what);
/* It goes on. */
K42_MUST_CHECK
k42_result tracee_go_on(struct tracee *tracee, enum tracee_way way, uint64_t signal);

#endif
