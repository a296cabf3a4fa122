/*
 * The scheduler's inside: what its files share. Nothing outside kernel/sched and kernel/platform
 * includes this.
 *
 * thread.c    threads' lives            cpu.c      each CPU's turns: switching, preemption, time
 * wake.c      who goes on where         idle.c     CPUs without work, and evening out
 * policy.c    what a thread may have    hold.c     CPUs held for a swap, and their queues' objects
 * hurry.c     who is awaited            load.c     averages of load
 * open.c      the beginning
 * run_queue/  whose turn it is          park.c     sleeping on a word
 * timers.c    deadlines                 wait.c     programs' calls that are not ready;
 * switch.S    from stack to stack       wait_table.c, wait_move.c: where they stand
 * bound.c     what others have besides those with a priority
 *
 * Locks are spin locks taken with interrupts off: a CPU's timers', then a bucket's (park.c,
 * wait_table.c), then a CPU's own; the last is leaf but for the lists of threads. Never two of a
 * kind. Nothing here calls another CPU while it holds one.
 */
#ifndef KERNEL_SCHED_H
#define KERNEL_SCHED_H

#include "../arch/x86_64/arch.h"
#include "../arch/x86_64/user.h"
#include "heap.h"
#include "preempt.h"
#include "run_queue/run_queue_fifo.h"
#include "runtime.h"
#include "thread.h"
#include "timer.h"
#include "wait.h"

#define SAMPLE_NS 10000000ul /* between two looks whether a program or the kernel runs */
#define NEVER     (~0ul)
#define ANY_CPU   (~0u)

/* ---- deadlines ---- */

struct timers {
    struct spin_lock lock;
    struct heap heap;
    uint64_t earliest; /* deadline, or NEVER; read by its CPU without the lock */
};

/* Carries out what is due on this CPU; interrupts are off. */
void timers_expire(struct sched_cpu *cpu, uint64_t now);

/* ---- threads ---- */

struct sched_link {
    struct sched_link *next, *before;
};

enum thread_state {
    THREAD_READY,   /* in a queue, or running, or on its way to another CPU's queue */
    THREAD_BLOCKED, /* waits to be woken */
    THREAD_WAITING, /* the same, and an interrupt wakes it for good */
    THREAD_ENDED,
    THREAD_IDLE, /* a CPU's idle thread: never in a queue */
};

/*
 * A thread, above the top of its stack, where entries from its program leave their frames. From
 * `run` to `wanted` all is changed under the lock of the CPU in `cpu`, which is held across a
 * switch: whoever sees a state that is not that of the running thread finds the thread fully
 * switched out. Who only looks on reads the state without it. The record's memory is a thread's for
 * ever, and keeps its number.
 */
struct thread {
    struct user_context user; /* its `work` is the word of THREAD_INTERRUPTED and so on */
    uint64_t *stack;          /* where it was switched out */
    uint64_t parity;          /* the head's, while switched out */
    void *task;               /* stands before the next member: thread_task() */
    struct k42_calls calls;   /* what the runtime knows of it; owner is its number */
    struct run_entity run;
    struct sched_link active; /* among those that wait while active; next is NULL: it is not */
    enum thread_state state;
    bool woken;      /* woken since it last asked to block */
    bool queued;     /* in the queue of its CPU */
    bool must_move;  /* it runs where it may no longer, or is on its way */
    bool changed;    /* it runs, and `wanted` is for its next turn */
    bool alone;      /* nobody joins it */
    uint8_t pairs;   /* how often, of late, it slept at once after it had woken somebody */
    uint32_t cpu;    /* where it runs, ran last, or waits to run */
    uint32_t pinned; /* the only CPU it may run on, or ANY_CPU */
    struct thread_policy wanted;
    uint64_t woke_at;       /* when it woke somebody last; 0: not since it slept */
    uint64_t ran_ns;        /* until it was charged last */
    uint64_t turn_left;     /* of its turn, which somebody cut short who goes first; 0: it is new */
    uint64_t hurried_for;   /* the generation for whose end it came first: see hurry.c */
    uint64_t hurried_since; /* when it did so first */
    uint64_t hurried_at;    /* of ran_ns, what it had then */
    uint64_t divided_ns;    /* of that, what has been put into one of the next two */
    struct thread_times times;
    struct timer timer;
    void (*fn)(void *);
    void *argument;
    uint32_t ended; /* slept on by who joins it */
    struct wait_record wait;
    struct thread_home *home;     /* whose list it is in */
    struct thread *newer, *older; /* there */
};
_Static_assert(offsetof(struct thread, calls) == offsetof(struct thread, task) + sizeof(void *),
               "thread_task() finds the one before the other");

static inline bool thread_is_movable(const struct thread *thread) {
    return thread->parity == K42_INACTIVE && thread->pinned == ANY_CPU;
}

static inline bool thread_allows(const struct thread *thread, unsigned cpu) {
    const uint64_t *allowed = thread->run.allowed;
    return !allowed || allowed[cpu / 64] >> cpu % 64 & 1;
}

