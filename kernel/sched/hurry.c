/*
 * Who is awaited goes first: threads that wait for their turns in the middle of an active section.
 *
 * A grace period waits for the threads that were active when it began, on each CPU those that were
 * counted in the parity which new entries no longer use (core/quiescence.c). One of them that was
 * preempted, or has been woken, would have to wait until all that are before it have had their
 * slices; in a storm nearly all are active, and a grace period would take as long as all turns
 * of all. So each CPU lists by parity who waits here while active, and when the next turn is given
 * those of the old parity are first, one after the other and for a short turn each: sections are
 * short, and what is entered after that is counted in the other parity. Nobody gains by it, since
 * what they run counts as their time, and nobody is kept from running: one that has not left after
 * a while of such turns comes first for half of the time. It is time that is counted, not turns,
 * which the one who awaits it cuts short.
 *
 * Among threads with priorities nothing is changed. Locking: the CPU's. Nothing fails.
 */
#include "sched.h"

#define HURRIED_NS 2000000ul /* so long it comes first for one generation, whatever others want */

void sched_hurry_open(struct sched_cpu *cpu) {
    for (unsigned parity = 0; parity < 2; parity++)
        cpu->active[parity] = (struct sched_link){&cpu->active[parity], &cpu->active[parity]};
}

void sched_note_active(struct sched_cpu *cpu, struct thread *thread) {
    if (thread->parity == K42_INACTIVE || thread_level(thread) != RUN_SHARED)
        return;
    struct sched_link *link = &thread->active, *end = &cpu->active[thread->parity];
    *link = (struct sched_link){.next = end, .before = end->before};
    end->before->next = link;
    end->before = link;
}

void sched_forget_active(struct thread *thread) {
    struct sched_link *link = &thread->active;
    if (!link->next)
        return;
    link->next->before = link->before;
    link->before->next = link->next;
    link->next = NULL;
}

/* Whether it has had its while of coming first, and half of the time since then. */
static bool had_its_part(struct sched_cpu *cpu, struct thread *thread, uint64_t generation) {
    if (thread->hurried_for != generation) {
        thread->hurried_for = generation;
        thread->hurried_since = cpu->charged_at;
        thread->hurried_at = thread->ran_ns;
    }
    return thread->ran_ns - thread->hurried_at >
           HURRIED_NS + (cpu->charged_at - thread->hurried_since) / 2;
}

struct thread *sched_hurry(struct sched_cpu *cpu) {
    uint64_t generation = __atomic_load_n(&sched_head(cpu)->generation, __ATOMIC_RELAXED);
    struct sched_link *old = &cpu->active[(generation + 1) & 1];
    if (old->next == old)
        return NULL;
    struct thread *thread = k42_container(old->next, struct thread, active);
    if (had_its_part(cpu, thread, generation)) {
        sched_forget_active(thread);
        sched_note_active(cpu, thread);
        return NULL;
    }
    struct run_entity *entity = &thread->run;
    struct run_queue *queue = cpu->queues[RUN_SHARED];
    (void)!queue->ops->remove(queue, entity, cpu->charged_at);
    (void)!queue->ops->add(queue, entity, RUN_AWAITED, cpu->charged_at);
    return thread;
}
