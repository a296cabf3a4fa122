/*
 * Each CPU's turns: switching, preemption, the timer, the running thread's time.
 *
 * A CPU's lock is held across a switch and let go by the thread that comes next, so whoever takes
 * it never sees a thread half switched out. Ready threads wait in the queues of the CPU they ran on
 * last, one for each level; what the order in a queue is, is a policy's (run_queue/). A slice's end
 * is an interrupt that is only asked for while somebody waits, or, every 10 ms, to see whether a
 * program runs or the kernel for it; a CPU without work halts until another one pokes it.
 *
 * No wake-up is lost: a waker finds the thread, under its CPU's lock, either blocked, and makes it
 * ready, or not blocked yet, and leaves `woken`, which the thread looks at under the same lock
 * before it blocks.
 *
 * What is the thread's and lies in the CPU's head (parity, calls) is exchanged here.
 */
#include "sched.h"

#include "../print.h"

#define INTERRUPTS_ON 0x200u  /* in rflags */
#define PAIR_NS       50000ul /* who sleeps so soon after waking somebody does it for him */
#define PAIRS_MOST    8
#define AWAITED_NS    100000ul /* the turn of one for whom a grace period waits */

/* ---- the timer ---- */

static bool others_wait(const struct sched_cpu *cpu) {
    return __atomic_load_n(&cpu->ready, __ATOMIC_RELAXED) && cpu->running != cpu->idle;
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
    if (others_wait(cpu) && now >= cpu->slice_end) {
        cpu->preemptions += !cpu->want_switch;
        cpu->want_switch = true;
        cpu->slice_end = now + RUN_SLICE_NS; /* should it not be possible now */
        sched_even_out(cpu);
    }
    sched_set_timer(cpu);
}

/* A timer that comes when nothing is due does no harm, so one set too early may stand. */
void sched_set_timer(struct sched_cpu *cpu) {
    uint64_t deadline = __atomic_load_n(&cpu->timers.earliest, __ATOMIC_RELAXED);
    if (others_wait(cpu) && cpu->slice_end < deadline)
        deadline = cpu->slice_end;
    if (cpu->running->user.personality && cpu->sample_at < deadline)
        deadline = cpu->sample_at;
    if (deadline < cpu->armed) {
        cpu->armed = deadline;
        timer_set(deadline, timer_came);
    }
}

/* ---- time ---- */

uint64_t sched_charge(struct sched_cpu *cpu) {
    uint64_t now = time_ns(), ran = now - cpu->charged_at;
    struct thread *running = cpu->running;
    cpu->charged_at = now;
    running->ran_ns += ran;
    if (running != cpu->idle) {
        struct run_queue *queue = cpu->queues[thread_level(running)];
        (void)!queue->ops->charge(queue, ran);
        if (thread_level(running) == RUN_REALTIME)
            sched_bound_charge(cpu, ran, now);
    } else {
        cpu->idle_ns += ran;
    }
    return now;
}

/* What has not been divided yet is put where the last look found the thread. */
static void divide(struct sched_cpu *cpu, struct thread *thread, bool in_program) {
    uint64_t ns = thread->ran_ns - thread->divided_ns;
    thread->divided_ns = thread->ran_ns;
    if (in_program) {
        thread->times.user_ns += ns;
        cpu->program_ns += ns;
    } else {
        thread->times.system_ns += ns;
    }
}

static void sample(struct sched_cpu *cpu, bool in_program) {
    cpu->sample = false;
    spin_take(&cpu->lock);
    sched_charge(cpu);
    divide(cpu, cpu->running, in_program);
    spin_release(&cpu->lock);
}

/* Before the first look, or between two, it is taken to do what it did most so far. */
void thread_read_times(struct thread *thread, struct thread_times *times) {
    uintptr_t saved = interrupts_save();
    struct sched_cpu *cpu = sched_lock_cpu_of(thread);
    if (cpu->running == thread)
        sched_charge(cpu);
    divide(cpu, thread, thread->times.user_ns >= thread->times.system_ns);
    *times = thread->times;
    spin_release(&cpu->lock);
    interrupts_restore(saved);
}

