/*
 * Holding all CPUs while an atomic object is swapped, and the objects that are the run queues.
 *
 * An atomic section of a thread has preemption off; the rendezvous (kernel/platform/rendezvous.c)
 * waits for those to end before it holds CPUs. The scheduler's sections are those with interrupts
 * off: a held CPU is one that took an interrupt while they were on, so it is outside of any, and
 * has no spin lock. Whoever is inside one finishes it first.
 *
 * Why holding ends. The holder waits for CPUs with interrupts on and preemption off. A CPU that is
 * not held yet has interrupts off for a while only: it computes; or it spins for a lock, which
 * somebody has with interrupts off, who is therefore not held and finishes; or it waits for another
 * CPU's answer to a call, and everybody answers: the holder by interrupts, held CPUs in their loop,
 * the others when they have interrupts on or wait themselves (cpu_wait_turn). So no CPU waits for a
 * held one. Locks of objects, whose holders may be held, are not taken with interrupts off.
 *
 * While CPUs are held the holder has interrupts off, and nobody adds to a queue, with one
 * exception: the holder itself may wake somebody (a page of a table may be allocated while slots
 * are emptied). Such a thread may land in a queue that has handed its entities over already, and is
 * taken on to the new one before the CPUs are let go.
 *
 * Data: `sched_holding`, odd while CPUs are to be held. Fails: no memory for the first objects is a
 * panic.
 */
#include "hold.h"

#include "../print.h"
#include "sched.h"

uint32_t sched_holding;
static uint32_t holder; /* the CPU that holds the others */
static bool have_objects;

/* ---- holding ---- */

void sched_stay_held(struct sched_cpu *cpu) {
    uint32_t hold = __atomic_load_n(&sched_holding, __ATOMIC_ACQUIRE);
    if (!(hold & 1) || cpu->number == __atomic_load_n(&holder, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&cpu->held_for, hold, __ATOMIC_RELEASE);
    while (__atomic_load_n(&sched_holding, __ATOMIC_ACQUIRE) == hold)
        cpu_wait_turn();
}

void sched_hold(void) {
    if (!have_objects)
        return;
    preempt_off();
    uint32_t self = cpu_number();
    __atomic_store_n(&holder, self, __ATOMIC_RELAXED);
    uint32_t hold = sched_holding + 1;
    __atomic_store_n(&sched_holding, hold, __ATOMIC_RELEASE);
    for (unsigned i = 0; i < cpu_count(); i++)
        if (i != self)
            cpu_poke(i);
    for (unsigned i = 0; i < cpu_count(); i++)
        while (i != self && __atomic_load_n(&sched_cpus[i]->held_for, __ATOMIC_ACQUIRE) != hold)
            cpu_wait_turn();
    interrupts_disable();
}

/* ---- the queues ---- */

/* As k42_call() does it, without what that checks in debug builds: the lock of the rendezvous is
 * held, which is no object's. */
static struct run_queue *representative_of(run_queue_ref ref) {
    struct run_queue *found = k42_load(ref);
    struct k42_pair self = found->ops->self(found);
    if (self.result)
        panic("a run queue is gone: %s", k42_error_name(self.result));
    return (struct run_queue *)self.word;
}

/* Whoever was added to the old one after it had handed over what it had. */
static void take_stragglers(struct run_queue *old, struct run_queue *new) {
    struct k42_pair taken;
    while (!(taken = old->ops->take(old)).result)
        (void)!new->ops->add(new, (struct run_entity *)taken.word, RUN_MOVED, time_ns());
}

static void look_again(struct sched_cpu *cpu) {
    for (unsigned level = 0; level < RUN_LEVELS; level++) {
        struct run_queue *old = cpu->queues[level], *new = representative_of(cpu->objects[level]);
        if (new == old)
            continue;
        take_stragglers(old, new);
        cpu->queues[level] = new;
    }
}

void sched_release(void) {
    if (!have_objects)
        return;
    k42_enter();
    for (unsigned i = 0; i < cpu_count(); i++)
        look_again(sched_cpus[i]);
    k42_exit();
    __atomic_store_n(&sched_holding, sched_holding + 1, __ATOMIC_RELEASE);
    interrupts_enable();
    preempt_on();
}

/* ---- their beginning ---- */

static run_queue_ref make_queue(struct k42_class *class_) {
    k42_ref ref;
    k42_result result = k42_create(class_, NULL, &ref);
    if (result)
        panic("boot: a run queue cannot be made: %s", k42_error_name(result));
    return (run_queue_ref)ref;
}

/* Only the boot CPU runs, and on it this thread: who runs comes first, then those that wait. */
static void move_in(struct sched_cpu *cpu) {
    struct run_queue *queue = cpu->queues[RUN_SHARED];
    struct run_entity *entity;
    if (cpu->running != cpu->idle) {
        (void)!queue->ops->add(queue, &cpu->running->run, RUN_NEW, time_ns());
        (void)!queue->ops->take(queue).result;
    }
    while ((entity = run_lined_drain(&cpu->first_queue.body.root)))
        (void)!queue->ops->add(queue, entity, RUN_NEW, time_ns());
}

static struct k42_class *shared_class(void) {
    char name[32] = "", full[48];
    if (!boot_option("run-queue", name, sizeof name))
        return &run_queue_fair;
    k42_format_text(full, sizeof full, "run_queue.%s", name);
    struct k42_class *class_ = k42_class_find(full);
    if (!class_)
        panic("boot: there is no run queue \"%s\"; run-queue=fair is the usual one", name);
    return class_;
}

void sched_make_queues(void) {
    struct k42_class *shared = shared_class();
    for (unsigned i = 0; i < cpu_count(); i++) {
        struct sched_cpu *cpu = sched_cpus[i];
        cpu->objects[RUN_REALTIME] = make_queue(&run_queue_realtime);
        cpu->objects[RUN_SHARED] = make_queue(shared);
    }
    k42_enter();
    uintptr_t saved = interrupts_save();
    for (unsigned i = 0; i < cpu_count(); i++) {
        struct sched_cpu *cpu = sched_cpus[i];
        for (unsigned level = 0; level < RUN_LEVELS; level++)
            cpu->queues[level] = representative_of(cpu->objects[level]);
        move_in(cpu);
    }
    interrupts_restore(saved);
    k42_exit();
    have_objects = true;
}
