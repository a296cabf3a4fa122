/*
 * Signals: what one carries, sets of them, and what a process keeps for them.
 *
 * Numbers, codes and flags are Linux's, from its own headers. Sets are words: bit n-1 is signal n.
 */
#ifndef KERNEL_SIGNALS_H
#define KERNEL_SIGNALS_H

#if __STDC_HOSTED__
#include <signal.h>
#else
#include <asm/signal.h>
#endif
#include <k42/object.h>
#include <stdbool.h>

#define SIGNALS 64

/* What a handler gets: the first 48 bytes of Linux's siginfo_t, the rest of which is zero. */
struct signal_info {
    int32_t signal, error, code, unused;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            uint64_t value;
        } sent; /* kill, sigqueue */
        struct {
            int32_t pid;
            uint32_t uid;
            int32_t status, unused;
            int64_t user_ticks, system_ticks;
        } child;
        struct {
            int32_t id, overrun;
            uint64_t value;
        } timer;
        struct {
            uint64_t address;
        } fault;
        struct {
            int64_t band;
            int32_t fd;
        } poll;
        uint64_t words[4];
    };
};
_Static_assert(sizeof(struct signal_info) == 48, "Linux's layout");

/* What a program wants done: the kernel's struct sigaction. */
struct signal_action {
    uint64_t handler; /* or SIG_DFL, SIG_IGN */
    uint64_t flags;
    uint64_t restorer;
    uint64_t mask;
};

/* Signals that wait to be delivered: to a thread, or to a process. Guarded by the process's lock.
 */
struct signal_queue {
    uint64_t set;
    struct signal_entry *first, *last; /* those that carry something, oldest first */
};

/* A signal that was taken out of a queue, and what to do about it. */
struct signal_taken {
    struct signal_info info;
    struct signal_action action;
};

static inline uint64_t signal_bit(int signal) {
    return 1ul << (signal - 1);
}

#define SIGNALS_UNBLOCKABLE (signal_bit(SIGKILL) | signal_bit(SIGSTOP))
#define SIGNALS_STOP                                                                               \
    (signal_bit(SIGSTOP) | signal_bit(SIGTSTP) | signal_bit(SIGTTIN) | signal_bit(SIGTTOU))
#define SIGNALS_IGNORED                                                                            \
    (signal_bit(SIGCHLD) | signal_bit(SIGCONT) | signal_bit(SIGURG) | signal_bit(SIGWINCH))
/* Those that a program causes by what it executes; delivered before all others. */
#define SIGNALS_FAULTS                                                                             \
    (signal_bit(SIGSEGV) | signal_bit(SIGBUS) | signal_bit(SIGILL) | signal_bit(SIGTRAP) |         \
     signal_bit(SIGFPE) | signal_bit(SIGSYS))
/* ---- sending: active threads, no waiting ---- */

struct task;

/* A signal from the calling thread, as kill() (SI_USER) or tkill() (SI_TKILL) make it. */
struct signal_info signal_from_self(int signal, int code);
/* A signal from the kernel. */
static inline struct signal_info signal_from_kernel(int signal) {
    return (struct signal_info){.signal = signal, .code = 0x80}; /* SI_KERNEL */
}

/* To a process by number, or one of its threads. 0 or -ESRCH. Permission is the caller's matter. */
k42_result signal_process(int pid, const struct signal_info *info);
k42_result signal_thread(int tid, const struct signal_info *info);
/* To each process of a group. 0, or -ESRCH: there is none. */
k42_result signal_group(int group, const struct signal_info *info);

/*
 * To the calling thread, for something it has just done: may be neither ignored nor blocked;
 * where it is, the process ends by it.
 */
void signal_force(const struct signal_info *info);

/* Whether the calling thread has something to deliver that it does not block. */
bool signal_is_pending(void);
/* One of a set that is pending for the thread, which is the caller; `deliver`: not one that is
 * ignored. Its number, or 0: there is none. Active; does not wait. */
k42_result signal_take(struct task *task, uint64_t set, bool deliver, struct signal_taken *taken);

/*
 * For calls that wait with another mask (sigsuspend, ppoll, pselect, epoll_pwait): sets it now, and
 * puts the old one back on the way to the program, after a handler's frame has taken it.
 */
void signal_mask_for_call(uint64_t mask);
/* After such a call when nothing was delivered: puts the old one back at once. */
void signal_mask_restore(void);

#endif
