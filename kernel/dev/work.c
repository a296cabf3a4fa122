/*
 * A thread on each CPU that does what interrupt handlers left.
 *
 * Owns: queues. Work is pushed by anybody and taken whole by the thread. `raised` is 1 from the
 * push until just before fn runs, so work is in the list at most once, and a raise that comes while
 * fn runs pushes it again: what was changed before that raise is seen by the run that follows.
 *
 * Sleeping loses no push: the thread sleeps on `pushes`, which it read before it found the list
 * empty and which each push changes afterwards.
 */
#include "work.h"

#include "../arch/x86_64/arch.h"
#include "../sched/thread.h"
#include "runtime.h"

struct queue {
    struct work *first; /* newest first */
    uint32_t pushes;    /* slept on */
    uint32_t turns;     /* batches done; for those who wait for one */
} __attribute__((aligned(64)));

static struct queue *queues;

/* Oldest first, as the devices were. */
static struct work *reverse(struct work *list) {
    struct work *reversed = NULL;
    while (list) {
        struct work *next = list->next;
        list->next = reversed;
        reversed = list;
        list = next;
    }
    return reversed;
}

static void run_all(struct work *list) {
    k42_enter();
    while (list) {
        struct work *work = list;
        list = work->next; /* before another raise may link it anew */
        __atomic_exchange_n(&work->raised, 0, __ATOMIC_ACQ_REL);
        work->fn(work);
        k42_safe_point();
    }
    k42_exit();
}

static void serve(void *argument) {
    struct queue *queue = argument;
    for (;;) {
        uint32_t pushes = k42_load_acquire(&queue->pushes);
        struct work *list = __atomic_exchange_n(&queue->first, NULL, __ATOMIC_ACQUIRE);
        if (list)
            run_all(reverse(list));
        __atomic_fetch_add(&queue->turns, 1, __ATOMIC_RELEASE);
        if (!list)
            thread_park(&queue->pushes, pushes, 0);
    }
}

void work_raise(struct work *work) {
    if (__atomic_exchange_n(&work->raised, 1, __ATOMIC_ACQ_REL))
        return;
    struct queue *queue = &queues[work->cpu];
    struct work *first = k42_load_relaxed(&queue->first);
    do
        work->next = first;
    while (!__atomic_compare_exchange_n(&queue->first, &first, work, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED));
    __atomic_fetch_add(&queue->pushes, 1, __ATOMIC_RELEASE);
    thread_wake_parked(&queue->pushes, 1);
}

/* A batch that held it was taken before the second turn from now ends. */
void work_settle(struct work *work) {
    struct queue *queue = &queues[work->cpu];
    uint32_t turns = k42_load_acquire(&queue->turns);
    while (k42_load_acquire(&queue->turns) - turns < 2) {
        __atomic_fetch_add(&queue->pushes, 1, __ATOMIC_RELEASE);
        thread_wake_parked(&queue->pushes, 1);
        thread_yield();
    }
}

int work_open(void) {
    size_t bytes = cpu_count() * sizeof *queues;
    char *memory = k42_platform_alloc(bytes + 64);
    if (!memory)
        return -ENOMEM;
    queues = (struct queue *)(((uintptr_t)memory + 63) & ~63ul);
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        if (!thread_start_on(cpu, "devices", serve, &queues[cpu]))
            return -ENOMEM;
    return 0;
}
