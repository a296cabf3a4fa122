/*
 * Checks of threads in the kernel: test=threads.
 *
 * None is decided by time: whoever waits for something waits as long as it takes, and a check that
 * would wait for ever is ended by the emulator's limit.
 */
#include "../arch/x86_64/arch.h"
#include "../kernel.h"
#include "../print.h"
#include "../sched/preempt.h"
#include "../sched/thread.h"
#include "crew.h"

#include <k42/k42.h>

static struct crew crew;

/* ---- lives ---- */

static void count_once(struct member *self) {
    member_count(self);
}

KERNEL_CHECK(threads, started_threads_run_and_are_joined) {
    for (unsigned round = 0; round < 20; round++) {
        if (!crew_start(&crew, CREW_MANY, false, count_once, NULL))
            return false;
        crew_wait(&crew);
        for (unsigned i = 0; i < CREW_MANY; i++)
            if (crew.members[i].done != 1)
                return false;
    }
    return true;
}

static uint32_t alone_ended;

static void end_alone(void *unused) {
    (void)unused;
    __atomic_fetch_add(&alone_ended, 1, __ATOMIC_RELEASE);
}

static uint64_t threads_alive(void) {
    struct sched_counts counts;
    sched_count(&counts);
    return counts.threads;
}

KERNEL_CHECK(threads, threads_that_nobody_joins_leave_nothing) {
    uint64_t before = threads_alive();
    for (unsigned i = 0; i < 100; i++)
        if (thread_start_alone("alone", end_alone, NULL))
            return false;
    while (__atomic_load_n(&alone_ended, __ATOMIC_ACQUIRE) < 100 || threads_alive() > before)
        thread_sleep(100000);
    return threads_alive() == before;
}

static void see_name(struct member *self) {
    *(bool *)self->shared = k42_attached() && !k42_active() && thread_name(thread_self())[0] == 'c';
}

KERNEL_CHECK(threads, a_new_thread_is_attached_and_inactive) {
    bool seen = false;
    if (!crew_start(&crew, 1, false, see_name, &seen))
        return false;
    crew_wait(&crew);
    return seen;
}

/* ---- turns ---- */

static void spin_and_count(struct member *self) {
    while (member_goes_on(self))
        member_count(self);
}

KERNEL_CHECK(threads, threads_that_never_wait_take_turns) {
    uint32_t size = crew_some(3);
    if (!crew_start(&crew, size, true, spin_and_count, NULL))
        return false;
    crew_await(&crew, 1000);
    crew_await(&crew, 1000);
    crew_end(&crew);
    return true;
}

static void note_cpu(struct member *self) {
    self->done = (uint64_t)k42_cpu();
}

KERNEL_CHECK(threads, a_pinned_thread_runs_where_it_was_put) {
    if (!crew_start(&crew, CREW_MANY, true, note_cpu, NULL))
        return false;
    crew_wait(&crew);
    for (uint32_t i = 0; i < CREW_MANY; i++)
        if (crew.members[i].done != i % cpu_count())
            return false;
    return true;
}

/* Sleeps and gives way while active; counts how often it found itself on another CPU. */
static void stay_active(struct member *self) {
    while (member_goes_on(self)) {
        k42_enter();
        int cpu = k42_cpu();
        for (unsigned i = 0; i < 10; i++) {
            if (self->number & 1)
                thread_sleep(20000);
            else
                thread_yield();
            if (cpu != k42_cpu() || !k42_active())
                __atomic_fetch_add((uint32_t *)self->shared, 1, __ATOMIC_RELAXED);
        }
        k42_exit();
        if (k42_active())
            __atomic_fetch_add((uint32_t *)self->shared, 1, __ATOMIC_RELAXED);
        member_count(self);
        thread_yield();
    }
}

KERNEL_CHECK(threads, an_active_thread_stays_on_its_cpu) {
    uint32_t moved = 0;
    if (!crew_start(&crew, crew_some(4), false, stay_active, &moved))
        return false;
    crew_await(&crew, 20);
    crew_end(&crew);
    return !moved;
}

/* With the CPU held by others, a thread that may move is taken by the one that has nothing to do.
 */
static void move_about(struct member *self) {
    int cpu = k42_cpu();
    while (member_goes_on(self)) {
        thread_sleep(10000);
        self->done += cpu != k42_cpu();
        cpu = k42_cpu();
    }
}

static void hold_cpu(void *argument) {
    struct member *self = argument;
    while (member_goes_on(self))
        __builtin_ia32_pause();
}

