/*
 * The one trace that may run: its geometry, opening and closing, and its counts.
 *
 * The host's control functions call open, close and discard one at a time. `cpus` is address space
 * for every CPU there may be and stays for ever, so that a writer may look at it at any moment.
 *
 * Closing: clear `open`, make every CPU pass a barrier, wait until no writer is counted in. A
 * writer that counted itself in before the barrier is seen and waited for; one that does so later
 * sees the session closed and leaves without touching a buffer.
 */
#include "trace.h"

#include "../platform.h"

#include <errno.h>

struct k42_trace_session k42_trace_session;

/* Held by whoever looks at counts in the CPUs' memory, and while that memory is freed. */
static struct k42_lock counts_lock;

static int bad_power(uint64_t value, uint64_t least, uint64_t most) {
    return value < least || value > most || (value & (value - 1));
}

int k42_trace_geometry_fits(enum k42_trace_mode mode, size_t sub_bytes, uint32_t sub_count) {
    return mode <= K42_TRACE_STOP && !bad_power(sub_bytes, 4096, 1 << 24) &&
           !bad_power(sub_count, 2, 1024);
}

struct k42_trace_cpu *k42_trace_nth_cpu(uint32_t n) {
    struct k42_trace_session *session = &k42_trace_session;
    uint32_t limit = __atomic_load_n(&session->cpu_limit, __ATOMIC_ACQUIRE);
    if (!session->cpus || n > limit)
        return NULL;
    return &session->cpus[n == limit ? K42_TRACE_MAX_CPUS : n];
}

static void reset_cpus(void) {
    struct k42_trace_cpu *cpu;
    for (uint32_t n = 0; (cpu = k42_trace_nth_cpu(n)); n++) {
        __atomic_store_n(&cpu->index, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&cpu->discarded, 0, __ATOMIC_RELAXED);
        cpu->consumed = cpu->overwritten = cpu->read = cpu->recorded = 0;
    }
    for (uint32_t id = 1; k42_trace_known(id); id++)
        k42_trace_known(id)->recorded = 0;
}

static int make_cpus(void) {
    struct k42_trace_session *session = &k42_trace_session;
    if (session->cpus)
        return 0;
    struct k42_trace_cpu *cpus =
        k42_platform_reserve((K42_TRACE_MAX_CPUS + 1) * sizeof(struct k42_trace_cpu));
    if (!cpus)
        return -ENOMEM;
    cpus[K42_TRACE_MAX_CPUS].shared = 1;
    cpus[K42_TRACE_MAX_CPUS].number = K42_TRACE_UNATTACHED;
    __atomic_store_n(&session->cpus, cpus, __ATOMIC_RELEASE);
    return 0;
}

k42_result k42_trace_open(enum k42_trace_mode mode, size_t sub_bytes, uint32_t sub_count) {
    struct k42_trace_session *session = &k42_trace_session;
    int error = k42_platform_barrier_open();
    if (!error)
        error = make_cpus();
    if (error)
        return error;
    reset_cpus();
    session->mode = mode;
    session->sub_shift = (uint32_t)__builtin_ctzll(sub_bytes);
    session->sub_mask = sub_bytes - 1;
    session->count_mask = sub_count - 1;
    session->total_mask = sub_bytes * sub_count - 1;
    __atomic_store_n(&session->open, 1, __ATOMIC_RELEASE);
    k42_trace_refresh(1);
    return 0;
}

/* Waits, since a writer may be descheduled or interrupted for as long as it likes. */
static void await_writers(struct k42_trace_cpu *cpu) {
    while (__atomic_load_n(&cpu->writers, __ATOMIC_ACQUIRE) != 0)
        k42_platform_yield();
}

void k42_trace_close(void) {
    struct k42_trace_cpu *cpus = k42_trace_session.cpus;
    k42_trace_refresh(0);
    __atomic_store_n(&k42_trace_session.open, 0, __ATOMIC_SEQ_CST);
    k42_platform_barrier_all();
    /* All of them: one without memory yet may be about to get some, and raise the limit. */
    for (uint32_t n = 0; n <= K42_TRACE_MAX_CPUS; n++)
        await_writers(&cpus[n]);
}