/* A thread that moved takes what was not divided along, so one CPU's sum may be above its time. */
void sched_cpu_times(unsigned number, struct sched_cpu_times *times) {
    struct sched_cpu *cpu = sched_cpus[number];
    uintptr_t saved = interrupts_save();
    spin_take(&cpu->lock);
    uint64_t now = time_ns(), idle = cpu->idle_ns, user = cpu->program_ns;
    if (cpu->running == cpu->idle && now > cpu->charged_at)
        idle += now - cpu->charged_at;
    spin_release(&cpu->lock);
    interrupts_restore(saved);
    idle = idle < now ? idle : now;
    user = user < now - idle ? user : now - idle;
    *times = (struct sched_cpu_times){.user = user, .system = now - idle - user, .idle = idle};
}

/* ---- the queues ---- */

static void count(struct sched_cpu *cpu, unsigned level, int change) {
    cpu->waiting[level] += (uint32_t)change;
    __atomic_store_n(&cpu->ready, cpu->ready + (uint32_t)change, __ATOMIC_RELAXED);
}

bool sched_put(struct sched_cpu *cpu, struct thread *thread, enum run_reason why, uint64_t now) {
    unsigned level = thread_level(thread);
    struct run_queue *queue = cpu->queues[level];
    if (thread == cpu->running)
        thread->parity = sched_head(cpu)->parity;
    thread->run.movable = thread_is_movable(thread);
    thread->queued = true;
    if (why != RUN_YIELDED) /* who yields may wait for one of the others */
        sched_note_active(cpu, thread);
    count(cpu, level, 1);
    return queue->ops->add(queue, &thread->run, why, now) > 0;
}

/* Of one that waits, or runs. */
void sched_take_out(struct sched_cpu *cpu, struct thread *thread, uint64_t now) {
    unsigned level = thread_level(thread);
    struct run_queue *queue = cpu->queues[level];
    if (thread->queued)
        count(cpu, level, -1);
    thread->queued = false;
    sched_forget_active(thread);
    (void)!queue->ops->remove(queue, &thread->run, now);
}

struct thread *sched_take_next(struct sched_cpu *cpu) {
    unsigned level = sched_bound_level(cpu);
    cpu->slice = RUN_FOR_EVER;
    if (!cpu->waiting[level])
        return cpu->idle;
    const struct thread *awaited = level == RUN_SHARED ? sched_hurry(cpu) : NULL;
    struct run_queue *queue = cpu->queues[level];
    struct k42_pair taken = queue->ops->take(queue);
    if (taken.result)
        panic("the run queue of CPU %u does not give what was put in", cpu->number);
    struct thread *thread = k42_container((void *)taken.word, struct thread, run);
    thread->queued = false;
    sched_forget_active(thread);
    count(cpu, level, -1);
    cpu->slice = thread == awaited ? AWAITED_NS : (uint64_t)queue->ops->slice(queue);
    if (thread->turn_left && thread->turn_left < cpu->slice)
        cpu->slice = thread->turn_left;
    thread->turn_left = 0;
    return thread;
}

/* ---- switching ---- */

static void begin_slice(struct sched_cpu *cpu) {
    uint64_t most = sched_bound_turn(cpu);
    cpu->turn_began = cpu->charged_at;
    cpu->slice_end = most == RUN_FOR_EVER ? NEVER : cpu->turn_began + most;
    sched_set_timer(cpu);
}

/* The rest of a switch, in the thread that comes next, on whichever CPU that is. */
static __attribute__((noinline)) void switch_finish(void) {
    struct sched_cpu *cpu = sched_this_cpu(), *to = NULL;
    struct thread *before = cpu->previous;
    bool ended = before->state == THREAD_ENDED, alone = before->alone;
    if (before->state == THREAD_READY && !before->queued) {
        to = sched_place(before, cpu);
        before->must_move = false;
        __atomic_store_n(&before->cpu, to->number, __ATOMIC_RELEASE);
    }
    spin_release(&cpu->lock);
    begin_slice(cpu);
    if (to)
        sched_enqueue(to, before, RUN_MOVED);
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
    struct k42_cpu_head *head = sched_head(cpu);
    cpu->want_switch = false;
    if (next == before) {
        spin_release(&cpu->lock);
        begin_slice(cpu);
        return;
    }
    before->parity = head->parity;
    head->parity = next->parity;
    head->calls = &next->calls;
    __atomic_store_n(&cpu->running, next, __ATOMIC_RELAXED);
    cpu->previous = before;
    cpu->switches++;
    if (next == cpu->idle || before == cpu->idle)
        sched_set_idle(cpu, next == cpu->idle);
    user_switch(&before->user, &next->user);
    thread_switch(&before->stack, next->stack);
    switch_finish();
}

