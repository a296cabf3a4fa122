/*
 * Kernel threads: started, ended, waited for, put to sleep and woken.
 *
 * Each has a stack of 16 KiB with an unmapped page below it, and is attached to the runtime on the
 * CPU it runs on. A thread that is active (k42_enter) stays on its CPU, running, preempted or
 * asleep; any other may go on elsewhere after it was preempted or woken.
 *
 * Unless it says otherwise a function is for threads only: interrupts on, preemption not off.
 */
#ifndef KERNEL_THREAD_H
#define KERNEL_THREAD_H

#include <stdbool.h>
#include <stdint.h>

struct thread;
struct user_context;

/*
 * Starts fn(argument) in a new thread. The name is copied, 15 characters of it. NULL: no memory.
 * Somebody must call thread_join(). May be called with preemption off.
 */
struct thread *thread_start(const char *name, void (*fn)(void *), void *argument);
/* As above for a thread that nobody waits for. 0 or -ENOMEM. */
__attribute__((warn_unused_result)) int thread_start_alone(const char *name, void (*fn)(void *),
                                                           void *argument);
/* Starts a thread that never leaves CPU `cpu`. To be joined. NULL: no memory. */
struct thread *thread_start_on(uint32_t cpu, const char *name, void (*fn)(void *), void *argument);
/*
 * A thread that does not run yet, so that what it will run as can be filled in: thread_launch()
 * lets it go, thread_discard() gives it back instead. Nobody joins it. NULL: no memory.
 */
struct thread *thread_create(const char *name, void (*fn)(void *), void *argument);
void thread_launch(struct thread *thread);
void thread_discard(struct thread *thread);
/* Waits until the thread has ended; its number may be used again from then on. */
void thread_join(struct thread *thread);
/* Ends the calling thread, which must be inactive. */
_Noreturn void thread_exit(void);

/* The calling thread. Any context: the one that was interrupted. */
struct thread *thread_self(void);
/* A number from 1, of no other living thread. */
uint32_t thread_id(const struct thread *thread);
const char *thread_name(const struct thread *thread);
/* Copied, 15 characters of it. Readers may see a mixture. */
void thread_set_name(struct thread *thread, const char *name);

/* What lives of its program in the processor (arch's user.h): all zero in one that runs none. */
struct user_context *thread_user(struct thread *thread);

/*
 * What whoever runs programs keeps of the calling thread, or NULL; two loads. thread_set_task() may
 * also be called for a thread that has not been launched.
 */
static inline void *thread_task(void) {
    char *calls; /* of struct k42_cpu_head; the task stands before what it points at (sched.h) */
    __asm__ volatile("movq %%gs:48, %0" : "=r"(calls)::"memory");
    return *(void **)(void *)(calls - sizeof(void *));
}
void thread_set_task(struct thread *thread, void *task);

/* What it is at, as it was a moment ago: one load. It need not be kept from ending. */
enum thread_activity {
    THREAD_RUNS,    /* or waits for its turn */
    THREAD_SLEEPS,  /* until something happens, or it is interrupted */
    THREAD_IS_HELD, /* until something happens */
    THREAD_HAS_ENDED,
};
enum thread_activity thread_activity(const struct thread *thread);

/*
 * How long it has run. The sum is exact; which part of it was in its program is sampled every 10
 * ms. Neither part ever gets smaller. The thread must be kept from ending. Any context.
 */
struct thread_times {
    uint64_t user_ns, system_ns;
};
void thread_read_times(struct thread *thread, struct thread_times *times);

/* What a thread may have of a CPU. A new one made by thread_create() gets its maker's. */
struct thread_policy {
    uint32_t priority; /* 1 to 99: before all others, the highest first; 0: a share */
    bool in_rounds;    /* takes turns with those of the same priority */
    int nice;          /* -20 to 19: 25 % less for each step; of those with a share */
    bool idle;         /* the smallest share there is, whatever nice says */
    uint8_t called;    /* whoever set it knows what; kept */
};
/* 0 or -EINVAL. Takes effect with the thread's next turn, which is soon. Any context. */
int thread_set_policy(struct thread *thread, const struct thread_policy *policy);
void thread_read_policy(struct thread *thread, struct thread_policy *policy);

/*
 * Which CPUs it may run on: a bit for each, in as many words as cpu_count() needs, copied; NULL:
 * all. One that is active goes there when it is so no longer; the calling thread is there after its
 * next thread_yield(). 0, -EINVAL (none of the machine's) or -ENOMEM.
 */
int thread_set_cpus(struct thread *thread, const uint64_t *mask);
void thread_read_cpus(struct thread *thread, uint64_t *mask);
/* Where it runs or ran last. */
uint32_t thread_cpu(const struct thread *thread);

/* Lets another thread of this CPU run. */
void thread_yield(void);
void thread_sleep(uint64_t ns);

/*
 * Sleeps while *word == expected, at most timeout_ns (0: for ever). May return early. Where a
 * thread may not sleep it returns at once.
 */
void thread_park(uint32_t *word, uint32_t expected, uint64_t timeout_ns);
/* Wakes up to `count` threads parked on the word, the longest asleep first. Any context. */
void thread_wake_parked(uint32_t *word, uint32_t count);

/*
 * Why a thread should stop what it does: bits of a word of its own, which its waits look at
 * (wait.h) and its way back to its program does, too.
 */
enum {
    THREAD_INTERRUPTED = 1, /* a signal, for instance, is to be looked at */
    THREAD_KILLED = 2,      /* it is to end */
    THREAD_WORK = 4, /* something else is to be done before the program goes on; ends no wait */
};

/*
 * Sets these bits of another thread, ends the wait it is in and makes it come out of its program
 * soon. It must be kept from ending meanwhile. Any context.
 */
void thread_interrupt(struct thread *thread, uint32_t why);
/* The calling thread's; taking clears those asked for and returns which were set. */
uint32_t thread_interrupts(void);
uint32_t thread_take_interrupts(uint32_t why);

/* True when the caller may sleep. Any context. */
bool thread_may_wait(void);

/*
 * Starts threads on the boot CPU, whose flow of control becomes thread 1, "main"; and lets the
 * other CPUs in, when the runtime is open. Interrupts on.
 */
void sched_open(void);
void sched_start(void);
/* The other CPUs': becomes their idle thread. Interrupts are off. */
_Noreturn void sched_join(void);

/* For panics, debuggers and tests. */
struct sched_counts {
    uint64_t threads;     /* alive, idle ones included */
    uint64_t switches;    /* of all CPUs */
    uint64_t preemptions; /* of them because a slice was over */
    uint64_t moves;       /* threads that went on on another CPU */
};
void sched_count(struct sched_counts *counts);

/* How many threads run or are ready to, idle ones not included: by asking each CPU. */
uint32_t sched_ready(void);
/* The average of that over the last 1, 5 and 15 minutes, with 32 binary digits behind the point.
 * Any context. */
#define SCHED_LOADS 3
void sched_read_load(uint64_t loads[SCHED_LOADS]);

/* The stack of a thread that is kept from ending, from where it was switched out to its end; both
 * NULL while it runs. It may go on at any moment, and what is on it change. */
struct thread_stack {
    const uint64_t *from, *end;
};
struct thread_stack thread_stack_of(const struct thread *thread);

/* Frames of stacks, those kept for threads to come included. */
uint64_t thread_stack_frames(void);

/* What a CPU has done since the clock began, in ns; the three together are the time. */
struct sched_cpu_times {
    uint64_t user, system, idle;
};
void sched_cpu_times(unsigned cpu, struct sched_cpu_times *times);

#endif
