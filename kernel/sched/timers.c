/*
 * Deadlines in nanoseconds: for each CPU a pairing heap of those that its threads set.
 *
 * The heap: every timer's deadline is no later than its children's; the root is the next one. Two
 * heaps are joined by making the later root the earlier one's first child. Taking a timer out joins
 * its children two by two, which keeps the cost at the logarithm of their number on average.
 *
 * A timer stays with the CPU that set it, even when its thread goes on elsewhere; stopping it takes
 * that CPU's lock. It is carried out with the lock held, so that whoever has stopped a timer knows
 * that it is not being carried out. Nothing is allocated, nothing fails.
 */
#include "sched.h"

static struct timer *join(struct timer *a, struct timer *b) {
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline) {
        struct timer *earlier = b;
        b = a;
        a = earlier;
    }
    b->sibling = a->child;
    if (b->sibling)
        b->sibling->before = b;
    b->before = a;
    a->child = b;
    return a;
}

/* One heap of a list of siblings: first each two from the left, then all from the right. */
static struct timer *join_siblings(struct timer *list) {
    struct timer *pairs = NULL;
    while (list) {
        struct timer *first = list, *second = list->sibling;
        list = second ? second->sibling : NULL;
        first->sibling = NULL;
        if (second)
            second->sibling = NULL;
        struct timer *pair = join(first, second);
        pair->sibling = pairs;
        pairs = pair;
    }
    struct timer *heap = NULL;
    while (pairs) {
        struct timer *next = pairs->sibling;
        pairs->sibling = NULL;
        heap = join(heap, pairs);
        pairs = next;
    }
    if (heap)
        heap->before = NULL;
    return heap;
}

static void unlink(struct timers *timers, struct timer *timer) {
    struct timer *below = join_siblings(timer->child);
    if (timer == timers->first) {
        timers->first = below;
    } else {
        if (timer->before->child == timer)
            timer->before->child = timer->sibling;
        else
            timer->before->sibling = timer->sibling;
        if (timer->sibling)
            timer->sibling->before = timer->before;
        timers->first = join(timers->first, below);
    }
}

static void take_out(struct timers *timers, struct timer *timer) {
    unlink(timers, timer);
    __atomic_store_n(&timer->cpu, NULL, __ATOMIC_RELEASE);
}

static void note_earliest(struct timers *timers) {
    uint64_t earliest = timers->first ? timers->first->deadline : NEVER;
    __atomic_store_n(&timers->earliest, earliest, __ATOMIC_RELAXED);
}

/* The CPU's timers are locked. */
static void put_in(struct sched_cpu *cpu, struct timer *timer, uint64_t deadline) {
    timer->deadline = deadline;
    timer->child = timer->sibling = timer->before = NULL;
    timer->cpu = cpu;
    cpu->timers.first = join(cpu->timers.first, timer);
}

void timer_start(struct timer *timer, uint64_t deadline, uint64_t (*fn)(struct timer *timer)) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_this_cpu();
    timer->fn = fn;
    spin_take(&cpu->timers.lock);
    put_in(cpu, timer, deadline);
    note_earliest(&cpu->timers);
    spin_release(&cpu->timers.lock);
    sched_set_timer(cpu);
    interrupts_restore(saved);
}

bool timer_stop(struct timer *timer) {
    /* Set by its owner; cleared once, by the CPU that carries it out, or here. */
    struct sched_cpu *cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);
    if (!cpu)
        return false;
    uintptr_t saved = interrupts_save();
    spin_take(&cpu->timers.lock);
    bool was_set = timer->cpu;
    if (was_set)
        take_out(&cpu->timers, timer);
    note_earliest(&cpu->timers);
    spin_release(&cpu->timers.lock);
    interrupts_restore(saved);
    return was_set;
}

void timers_expire(struct sched_cpu *cpu, uint64_t now) {
    spin_take(&cpu->timers.lock);
    while (cpu->timers.first && cpu->timers.first->deadline <= now) {
        struct timer *timer = cpu->timers.first;
        /* In this order: until the timer is out, whoever stops it waits for our lock, so neither it
         * nor what its function works on can go meanwhile. */
        uint64_t again = timer->fn(timer);
        if (again == TIMER_DONE) {
            take_out(&cpu->timers, timer);
        } else {
            unlink(&cpu->timers, timer);
            put_in(cpu, timer, again);
        }
    }
    note_earliest(&cpu->timers);
    spin_release(&cpu->timers.lock);
}