KERNEL_CHECK(threads, an_inactive_thread_goes_where_there_is_time) {
    static struct crew movers;
    if (cpu_count() == 1)
        return true;
    if (!crew_start(&movers, 1, false, move_about, NULL))
        return false;
    /* Each in turn is held, so the mover cannot stay anywhere. */
    for (unsigned round = 0; __atomic_load_n(&movers.members[0].done, __ATOMIC_RELAXED) < 2;
         round++) {
        struct thread *holder;
        crew.stop = 0;
        crew.members[0] = (struct member){.stop = &crew.stop};
        holder = thread_start_on(round % cpu_count(), "holder", hold_cpu, &crew.members[0]);
        if (!holder)
            return false;
        thread_sleep(2000000);
        crew.stop = 1;
        thread_join(holder);
    }
    crew_end(&movers);
    return true;
}

/* ---- sleeping and waking ---- */

KERNEL_CHECK(threads, a_sleep_is_not_shorter_than_asked) {
    for (uint64_t ns = 1000; ns < 20000000; ns *= 3) {
        uint64_t before = time_ns();
        thread_sleep(ns);
        if (time_ns() - before < ns)
            return false;
    }
    return true;
}

KERNEL_CHECK(threads, a_park_ends_with_its_timeout) {
    uint32_t word = 1;
    uint64_t before = time_ns();
    while (time_ns() - before < 3000000)
        thread_park(&word, 1, 3000000);
    thread_park(&word, 0, 0); /* not what it says: returns at once */
    return true;
}

/* Two pass a word to and fro, each waking the other; a wake-up that is lost leaves both asleep. */
struct pair {
    uint32_t turn;
};

static void play(struct member *self) {
    struct pair *pair = self->shared;
    for (unsigned round = 0; round < 3000; round++) {
        for (;;) {
            uint32_t turn = __atomic_load_n(&pair->turn, __ATOMIC_ACQUIRE);
            if ((turn & 1) == self->number)
                break;
            thread_park(&pair->turn, turn, 0);
        }
        __atomic_fetch_add(&pair->turn, 1, __ATOMIC_ACQ_REL);
        thread_wake_parked(&pair->turn, 1);
        member_count(self);
    }
}

KERNEL_CHECK(threads, no_wake_up_is_lost) {
    struct pair pair = {0};
    for (unsigned pinned = 0; pinned < 2; pinned++) {
        if (!crew_start(&crew, 2, pinned, play, &pair))
            return false;
        crew_wait(&crew);
    }
    return pair.turn == 12000;
}

/* Timers of many threads at once, some of them woken before their time. */
static void sleep_variously(struct member *self) {
    uint32_t word = 0;
    uint64_t random = self->number + 1;
    while (member_goes_on(self)) {
        random = random * 6364136223846793005ul + 1442695040888963407ul;
        thread_park(&word, 0, 1000 + (random >> 44));
        member_count(self);
    }
}

KERNEL_CHECK(threads, many_timers_at_once_all_come) {
    if (!crew_start(&crew, CREW_MANY, false, sleep_variously, NULL))
        return false;
    crew_await(&crew, 20);
    crew_end(&crew);
    return true;
}

struct guarded {
    struct k42_lock lock;
    uint64_t count;
};

static void take_and_count(struct member *self) {
    struct guarded *guarded = self->shared;
    for (unsigned i = 0; i < 2000; i++) {
        (void)k42_lock(&guarded->lock);
        uint64_t count = guarded->count;
        if (!(i % 100))
            thread_yield();
        guarded->count = count + 1;
        k42_unlock(&guarded->lock);
    }
}

KERNEL_CHECK(threads, an_objects_lock_excludes) {
    struct guarded guarded = {0};
    if (!crew_start(&crew, 8, false, take_and_count, &guarded))
        return false;
    crew_wait(&crew);
    return guarded.count == 8 * 2000;
}

/* ---- preemption ---- */

KERNEL_CHECK(threads, nobody_else_runs_while_preemption_is_off) {
    static struct crew others;
    if (!crew_start(&others, cpu_count(), true, spin_and_count, NULL))
        return false;
    bool quiet = true;
    for (unsigned round = 0; round < 20; round++) {
        preempt_off();
        uint32_t here = cpu_number();
        uint64_t *counts = &others.members[here].done;
        uint64_t before = __atomic_load_n(counts, __ATOMIC_ACQUIRE);
        delay_ns(3000000);
        quiet = quiet && before == __atomic_load_n(counts, __ATOMIC_ACQUIRE) &&
                here == cpu_number() && !thread_may_wait();
        preempt_on();
        thread_sleep(100000);
    }
    crew_end(&others);
    return quiet && thread_may_wait();
}
