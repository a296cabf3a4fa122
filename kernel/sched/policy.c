/*
 * What a thread may have: its priority or share, and the CPUs it may run on.
 *
 * A queue knows an entity by these, so they change only while it is in none. Of a thread that waits
 * for its turn they are changed at once, in and out of its queue; of one that runs when its turn
 * ends, which is made soon; of one that sleeps at once.
 *
 * Locking: that of the thread's CPU, which also guards the mask that says which CPUs are allowed.
 * Fails: -EINVAL; -ENOMEM for a mask.
 */
#include "sched.h"

#include <errno.h>

static size_t mask_size(void) {
    return (cpu_count() + 63) / 64 * sizeof(uint64_t);
}

void thread_apply(struct thread *thread, const struct thread_policy *policy) {
    thread->run.priority = policy->priority;
    thread->run.in_rounds = policy->in_rounds;
    thread->run.nice = policy->nice;
    thread->run.pace = run_pace(policy->idle ? RUN_NICE_MOST + 5 : policy->nice);
}

static void read_policy(const struct thread *thread, struct thread_policy *policy) {
    *policy = thread->wanted;
}

/* The CPU's lock is held, and free afterwards; the running thread is to end its turn. */
static void end_turn(struct sched_cpu *cpu, struct thread *running) {
    bool here = cpu == sched_this_cpu();
    __atomic_store_n(&cpu->want_switch, true, __ATOMIC_RELAXED);
    if (running->user.personality)
        __atomic_fetch_or(&running->user.work, USER_TURN, __ATOMIC_RELAXED);
    spin_release(&cpu->lock);
    if (!here)
        cpu_poke(cpu->number);
}

int thread_set_policy(struct thread *thread, const struct thread_policy *policy) {
    if (policy->priority >= RUN_PRIORITIES || policy->nice < RUN_NICE_LEAST ||
        policy->nice > RUN_NICE_MOST)
        return -EINVAL;
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_lock_cpu_of(thread);
    thread->wanted = *policy;
    if (cpu->running == thread) {
        thread->changed = true;
        end_turn(cpu, thread);
    } else if (thread->queued) {
        sched_take_out(cpu, thread, sched_charge(cpu));
        thread_apply(thread, policy);
        spin_release(&cpu->lock);
        sched_enqueue(cpu, thread, RUN_MOVED);
    } else {
        thread_apply(thread, policy);
        spin_release(&cpu->lock);
    }
    interrupts_restore(saved);
    return 0;
}

void thread_read_policy(struct thread *thread, struct thread_policy *policy) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_lock_cpu_of(thread);
    read_policy(thread, policy);
    spin_release(&cpu->lock);
    interrupts_restore(saved);
}

/* ---- CPUs ---- */

static bool allows_any(const uint64_t *mask) {
    for (unsigned i = 0; i < cpu_count(); i++)
        if (mask[i / 64] >> i % 64 & 1)
            return true;
    return false;
}

int thread_set_cpus(struct thread *thread, const uint64_t *mask) {
    uint64_t *copy = NULL;
    if (mask) {
        if (!allows_any(mask))
            return -EINVAL;
        copy = k42_platform_alloc(mask_size());
        if (!copy)
            return -ENOMEM;
        __builtin_memcpy(copy, mask, mask_size());
    }
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_lock_cpu_of(thread), *target = cpu;
    const uint64_t *old = thread->run.allowed;
    bool waits = thread->queued;
    if (waits)
        sched_take_out(cpu, thread, sched_charge(cpu));
    thread->run.allowed = copy;
    thread->must_move = thread->pinned == ANY_CPU && !thread_allows(thread, cpu->number);
    if (cpu->running == thread && thread->must_move) {
        end_turn(cpu, thread);
    } else {
        if (waits && thread_is_movable(thread)) {
            target = sched_place(thread, cpu);
            thread->must_move = false;
            __atomic_store_n(&thread->cpu, target->number, __ATOMIC_RELEASE);
        }
        spin_release(&cpu->lock);
        if (waits)
            sched_enqueue(target, thread, RUN_MOVED);
    }
    interrupts_restore(saved);
    k42_platform_free((void *)(uintptr_t)old);
    return 0;
}

void thread_read_cpus(struct thread *thread, uint64_t *mask) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_lock_cpu_of(thread);
    for (unsigned i = 0; i < cpu_count(); i++) {
        if (!(i % 64))
            mask[i / 64] = 0;
        if (thread->pinned == ANY_CPU ? thread_allows(thread, i) : thread->pinned == i)
            mask[i / 64] |= 1ul << i % 64;
    }
    spin_release(&cpu->lock);
    interrupts_restore(saved);
}

/* Its own mask is the calling thread's to read: others change it only with the lock of its CPU. */
int thread_inherit(struct thread *thread) {
    struct thread *self = thread_self();
    uint64_t *copy = NULL;
    if (__atomic_load_n(&self->run.allowed, __ATOMIC_RELAXED)) {
        copy = k42_platform_alloc(mask_size());
        if (!copy)
            return -ENOMEM;
        thread_read_cpus(self, copy);
    }
    thread_read_policy(self, &thread->wanted);
    thread_apply(thread, &thread->wanted);
    thread->run.allowed = copy;
    return 0;
}

void thread_forget_policy(struct thread *thread) {
    k42_platform_free((void *)(uintptr_t)thread->run.allowed);
    thread->run.allowed = NULL;
}
