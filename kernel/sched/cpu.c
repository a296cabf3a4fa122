/*
 * Each CPU's turns: switching, preemption, waking, idling.
 *
 * A CPU's lock is held across a switch and let go by the thread that comes next, so whoever takes
 * it never sees a thread half switched out. Ready threads wait in the queue of the CPU they ran on
 * last; one that wakes goes to an idle CPU when its own is busy and it may move, and a CPU with
 * nothing to do takes a waiting thread from another. A slice's end is an interrupt that is only
 * asked for while somebody waits; a CPU without work halts until another one pokes it.
 *
 * No wake-up is lost: a waker finds the thread, under its CPU's lock, either blocked, and makes it
 * ready, or not blocked yet, and leaves `woken`, which the thread looks at under the same lock
 * before it blocks. An idle CPU looks at its queue with interrupts off and halts in the same breath
 * (cpu_idle); whoever adds to the queue pokes afterwards, so the poke ends the halt.
 *
 * What is the thread's and lies in the CPU's head (parity, calls) is exchanged here.
 */
#include "sched.h"

#include "../print.h"

struct sched_cpu **sched_cpus;

#define INTERRUPTS_ON 0x200u /* in rflags */

static struct k42_cpu_head *head_of(const struct sched_cpu *cpu) {
    return (struct k42_cpu_head *)cpu_table(cpu->number);
}

/* ---- the timer ---- */

static bool others_wait(const struct sched_cpu *cpu) {
    return __atomic_load_n(&cpu->queue.length, __ATOMIC_RELAXED) && cpu->running != cpu->idle;
}

static void timer_came(void) {
    struct sched_cpu *cpu = sched_this_cpu();
    uint64_t now = time_ns();
    cpu->armed = NEVER;
    timers_expire(cpu, now);
    if (now >= cpu->sample_at) {
        cpu->sample_at = now + SAMPLE_NS;
        cpu->sample = true;
    }
    if (others_wait(cpu) && now >= cpu->slice_end && !cpu->want_switch) {
        cpu->want_switch = true;
        cpu->preemptions++;
    }
    sched_set_timer(cpu);
}

/* A timer that comes when nothing is due does no harm, so one set too early may stand. */
void sched_set_timer(struct sched_cpu *cpu) {
    uint64_t deadline = __atomic_load_n(&cpu->timers.earliest, __ATOMIC_RELAXED);
    if (others_wait(cpu) && !cpu->want_switch && cpu->slice_end < deadline)
        deadline = cpu->slice_end;
    if (cpu->running->user.personality && cpu->sample_at < deadline)
        deadline = cpu->sample_at;
    if (deadline < cpu->armed) {
        cpu->armed = deadline;
        timer_set(deadline, timer_came);
    }
}

/* ---- switching ---- */

/* The running thread's time until now. */
static void charge(struct sched_cpu *cpu, struct thread *running) {
    uint64_t now = time_ns();
    running->ran_ns += now - cpu->turn_began;
    cpu->turn_began = now;
}

/* What has not been divided yet is put where the last look found the thread. */
static void divide(struct thread *thread, bool in_program) {
    uint64_t ns = thread->ran_ns - thread->divided_ns;
    thread->divided_ns = thread->ran_ns;
    if (in_program)
        thread->times.user_ns += ns;
    else
        thread->times.system_ns += ns;
}

/* The rest of a switch, in the thread that comes next, on whichever CPU that is. */
static __attribute__((noinline)) void switch_finish(void) {
    struct sched_cpu *cpu = sched_this_cpu();
    struct thread *before = cpu->previous;
    bool ended = before->state == THREAD_ENDED, alone = before->alone;
    spin_release(&cpu->lock);
    cpu->slice_end = cpu->turn_began + SLICE_NS;
    sched_set_timer(cpu);
    if (ended && alone)
        thread_free(before);
    if (ended && !alone) {
        /* It may be freed from the store on; waking uses its address only as a name. */
        __atomic_store_n(&before->ended, 1, __ATOMIC_RELEASE);
        thread_wake_parked(&before->ended, 1);
    }
}

/* Called with the CPU's lock, which is free when it returns; then perhaps on another CPU. */
static void switch_to(struct sched_cpu *cpu, struct thread *next) {
    struct thread *before = cpu->running;
    struct k42_cpu_head *head = head_of(cpu);
    cpu->want_switch = false;
    if (next == before) {
        spin_release(&cpu->lock);
        return;
    }
    charge(cpu, before);
    before->parity = head->parity;
    head->parity = next->parity;
    head->calls = &next->calls;
    cpu->running = next;
    cpu->previous = before;
    cpu->switches++;
    user_switch(&before->user, &next->user);
    thread_switch(&before->stack, next->stack);
    switch_finish();
}

static struct thread *next_thread(struct sched_cpu *cpu) {
    struct thread *next = cpu->queue.ops->take(&cpu->queue);
    return next ? next : cpu->idle;
}

/* Lets whoever is next run; the running thread waits for its next turn. Interrupts are off. */
static void turn_over(struct sched_cpu *cpu) {
    spin_take(&cpu->lock);
    if (cpu->running->state == THREAD_READY)
        cpu->queue.ops->add(&cpu->queue, cpu->running);
    switch_to(cpu, next_thread(cpu));
}

