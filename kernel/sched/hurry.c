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
 * a few such turns waits for its next as all do.
 *
 * Among threads with priorities nothing is changed. Locking: the CPU's. Nothing fails.
 */
#include "sched.h"

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

bool sched_hurry(struct sched_cpu *cpu) {
    const struct k42_cpu_head *head = sched_head(cpu);
    uint64_t old = (__atomic_load_n(&head->generation, __ATOMIC_RELAXED) + 1) & 1;
    struct sched_link *first = cpu->active[old].next;
    if (first == &cpu->active[old])
        return false;
    struct run_entity *entity = &k42_container(first, struct thread, active)->run;
    struct run_queue *queue = cpu->queues[RUN_SHARED];
    (void)!queue->ops->remove(queue, entity, cpu->charged_at);
    (void)!queue->ops->add(queue, entity, RUN_AWAITED, cpu->charged_at);
    return true;
}
