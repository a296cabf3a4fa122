/*
 * The scheduler's beginning: each CPU's state, its idle thread, the first page of its table; and
 * when the others come in.
 *
 * Runs on the boot CPU, which becomes thread 1, before others have threads; nothing is locked. What
 * is missing is a panic.
 */
#include "sched.h"

#include "../mem/frame/frame.h"
#include "../print.h"

struct sched_cpu **sched_cpus;

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
    for (unsigned level = 0; level < RUN_LEVELS; level++)
        cpu->queues[level] = run_queue_fifo_open(&cpu->first_queue);
    cpu->timers.earliest = cpu->armed = cpu->slice_end = NEVER;
    cpu->slice = RUN_FOR_EVER;
    sched_hurry_open(cpu);
    cpu->idle = must_have(thread_make(name, sched_idle_loop, NULL));
    cpu->idle->state = THREAD_IDLE;
    cpu->idle->cpu = cpu->idle->pinned = number;
    cpu->running = cpu->idle;
    map_head(number);
    sched_head(cpu)->parity = K42_INACTIVE;
    if (main) {
        sched_put(cpu, main, RUN_NEW, 0);
        cpu->running = sched_take_next(cpu);
    } else {
        sched_set_idle(cpu, true);
    }
    sched_head(cpu)->calls = &cpu->running->calls;
    return cpu;
}

void sched_open(void) {
    threads_open();
    sched_idle_open();
    struct sched_cpu **cpus = must_have(k42_platform_alloc(cpu_count() * sizeof *cpus));
    struct thread *main = must_have(thread_make("main", NULL, NULL));
    for (unsigned i = 0; i < cpu_count(); i++)
        cpus[i] = cpu_make(i, i ? NULL : main);
    sched_cpus = cpus;
    struct frame_statistics memory;
    frames_count(&memory);
    wait_open(memory.present * FRAME_SIZE);
}

void sched_start(void) {
    sched_make_queues();
    trap_leave = sched_leave_trap;
    sched_load_open();
    __atomic_store_n(&open_to_all, 1, __ATOMIC_RELEASE);
    for (unsigned i = 1; i < cpu_count(); i++)
        cpu_poke(i);
}

void sched_join(void) {
    while (!__atomic_load_n(&open_to_all, __ATOMIC_ACQUIRE)) {
        cpu_idle();
        interrupts_disable();
    }
    sched_idle_loop(NULL);
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