void thread_block(void) {
    struct sched_cpu *cpu = sched_this_cpu();
    struct thread *self = cpu->running;
    if (preempt_depth() || self == cpu->idle)
        panic("thread %s waits where it must not: preemption is off", self->calls.name);
    spin_take(&cpu->lock);
    if (self->woken) {
        self->woken = false;
        spin_release(&cpu->lock);
        return;
    }
    self->state = THREAD_BLOCKED;
    switch_to(cpu, next_thread(cpu));
}

void thread_leave(void) {
    struct sched_cpu *cpu = sched_this_cpu();
    spin_take(&cpu->lock);
    cpu->running->state = THREAD_ENDED;
    switch_to(cpu, next_thread(cpu));
    panic("a thread runs that has ended");
}

void thread_begin(void) {
    switch_finish();
    struct thread *self = thread_self();
    interrupts_enable();
    self->fn(self->argument);
    thread_exit();
}

void thread_yield(void) {
    uintptr_t saved = interrupts_save();
    if (!preempt_depth())
        turn_over(sched_this_cpu());
    interrupts_restore(saved);
}

/* At the end of every trap: interrupts are off, and were on before if we may switch. */
static void leave_trap(struct trap_frame *frame) {
    struct sched_cpu *cpu = sched_this_cpu();
    if (__atomic_exchange_n(&cpu->want_timer, false, __ATOMIC_RELAXED))
        sched_set_timer(cpu);
    if (cpu->sample) {
        cpu->sample = false;
        spin_take(&cpu->lock);
        charge(cpu, cpu->running);
        divide(cpu->running, trap_from_user(frame));
        spin_release(&cpu->lock);
    }
    if (__atomic_load_n(&cpu->want_switch, __ATOMIC_RELAXED) && !preempt_depth() &&
        frame->rflags & INTERRUPTS_ON)
        turn_over(cpu);
}

/* The thread may be moved before this looks; then it looks at a CPU where it has just got a turn.
 */
void preempt_catch_up(void) {
    if (!sched_cpus || !__atomic_load_n(&sched_this_cpu()->want_switch, __ATOMIC_RELAXED))
        return;
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_this_cpu();
    if (!(saved & INTERRUPTS_ON))
        cpu_poke(cpu->number); /* comes when they are on again */
    else if (cpu->want_switch)
        turn_over(cpu);
    interrupts_restore(saved);
}

/* ---- waking ---- */

static bool is_idle(struct sched_cpu *cpu) {
    return __atomic_load_n(&cpu->running, __ATOMIC_RELAXED) == cpu->idle &&
           !__atomic_load_n(&cpu->queue.length, __ATOMIC_RELAXED);
}

/* Where a thread that was blocked on `cpu` goes on. */
static struct sched_cpu *place(const struct thread *thread, struct sched_cpu *cpu) {
    if (!thread_is_movable(thread) || is_idle(cpu))
        return cpu;
    for (unsigned i = 1; i < cpu_count(); i++) {
        struct sched_cpu *other = sched_cpus[(cpu->number + i) % cpu_count()];
        if (is_idle(other))
            return other;
    }
    return cpu;
}

/* Adds a thread that is in no queue to the CPU in its `cpu`. Interrupts are off. */
static void enqueue(struct sched_cpu *cpu, struct thread *thread) {
    spin_take(&cpu->lock);
    cpu->queue.ops->add(&cpu->queue, thread);
    bool idle = cpu->running == cpu->idle;
    bool here = cpu == sched_this_cpu();
    if (idle)
        __atomic_store_n(&cpu->want_switch, true, __ATOMIC_RELAXED);
    else if (!here)
        __atomic_store_n(&cpu->want_timer, true, __ATOMIC_RELAXED);
    bool first = cpu->queue.length == 1;
    spin_release(&cpu->lock);
    if (!here && (idle || first))
        cpu_poke(cpu->number);
    else if (here && !idle)
        sched_set_timer(cpu);
}

static struct sched_cpu *lock_cpu_of(struct thread *thread) {
    for (;;) {
        struct sched_cpu *cpu = sched_cpus[__atomic_load_n(&thread->cpu, __ATOMIC_ACQUIRE)];
        spin_take(&cpu->lock);
        if (cpu->number == __atomic_load_n(&thread->cpu, __ATOMIC_RELAXED))
            return cpu;
        spin_release(&cpu->lock);
    }
}

/* Between the two locks the thread is ready and in no queue, so nobody but us does anything to it.
 */
static void make_ready(struct sched_cpu *cpu, struct thread *thread) {
    thread->state = THREAD_READY;
    struct sched_cpu *target = place(thread, cpu);
    cpu->moves += target != cpu;
    __atomic_store_n(&thread->cpu, target->number, __ATOMIC_RELEASE);
    spin_release(&cpu->lock);
    enqueue(target, thread);
}

