/*
 * Waking: who goes on where, and whether whoever runs there gives way.
 *
 * A thread that wakes goes on where it ran last, if that CPU has nothing to do, or else on one that
 * has nothing to do, if there is one, or else where it ran last all the same. Except for pairs: who
 * has slept at once, the last few times, after it had woken somebody, did so for him, as the two
 * ends of a pipe do; then the one that wakes comes to the waker's CPU and has it as soon as the
 * waker sleeps, with warm caches and without an interrupt between CPUs. Should the waker not sleep
 * this time, it is preempted soon.
 *
 * Locks are those of the CPUs, one at a time. Between two a thread is ready and in no queue, so
 * nobody but us does anything to it. Nothing fails.
 */
#include "sched.h"

#define PAIRS_ENOUGH 4
#define PAIR_WAIT_NS 100000ul /* how long the one that was woken waits for the waker to sleep */

struct sched_cpu *sched_lock_cpu_of(struct thread *thread) {
    for (;;) {
        struct sched_cpu *cpu = sched_cpus[__atomic_load_n(&thread->cpu, __ATOMIC_ACQUIRE)];
        spin_take(&cpu->lock);
        if (cpu->number == __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED))
            return cpu;
        spin_release(&cpu->lock);
    }
}

/* ---- where ---- */

static bool has_nothing_to_do(const struct sched_cpu *cpu) {
    return __atomic_load_n(&cpu->running, __ATOMIC_RELAXED) == cpu->idle &&
           !__atomic_load_n(&cpu->ready, __ATOMIC_RELAXED);
}

static bool makes_a_pair(const struct sched_cpu *here, const struct thread *thread) {
    return here->running->pairs >= PAIRS_ENOUGH && here->running != here->idle &&
           !__atomic_load_n(&here->ready, __ATOMIC_RELAXED) && thread_allows(thread, here->number);
}

static struct sched_cpu *any_allowed(const struct thread *thread) {
    for (unsigned i = 0; i < cpu_count(); i++)
        if (thread_allows(thread, i))
            return sched_cpus[i];
    return sched_cpus[0];
}

struct sched_cpu *sched_place(const struct thread *thread, struct sched_cpu *cpu) {
    struct sched_cpu *here = sched_this_cpu();
    if (!thread_is_movable(thread))
        return cpu;
    bool may_stay = thread_allows(thread, cpu->number);
    if (makes_a_pair(here, thread))
        return here;
    if (may_stay && has_nothing_to_do(cpu))
        return cpu;
    struct sched_cpu *idle = sched_find_idle(thread, cpu);
    if (idle)
        return idle;
    return may_stay ? cpu : any_allowed(thread);
}

/* ---- into a queue ---- */

void sched_enqueue(struct sched_cpu *cpu, struct thread *thread, enum run_reason why) {
    bool here = cpu == sched_this_cpu();
    spin_take(&cpu->lock);
    struct thread *running = cpu->running;
    bool idle = running == cpu->idle;
    uint64_t now = sched_charge(cpu);
    bool goes_first =
        sched_put(cpu, thread, why, now) || idle || thread_level(thread) < thread_level(running);
    bool alone = cpu->ready == 1;
    if (goes_first)
        __atomic_store_n(&cpu->want_switch, true, __ATOMIC_RELAXED);
    else if (!here)
        __atomic_store_n(&cpu->want_timer, true, __ATOMIC_RELAXED);
    if (goes_first && here && running->user.personality) /* not before its call has ended */
        __atomic_fetch_or(&running->user.work, USER_TURN, __ATOMIC_RELAXED);
    spin_release(&cpu->lock);
    if (!here && (goes_first || alone))
        cpu_poke(cpu->number);
    else if (here && !idle)
        sched_set_timer(cpu);
}

static void make_ready(struct sched_cpu *cpu, struct thread *thread) {
    struct sched_cpu *here = sched_this_cpu();
    __atomic_store_n(&thread->state, THREAD_READY, __ATOMIC_RELAXED);
    struct sched_cpu *target = sched_place(thread, cpu);
    bool pair = target == here && target != cpu;
    cpu->moves += target != cpu;
    __atomic_store_n(&thread->cpu, target->number, __ATOMIC_RELEASE);
    spin_release(&cpu->lock);
    here->running->woke_at = time_ns();
    if (pair && here->slice_end > here->running->woke_at + PAIR_WAIT_NS)
        here->slice_end = here->running->woke_at + PAIR_WAIT_NS;
    sched_enqueue(target, thread, RUN_WOKEN);
}

void thread_wake(struct thread *thread) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_lock_cpu_of(thread);
    if (thread->state == THREAD_BLOCKED || thread->state == THREAD_WAITING) {
        make_ready(cpu, thread);
    } else {
        thread->woken = true;
        spin_release(&cpu->lock);
    }
    interrupts_restore(saved);
}

/* One that runs its program elsewhere comes out of it by the interrupt. */
void thread_interrupt(struct thread *thread, uint32_t why) {
    __atomic_fetch_or(&thread->user.work, why, __ATOMIC_SEQ_CST);
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_lock_cpu_of(thread);
    bool runs = cpu->running == thread && cpu != sched_this_cpu();
    spin_release(&cpu->lock);
    if (runs)
        cpu_poke(cpu->number);
    thread_wake(thread);
    interrupts_restore(saved);
}

void thread_launch(struct thread *thread) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = thread->pinned == ANY_CPU ? sched_place(thread, sched_this_cpu())
                                                      : sched_cpus[thread->pinned];
    thread->cpu = cpu->number;
    sched_enqueue(cpu, thread, RUN_NEW);
    interrupts_restore(saved);
}
