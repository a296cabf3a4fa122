/*
 * CPUs without work: finding them, what they do, and evening out between those that have some.
 *
 * Which CPUs are idle is a bit each in words of 64 CPUs, a cache line for each word; it is written
 * when a CPU becomes idle or stops being it, and read by whoever has a thread too many. What it
 * says may be over; then the thread waits where it was put, and is taken from there.
 *
 * Looking for work and halting is one step with interrupts off, and whoever brings work pokes the
 * CPU afterwards, so none is overlooked. Every search is bounded: an idle CPU looks at 64 others, a
 * waker at the words of 256 CPUs.
 *
 * Locks are those of the CPUs, one at a time.
 */
#include "sched.h"

#include "../print.h"

#define WORDS_LOOKED_AT 4u
#define CPUS_LOOKED_AT  64u
#define EVEN_OUT_EVERY  16u /* slices of a CPU on which others wait */

struct idle_word {
    uint64_t cpus;
} __attribute__((aligned(64)));

static struct idle_word *idle_words;
static unsigned idle_word_count;

void sched_idle_open(void) {
    idle_word_count = (cpu_count() + 63) / 64;
    idle_words = k42_platform_alloc(idle_word_count * sizeof *idle_words);
    if (!idle_words)
        panic("boot: no memory for the scheduler; give the machine more memory");
}

void sched_set_idle(const struct sched_cpu *cpu, bool idle) {
    uint64_t *word = &idle_words[cpu->number / 64].cpus, bit = 1ul << cpu->number % 64;
    if (idle)
        __atomic_fetch_or(word, bit, __ATOMIC_RELAXED);
    else
        __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED);
}

/* A number from `from` on, around the word; `bits` is not 0. */
static unsigned next_bit(uint64_t bits, unsigned from) {
    uint64_t turned = bits >> from | (from ? bits << (64 - from) : 0);
    return (from + (unsigned)__builtin_ctzl(turned)) % 64;
}

static struct sched_cpu *find_idle(const uint64_t *allowed, const struct sched_cpu *cpu) {
    unsigned word = cpu->number / 64;
    for (unsigned i = 0; i < WORDS_LOOKED_AT && i < idle_word_count; i++) {
        uint64_t bits = __atomic_load_n(&idle_words[word].cpus, __ATOMIC_RELAXED);
        if (allowed)
            bits &= allowed[word];
        if (bits) {
            unsigned from = i ? 0 : cpu->number % 64;
            struct sched_cpu *other = sched_cpus[word * 64 + next_bit(bits, from)];
            if (!__atomic_load_n(&other->ready, __ATOMIC_RELAXED))
                return other;
        }
        word = word + 1 == idle_word_count ? 0 : word + 1;
    }
    return NULL;
}

struct sched_cpu *sched_find_idle(const struct thread *thread, const struct sched_cpu *cpu) {
    return find_idle(thread->run.allowed, cpu);
}

/* ---- taking work ---- */

static struct thread *take_at(struct sched_cpu *other, unsigned level, unsigned number) {
    struct run_queue *queue = other->queues[level];
    if (!other->waiting[level])
        return NULL;
    struct k42_pair taken = queue->ops->take_movable(queue, number, time_ns());
    if (taken.result)
        return NULL;
    struct thread *thread = k42_container((void *)taken.word, struct thread, run);
    other->waiting[level]--;
    __atomic_store_n(&other->ready, other->ready - 1, __ATOMIC_RELAXED);
    other->moves++;
    thread->queued = false;
    __atomic_store_n(&thread->cpu, number, __ATOMIC_RELEASE);
    return thread;
}

static bool take_from(struct sched_cpu *other, struct sched_cpu *cpu) {
    struct thread *thread = NULL;
    if (!__atomic_load_n(&other->ready, __ATOMIC_RELAXED))
        return false;
    spin_take(&other->lock);
    for (unsigned level = 0; !thread && level < RUN_LEVELS; level++)
        thread = take_at(other, level, cpu->number);
    spin_release(&other->lock);
    if (thread)
        sched_enqueue(cpu, thread, RUN_MOVED);
    return thread;
}

static void take_from_others(struct sched_cpu *cpu) {
    unsigned others = cpu_count() - 1;
    for (unsigned i = 1; i <= others && i <= CPUS_LOOKED_AT; i++)
        if (take_from(sched_cpus[(cpu->number + i) % cpu_count()], cpu))
            return;
}

/* An idle CPU takes what it finds; between two that are busy one looks now and then. */
void sched_even_out(struct sched_cpu *cpu) {
    struct sched_cpu *idle = find_idle(NULL, cpu);
    if (idle) {
        cpu_poke(idle->number);
        return;
    }
    if (++cpu->evened % EVEN_OUT_EVERY || cpu_count() == 1)
        return;
    unsigned step = 1 + (cpu->evened / EVEN_OUT_EVERY) % (cpu_count() - 1);
    struct sched_cpu *other = sched_cpus[(cpu->number + step) % cpu_count()];
    if (__atomic_load_n(&other->ready, __ATOMIC_RELAXED) > cpu->ready + 1)
        take_from(other, cpu);
}

void sched_idle_loop(void *unused) {
    (void)unused;
    for (;;) {
        interrupts_disable();
        struct sched_cpu *cpu = sched_this_cpu();
        if (!cpu->ready)
            take_from_others(cpu);
        if (cpu->ready)
            sched_turn_over(cpu, RUN_YIELDED);
        else
            cpu_idle();
    }
}