static uint64_t count_recorded(const struct k42_trace_cpu *cpu) {
    char *memory = __atomic_load_n(&cpu->memory, __ATOMIC_ACQUIRE);
    if (!memory)
        return cpu->recorded;
    uint64_t recorded = 0;
    for (uint64_t i = 0; i <= k42_trace_session.count_mask; i++)
        recorded += __atomic_load_n(&k42_trace_subs(memory)[i].events, __ATOMIC_RELAXED);
    return recorded;
}

void k42_trace_discard(int streaming) {
    struct k42_trace_cpu *cpu;
    k42_lock(&counts_lock);
    for (uint32_t n = 0; (cpu = k42_trace_nth_cpu(n)); n++) {
        if (!cpu->memory)
            continue;
        cpu->recorded = count_recorded(cpu);
        cpu->overwritten = streaming ? cpu->recorded - cpu->read : 0;
        for (uint32_t id = 1; k42_trace_known(id); id++)
            k42_trace_known(id)->recorded += k42_trace_event_counts(cpu->memory)[id];
        k42_platform_unreserve(cpu->memory, k42_trace_memory_bytes());
        __atomic_store_n(&cpu->memory, NULL, __ATOMIC_RELEASE);
    }
    k42_unlock(&counts_lock);
}

uint64_t k42_trace_event_recorded(const struct k42_trace_known *one) {
    struct k42_trace_cpu *cpu;
    k42_lock(&counts_lock);
    uint64_t recorded = one->recorded;
    for (uint32_t n = 0; (cpu = k42_trace_nth_cpu(n)); n++) {
        char *memory = __atomic_load_n(&cpu->memory, __ATOMIC_ACQUIRE);
        if (memory)
            recorded += __atomic_load_n(&k42_trace_event_counts(memory)[one->id], __ATOMIC_RELAXED);
    }
    k42_unlock(&counts_lock);
    return recorded;
}

void k42_trace_hold(void) {
    k42_trace_hold_registry();
    k42_lock(&counts_lock);
}

void k42_trace_let_go(void) {
    k42_unlock(&counts_lock);
    k42_trace_let_go_registry();
}

void k42_trace_abandon(void) {
    struct k42_trace_cpu *cpu;
    k42_trace_refresh(0);
    __atomic_store_n(&k42_trace_session.open, 0, __ATOMIC_SEQ_CST);
    for (uint32_t n = 0; (cpu = k42_trace_nth_cpu(n)); n++) {
        __atomic_store_n(&cpu->writers, 0, __ATOMIC_RELAXED);
        if (cpu->memory)
            k42_platform_unreserve(cpu->memory, k42_trace_memory_bytes());
        __atomic_store_n(&cpu->memory, NULL, __ATOMIC_RELEASE);
    }
}

static void add_counts(struct k42_trace_counts *sum, const struct k42_trace_cpu *cpu) {
    sum->recorded += count_recorded(cpu);
    sum->discarded += __atomic_load_n(&cpu->discarded, __ATOMIC_RELAXED);
    sum->overwritten += __atomic_load_n(&cpu->overwritten, __ATOMIC_RELAXED);
    sum->read += __atomic_load_n(&cpu->read, __ATOMIC_RELAXED);
}

void k42_trace_stats(struct k42_trace_counts *counts) {
    struct k42_trace_cpu *cpu;
    *counts = (struct k42_trace_counts){0};
    k42_lock(&counts_lock);
    for (uint32_t n = 0; (cpu = k42_trace_nth_cpu(n)); n++)
        add_counts(counts, cpu);
    k42_unlock(&counts_lock);
}

void k42_trace_cpu_stats(uint32_t number, struct k42_trace_counts *counts) {
    struct k42_trace_cpu *cpus = k42_trace_session.cpus;
    *counts = (struct k42_trace_counts){0};
    uint32_t place = number == K42_TRACE_UNATTACHED ? K42_TRACE_MAX_CPUS : number;
    if (!cpus || place > K42_TRACE_MAX_CPUS)
        return;
    k42_lock(&counts_lock);
    add_counts(counts, &cpus[place]);
    k42_unlock(&counts_lock);
}
