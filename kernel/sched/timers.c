/*
 * Deadlines (timer.h): for each CPU a heap of the timers that were set there.
 *
 * A timer stays with the CPU that set it, even when its thread goes on elsewhere; stopping it takes
 * that CPU's lock. It is carried out with the lock held, so that whoever has stopped a timer knows
 * that it is not being carried out. Nothing is allocated, nothing fails.
 */
#include "sched.h"

static struct timer *first_of(const struct timers *timers) {
    struct heap_node *node = timers->heap.first;
    return node ? k42_container(node, struct timer, node) : NULL;
}

static void note_earliest(struct timers *timers) {
    uint64_t earliest = timers->heap.first ? timers->heap.first->key : NEVER;
    __atomic_store_n(&timers->earliest, earliest, __ATOMIC_RELAXED);
}

static void take_out(struct timers *timers, struct timer *timer) {
    heap_remove(&timers->heap, &timer->node);
    __atomic_store_n(&timer->cpu, NULL, __ATOMIC_RELEASE);
}

void timer_start(struct timer *timer, uint64_t deadline, uint64_t (*fn)(struct timer *timer)) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_this_cpu();
    timer->fn = fn;
    timer->cpu = cpu;
    spin_take(&cpu->timers.lock);
    heap_add(&cpu->timers.heap, &timer->node, deadline);
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
    struct timers *timers = &cpu->timers;
    struct timer *timer;
    spin_take(&timers->lock);
    while ((timer = first_of(timers)) && timer->node.key <= now) {
        /* In this order: until the timer is out, whoever stops it waits for our lock, so neither it
         * nor what its function works on can go meanwhile. */
        uint64_t again = timer->fn(timer);
        if (again == TIMER_DONE) {
            take_out(timers, timer);
        } else {
            heap_remove(&timers->heap, &timer->node);
            heap_add(&timers->heap, &timer->node, again);
        }
    }
    note_earliest(timers);
    spin_release(&timers->lock);
}
