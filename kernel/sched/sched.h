/*
 * The scheduler's inside: what its files share. Nothing outside kernel/sched includes this.
 *
 * thread.c    threads' lives       cpu.c     each CPU's state, switching, preemption, waking
 * fifo.c      the order of turns   park.c    sleeping on a word
 * timers.c    deadlines            switch.S  from one stack to another
 * wait.c      programs' calls that are not ready, and wait_table.c, where they stand
 *
 * Locks are spin locks taken with interrupts off: a bucket's (park.c, wait_table.c), then a CPU's
 * timers', then a CPU's own; the last is leaf but for the list of threads. Never two of a kind.
 * Nothing here calls another CPU while it holds one.
 */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include "../arch/x86_64/arch.h"
#include "../arch/x86_64/user.h"
#include "preempt.h"
#include "runtime.h"
#include "thread.h"
#include "timer.h"
#include "wait.h"

#define SLICE_NS  2000000ul  /* a thread's turn, while others wait */
#define SAMPLE_NS 10000000ul /* between two looks whether a program or the kernel runs */
#define NEVER     (~0ul)
#define ANY_CPU   (~0u)

/* ---- deadlines: a pairing heap for each CPU ---- */

struct timers {
    struct spin_lock lock;
    struct timer *first;
    uint64_t earliest; /* its deadline, or NEVER; read by its CPU without the lock */
};

/* Carries out what is due on this CPU; interrupts are off. */
void timers_expire(struct sched_cpu *cpu, uint64_t now);

/* ---- threads ---- */

enum thread_state {
    THREAD_READY,   /* in a queue, or running */
    THREAD_BLOCKED, /* waits to be woken */
    THREAD_ENDED,
    THREAD_IDLE, /* a CPU's idle thread: never in a queue */
};

/*
 * A thread, above the top of its stack, where entries from its program leave their frames. `state`,
 * `cpu`, `next`, `woken` and the times are changed under the lock of the CPU in `cpu`, which is
 * held across a switch: whoever sees a state that is not that of the running thread finds the
 * thread fully switched out. The record's memory is a thread's for ever, and keeps its number.
 */
struct thread {
    struct user_context user; /* its `work` is the word of THREAD_INTERRUPTED and so on */
    uint64_t *stack;          /* where it was switched out */
    uint64_t parity;          /* the head's, while switched out */
    void *task;               /* stands before the next member: thread_task() */
    struct k42_calls calls;   /* what the runtime knows of it; owner is its number */
    enum thread_state state;
    bool woken;          /* woken since it last asked to block */
    bool alone;          /* nobody joins it */
    uint32_t cpu;        /* where it runs, ran last, or waits to run */
    uint32_t pinned;     /* the only CPU it may run on, or ANY_CPU */
    uint32_t ended;      /* slept on by who joins it */
    struct thread *next; /* in a queue */
    uint64_t ran_ns;     /* until it was switched out last */
    uint64_t divided_ns; /* of that, what has been put into one of the next two */
    struct thread_times times;
    struct timer timer;
    void (*fn)(void *);
    void *argument;
    struct wait_record wait;
    struct thread_home *home;     /* whose list it is in */
    struct thread *newer, *older; /* there */
};
_Static_assert(offsetof(struct thread, calls) == offsetof(struct thread, task) + sizeof(void *),
               "thread_task() finds the one before the other");

static inline bool thread_is_movable(const struct thread *thread) {
    return thread->parity == K42_INACTIVE && thread->pinned == ANY_CPU;
}

/* switch.S: continues on `to`, leaves where we were in *from. Returns when somebody comes back. */
void thread_switch(uint64_t **from, uint64_t *to);
/* switch.S: where a new thread begins; calls thread_begin(). */
void thread_entry(void);
_Noreturn void thread_begin(void);

/* thread.c */
void threads_open(void);
/* A new thread that is in no queue yet; NULL: no memory. */
struct thread *thread_make(const char *name, void (*fn)(void *), void *argument);
/* Gives record and stack back: nobody runs on it or knows it any more. Any context. */
void thread_free(struct thread *thread);
uint64_t thread_count(void);
/* Visits all that are alive until visit() is true, with the list's lock held. */
bool thread_each(bool (*visit)(struct thread *thread, void *context), void *context);

/* ---- whose turn it is ---- */

/* A policy. All are called with the CPU's lock held. */
struct run_queue;
struct run_queue_ops {
    const char *name;
    void (*add)(struct run_queue *queue, struct thread *thread);
    /* Takes the one to run next; NULL: none. */
    struct thread *(*take)(struct run_queue *queue);
    /* Takes one that may run on another CPU; NULL: none. */
    struct thread *(*take_movable)(struct run_queue *queue);
};

struct run_queue {
    const struct run_queue_ops *ops;
    struct thread *first, *last;
    uint32_t length;
};

extern const struct run_queue_ops fifo_ops;

/* ---- CPUs ---- */

struct sched_cpu {
    struct spin_lock lock;
    uint32_t number;
    struct thread *running, *idle;
    struct thread *previous; /* who ran before, until the switch from it is over */
    struct run_queue queue;
    struct timers timers;
    uint64_t turn_began, slice_end; /* of the running thread */
    uint64_t sample_at;             /* when to look what the running thread does */
    bool sample;                    /* the next trap's end should look */
    uint64_t armed;                 /* what the hardware's timer is set to */
    bool want_switch;               /* at the next opportunity; read without the lock by this CPU */
    bool want_timer;                /* another CPU gave us a reason to set the timer */
    uint64_t switches, preemptions, moves;
};

extern struct sched_cpu **sched_cpus;

/* Interrupts are off, or the answer may be over. */
static inline struct sched_cpu *sched_this_cpu(void) {
    return sched_cpus[cpu_number()];
}

/* Makes the thread ready, if it is blocked; otherwise its next block returns at once. Any context.
 */
void thread_wake(struct thread *thread);
/* Sleeps until thread_wake(); returns at once when that came first. Interrupts are off. */
void thread_block(void);
/* The same, and until time_ns() is `deadline`. */
void thread_block_until(uint64_t deadline);
/* Leaves the CPU for good. Interrupts are off. */
_Noreturn void thread_leave(void);

/* Sets the hardware's timer for what comes next. Interrupts are off. */
void sched_set_timer(struct sched_cpu *cpu);

#endif