/* The running thread may no longer be here, and is free to go. */
static bool goes_away(const struct sched_cpu *cpu, struct thread *self) {
    if (!self->must_move)
        return false;
    self->must_move = !thread_allows(self, cpu->number);
    return self->must_move && sched_head(cpu)->parity == K42_INACTIVE;
}

/* The running thread to where it waits for its next turn; one that goes away is in no queue until
 * the switch is over. */
static void put_back(struct sched_cpu *cpu, struct thread *self, enum run_reason why,
                     uint64_t now) {
    bool goes = goes_away(cpu, self);
    if (goes || self->changed)
        sched_take_out(cpu, self, now);
    if (self->changed) {
        self->changed = false;
        thread_apply(self, &self->wanted);
        why = RUN_MOVED;
    }
    if (!goes)
        sched_put(cpu, self, why, now);
}

void sched_turn_over(struct sched_cpu *cpu, enum run_reason why) {
    spin_take(&cpu->lock);
    struct thread *self = cpu->running;
    if (self->user.work & USER_TURN)
        __atomic_fetch_and(&self->user.work, ~USER_TURN, __ATOMIC_RELAXED);
    if (!cpu->ready && !self->changed && !self->must_move) { /* nobody else is here */
        cpu->want_switch = false;
        spin_release(&cpu->lock);
        return;
    }
    uint64_t now = sched_charge(cpu);
    if (self != cpu->idle) {
        if (why == RUN_RETURNED && now >= cpu->turn_began + cpu->slice)
            why = RUN_EXPIRED;
        if (why == RUN_RETURNED && cpu->slice != RUN_FOR_EVER)
            self->turn_left = cpu->turn_began + cpu->slice - now;
        put_back(cpu, self, why, now);
    }
    switch_to(cpu, sched_take_next(cpu));
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
    uint64_t now = sched_charge(cpu);
    if (self->woke_at) {
        bool paired = now - self->woke_at < PAIR_NS;
        self->pairs = !paired ? self->pairs / 2 : self->pairs + (self->pairs < PAIRS_MOST);
        self->woke_at = 0;
    }
    __atomic_store_n(&self->state, self->wait.heeds ? THREAD_WAITING : THREAD_BLOCKED,
                     __ATOMIC_RELAXED);
    sched_take_out(cpu, self, now);
    if (self->changed)
        thread_apply(self, &self->wanted);
    self->changed = false;
    switch_to(cpu, sched_take_next(cpu));
}

void thread_leave(void) {
    struct sched_cpu *cpu = sched_this_cpu();
    spin_take(&cpu->lock);
    cpu->running->state = THREAD_ENDED;
    sched_take_out(cpu, cpu->running, sched_charge(cpu));
    switch_to(cpu, sched_take_next(cpu));
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
        sched_turn_over(sched_this_cpu(), RUN_YIELDED);
    interrupts_restore(saved);
}

/* At the end of every trap, and of a system call when it was asked for: interrupts are off, and
 * were on before if we may switch. */
void sched_leave_trap(struct trap_frame *frame) {
    struct sched_cpu *cpu = sched_this_cpu();
    bool free = frame->rflags & INTERRUPTS_ON;
    if (__atomic_load_n(&sched_holding, __ATOMIC_ACQUIRE) & 1 && free)
        sched_stay_held(cpu);
    if (__atomic_exchange_n(&cpu->want_timer, false, __ATOMIC_RELAXED))
        sched_set_timer(cpu);
    if (cpu->sample)
        sample(cpu, trap_from_user(frame));
    if (__atomic_load_n(&cpu->want_switch, __ATOMIC_RELAXED) && !preempt_depth() && free)
        sched_turn_over(cpu, RUN_RETURNED);
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
        sched_turn_over(cpu, RUN_RETURNED);
    interrupts_restore(saved);
}