static inline unsigned thread_level(const struct thread *thread) {
    return thread->run.priority ? RUN_REALTIME : RUN_SHARED;
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
/* Visits all that are alive until visit() is true, with a list's lock held. */
bool thread_each(bool (*visit)(struct thread *thread, void *context), void *context);

/* policy.c: of the calling thread, for one that has not been launched. 0 or -ENOMEM. */
int thread_inherit(struct thread *thread);
/* The thread is none of a queue's. */
void thread_apply(struct thread *thread, const struct thread_policy *policy);
void thread_forget_policy(struct thread *thread);

/* ---- CPUs ---- */

struct sched_cpu {
    struct spin_lock lock;
    uint32_t number;
    struct thread *running, *idle;
    struct thread *previous;              /* who ran before, until the switch from it is over */
    struct run_queue *queues[RUN_LEVELS]; /* representatives: see run_queue.h */
    uint32_t waiting[RUN_LEVELS];         /* in each queue */
    struct sched_link active[2];          /* who waits while active, by parity */
    uint32_t ready;                       /* in all; read without the lock */
    struct timers timers;
    uint64_t turn_began, charged_at; /* of the running thread */
    uint64_t slice, slice_end;
    uint64_t period_began, priority_ns; /* since when, and how much of it was had: bound.c */
    uint64_t armed;                     /* what the hardware's timer is set to */
    uint64_t sample_at;                 /* when to look what the running thread does */
    uint32_t evened;                    /* slices, for the time of evening out */
    uint32_t held_for;                  /* which hold this CPU is in or was in last */
    bool sample;                        /* the next trap's end should look */
    bool want_switch; /* at the next opportunity; read without the lock by this CPU */
    bool want_timer;  /* another CPU gave us a reason to set the timer */
    uint64_t switches, preemptions, moves;
    uint64_t idle_ns,
        program_ns; /* of its time, as charged and divided; the rest is the kernel's */
    run_queue_ref objects[RUN_LEVELS]; /* the queues, when there are objects */
    struct run_lined first_queue;      /* before */
};

extern struct sched_cpu **sched_cpus;

/* bound.c, with the CPU's lock: a thread with a priority has run for so long. */
void sched_bound_charge(struct sched_cpu *cpu, uint64_t ran, uint64_t now);
/* Whose turn it is, as of when the CPU was last charged; and how long that of the one that begins
 * to run may last. */
unsigned sched_bound_level(const struct sched_cpu *cpu);
uint64_t sched_bound_turn(const struct sched_cpu *cpu);

/* Interrupts are off, or the answer may be over. */
static inline struct sched_cpu *sched_this_cpu(void) {
    return sched_cpus[cpu_number()];
}

/* What of the running thread lies in its CPU's table. */
static inline struct k42_cpu_head *sched_head(const struct sched_cpu *cpu) {
    return (struct k42_cpu_head *)cpu_table(cpu->number);
}

/* cpu.c; all with interrupts off. */
/* At the end of every trap, and of a system call when it was asked for. */
void sched_leave_trap(struct trap_frame *frame);
/* With the CPU's lock: whose turn it is, out of its queue; or the idle thread. */
struct thread *sched_take_next(struct sched_cpu *cpu);
/* With the CPU's lock: the running thread's time until now, which is returned. */
uint64_t sched_charge(struct sched_cpu *cpu);
/* With the CPU's lock: into its queue. True: it goes before the running one. */
bool sched_put(struct sched_cpu *cpu, struct thread *thread, enum run_reason why, uint64_t now);
/* With the CPU's lock: out of its queue, where it waits or is the running one. */
void sched_take_out(struct sched_cpu *cpu, struct thread *thread, uint64_t now);
/* Lets whoever is next run; the running thread waits for its next turn. */
void sched_turn_over(struct sched_cpu *cpu, enum run_reason why);
/* Sets the hardware's timer for what comes next. */
void sched_set_timer(struct sched_cpu *cpu);
/* Sleeps until thread_wake(); returns at once when that came first. */
void thread_block(void);
/* The same, and until time_ns() is `deadline`. */
void thread_block_until(uint64_t deadline);
/* Leaves the CPU for good. */
_Noreturn void thread_leave(void);

/* hurry.c; with the CPU's lock. */
void sched_hurry_open(struct sched_cpu *cpu);
/* The thread waits for a turn from now on, or does so no longer. */
void sched_note_active(struct sched_cpu *cpu, struct thread *thread);
void sched_forget_active(struct thread *thread);
/* The one of the shared level for whom a grace period waits, the next of his queue then; or NULL.
 */
struct thread *sched_hurry(struct sched_cpu *cpu);

/* wake.c */
/* Makes the thread ready, if it is blocked; otherwise its next block returns at once. Any context.
 */
void thread_wake(struct thread *thread);
struct sched_cpu *sched_lock_cpu_of(struct thread *thread);
/* A ready thread that is in no queue goes into that of a CPU. Interrupts are off. */
void sched_enqueue(struct sched_cpu *cpu, struct thread *thread, enum run_reason why);
/* Another CPU for a thread that may not stay. */
struct sched_cpu *sched_place(const struct thread *thread, struct sched_cpu *cpu);

/* idle.c */
void sched_idle_open(void);
void sched_set_idle(const struct sched_cpu *cpu, bool idle);
/* A CPU without work that the thread may have, near `cpu`; NULL: none was found. */
struct sched_cpu *sched_find_idle(const struct thread *thread, const struct sched_cpu *cpu);
/* A slice is over: is there a CPU that has less to do, or one that has more? */
void sched_even_out(struct sched_cpu *cpu);
_Noreturn void sched_idle_loop(void *unused);

/* load.c */
void sched_load_open(void);

/* hold.c */
/* Makes the queues objects, when the runtime is open and before other CPUs run. */
void sched_make_queues(void);
/* At a trap's end: stays here while CPUs are held. */
void sched_stay_held(struct sched_cpu *cpu);
extern uint32_t sched_holding; /* odd: CPUs are to be held */

#endif