void thread_wake(struct thread *thread) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = lock_cpu_of(thread);
    if (thread->state == THREAD_BLOCKED) {
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
    struct sched_cpu *cpu = lock_cpu_of(thread);
    bool runs = cpu->running == thread && cpu != sched_this_cpu();
    spin_release(&cpu->lock);
    if (runs)
        cpu_poke(cpu->number);
    thread_wake(thread);
    interrupts_restore(saved);
}

/* Before the first look, or between two, it is taken to do what it did most so far. */
void thread_read_times(struct thread *thread, struct thread_times *times) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = lock_cpu_of(thread);
    if (cpu->running == thread && cpu == sched_this_cpu())
        charge(cpu, thread);
    divide(thread, thread->times.user_ns >= thread->times.system_ns);
    *times = thread->times;
    spin_release(&cpu->lock);
    interrupts_restore(saved);
}

void thread_launch(struct thread *thread) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu =
        thread->pinned == ANY_CPU ? place(thread, sched_this_cpu()) : sched_cpus[thread->pinned];
    thread->cpu = cpu->number;
    enqueue(cpu, thread);
    interrupts_restore(saved);
}

/* ---- idling ---- */

static struct thread *take_from(struct sched_cpu *other, uint32_t number) {
    if (!__atomic_load_n(&other->queue.length, __ATOMIC_RELAXED))
        return NULL;
    spin_take(&other->lock);
    struct thread *thread = other->queue.ops->take_movable(&other->queue);
    if (thread) {
        __atomic_store_n(&thread->cpu, number, __ATOMIC_RELEASE);
        other->moves++;
    }
    spin_release(&other->lock);
    return thread;
}

/* A thread that waits elsewhere comes here. */
static void take_from_others(struct sched_cpu *cpu) {
    for (unsigned i = 1; i < cpu_count(); i++) {
        struct thread *thread = take_from(sched_cpus[(cpu->number + i) % cpu_count()], cpu->number);
        if (thread) {
            enqueue(cpu, thread);
            return;
        }
    }
}

static void idle(void *unused) {
    (void)unused;
    for (;;) {
        interrupts_disable();
        struct sched_cpu *cpu = sched_this_cpu();
        if (!cpu->queue.length)
            take_from_others(cpu);
        if (cpu->queue.length)
            turn_over(cpu);
        else
            cpu_idle();
    }
}

/* ---- the beginning ---- */

static uint32_t open_to_all;

static void *must_have(void *memory) {
    if (!memory)
        panic("boot: no memory for the scheduler; give the machine more memory");
    return memory;
}

/* The head must be there before anybody is switched to. */
static void map_head(unsigned number) {
    uint64_t frame = page_table_frame();
    if (!frame || kernel_map(cpu_table(number), frame, KERNEL_WRITE))
        panic("boot: no memory for the first page of the table of CPU %u", number);
    __builtin_memset((void *)cpu_table(number), 0, FRAME_SIZE);
}

static struct sched_cpu *cpu_make(unsigned number, struct thread *main) {
    struct sched_cpu *cpu = must_have(k42_platform_alloc(sizeof *cpu));
    char name[16];
    k42_format_text(name, sizeof name, "idle %u", number);
    cpu->number = number;
    cpu->queue.ops = &fifo_ops;
    cpu->timers.earliest = cpu->armed = NEVER;
    cpu->idle = must_have(thread_make(name, idle, NULL));
    cpu->idle->state = THREAD_IDLE;
    cpu->idle->cpu = cpu->idle->pinned = number;
    cpu->running = main ? main : cpu->idle;
    cpu->running->cpu = number;
    map_head(number);
    head_of(cpu)->calls = &cpu->running->calls;
    head_of(cpu)->parity = K42_INACTIVE;
    return cpu;
}

void sched_open(void) {
    struct sched_cpu **cpus = must_have(k42_platform_alloc(cpu_count() * sizeof *cpus));
    threads_open();
    struct thread *main = must_have(thread_make("main", NULL, NULL));
    for (unsigned i = 0; i < cpu_count(); i++)
        cpus[i] = cpu_make(i, i ? NULL : main);
    sched_cpus = cpus;
    wait_open();
}

void sched_start(void) {
    trap_leave = leave_trap;
    __atomic_store_n(&open_to_all, 1, __ATOMIC_RELEASE);
    for (unsigned i = 1; i < cpu_count(); i++)
        cpu_poke(i);
}

void sched_join(void) {
    while (!__atomic_load_n(&open_to_all, __ATOMIC_ACQUIRE)) {
        cpu_idle();
        interrupts_disable();
    }
    idle(NULL);
    __builtin_unreachable();
}

void sched_count(struct sched_counts *counts) {
    *counts = (struct sched_counts){0};
    for (unsigned i = 0; i < cpu_count(); i++) {
        counts->switches += __atomic_load_n(&sched_cpus[i]->switches, __ATOMIC_RELAXED);
        counts->preemptions += __atomic_load_n(&sched_cpus[i]->preemptions, __ATOMIC_RELAXED);
        counts->moves += __atomic_load_n(&sched_cpus[i]->moves, __ATOMIC_RELAXED);
    }
    counts->threads = thread_count();
}
