/*
 * Writing events: a lock-free buffer for each CPU, legal in any context.
 *
 * A position counts bytes since the session began; its low bits say where in the buffer. The buffer
 * is split into sub-buffers, and no event straddles two.
 *
 *     position   | sub-buffer 0 | sub-buffer 1 | sub-buffer 2 | sub-buffer 3 |
 *                      complete       complete    ^ index        older lap
 *
 * Reserving moves the index by compare-and-exchange, with the clock read inside the loop, so stamps
 * ascend in the order of positions. Committing adds the bytes to the sub-buffer's count. Whoever is
 * interrupted between the two only keeps that sub-buffer incomplete for the time being.
 *
 * Entering a sub-buffer (reserving its first bytes) is the slow path. It is refused, and the event
 * discarded and counted, when the previous lap there is not complete, since the interrupted writer
 * would still write into it, or (K42_TRACE_STOP) when the reader is not done with it. So a writer
 * owns its bytes from reserve to commit, however long it is interrupted. Whoever enters commits the
 * gap at the end of the sub-buffer it leaves, too.
 *
 * A CPU's buffer is written by its own thread and by what interrupts that thread, so each step is
 * one instruction without a lock prefix. x86 keeps stores in order, which is all that readers on
 * other CPUs need: data before `committed`. The shared buffer uses locked instructions, as does
 * every buffer under ThreadSanitizer, which cannot see into assembly, and in a kernel, where a
 * CPU's buffer is written by a thread that may be moved meanwhile.
 */
#include "trace.h"

#include "../platform.h"

#if defined(__SANITIZE_THREAD__)
#define ALWAYS_LOCKED 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ALWAYS_LOCKED 1
#endif
#endif
/* In a kernel a thread may be moved between two of these instructions. */
#if !defined(ALWAYS_LOCKED) && defined(K42_KERNEL)
#define ALWAYS_LOCKED 1
#endif
#ifndef ALWAYS_LOCKED
#define ALWAYS_LOCKED 0
#endif

#define INLINE static inline __attribute__((always_inline))

INLINE void add(uint64_t *word, uint64_t amount, int shared) {
    if (shared)
        __atomic_fetch_add(word, amount, __ATOMIC_SEQ_CST);
    else
        __asm__ volatile("addq %1, %0" : "+m"(*word) : "er"(amount) : "memory", "cc");
}

INLINE int exchange_if(uint64_t *word, uint64_t *expected, uint64_t next, int shared) {
    if (shared)
        return __atomic_compare_exchange_n(word, expected, next, 0, __ATOMIC_ACQ_REL,
                                           __ATOMIC_ACQUIRE);
    int done;
    __asm__ volatile("cmpxchgq %3, %0"
                     : "+m"(*word), "+a"(*expected), "=@ccz"(done)
                     : "r"(next)
                     : "memory");
    return done;
}

/* On a shared buffer the clock must not be read before the index was: two CPUs race there. */
INLINE uint64_t clock_after_index(int shared) {
    if (shared)
        __asm__ volatile("lfence" ::: "memory");
    return k42_trace_clock();
}

static void raise_limit(uint32_t wanted) {
    uint32_t limit = __atomic_load_n(&k42_trace_session.cpu_limit, __ATOMIC_RELAXED);
    while (limit < wanted &&
           !__atomic_compare_exchange_n(&k42_trace_session.cpu_limit, &limit, wanted, 0,
                                        __ATOMIC_RELEASE, __ATOMIC_RELAXED))
        continue;
}

/* Gives a CPU its memory. An interrupting writer may do the same: the later one gives way. */
static char *find_memory(struct k42_trace_cpu *cpu) {
    char *memory = __atomic_load_n(&cpu->memory, __ATOMIC_ACQUIRE);
    if (memory)
        return memory;
    char *fresh = k42_platform_reserve(k42_trace_memory_bytes());
    if (!fresh)
        return NULL;
    if (!cpu->shared)
        __atomic_store_n(&cpu->number, (uint32_t)(cpu - k42_trace_session.cpus), __ATOMIC_RELAXED);
    if (!__atomic_compare_exchange_n(&cpu->memory, &memory, fresh, 0, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        k42_platform_unreserve(fresh, k42_trace_memory_bytes());
        return memory;
    }
    if (!cpu->shared)
        raise_limit(cpu->number + 1);
    return fresh;
}

/* Whether the sub-buffer that begins at `start` may be entered. */
static int may_enter(struct k42_trace_cpu *cpu, uint64_t start) {
    const struct k42_trace_session *session = &k42_trace_session;
    char *memory = find_memory(cpu);
    if (!memory)
        return 0;
    if (start <= session->total_mask)
        return 1;
    uint64_t number = start >> session->sub_shift;
    if (session->mode == K42_TRACE_STOP &&
        number > __atomic_load_n(&cpu->consumed, __ATOMIC_ACQUIRE) + session->count_mask)
        return 0;
    uint64_t previous_lap = start - session->total_mask - 1;
    return __atomic_load_n(&k42_trace_sub_at(memory, start)->committed, __ATOMIC_ACQUIRE) ==
           k42_trace_complete_at(previous_lap);
}

/* A reservation as the loop found it: from `old`, with the event at `at`. */
struct claim {
    uint64_t old, at, stamp;
};

/* Reserves where a sub-buffer has to be entered. 0 when the event must be discarded. */
static __attribute__((noinline)) int claim_slowly(struct k42_trace_cpu *cpu, uint64_t bytes,
                                                  int shared, struct claim *claim) {
    const uint64_t mask = k42_trace_session.sub_mask;
    if (bytes > mask + 1)
        return 0;
    claim->old = __atomic_load_n(&cpu->index, __ATOMIC_ACQUIRE);
    do {
        claim->at = k42_trace_align(claim->old);
        if (((claim->at & mask) == 0) || (claim->at & mask) + bytes > mask + 1) {
            claim->at = (claim->at + mask) & ~mask;
            if (!may_enter(cpu, claim->at))
                return 0;
        }
        claim->stamp = clock_after_index(shared);
    } while (!exchange_if(&cpu->index, &claim->old, claim->at + bytes, shared));
    return 1;
}

/*
 * Commits the gap that a claim left at the end of the sub-buffer before. Only the claim that
 * crossed the boundary gets here for it, and until it has, that sub-buffer is not complete, so no
 * reader looks at `end` and nobody can enter the next lap of it.
 */
static void commit_gap(char *memory, const struct claim *claim, int shared) {
    struct k42_trace_sub *sub = k42_trace_sub_at(memory, claim->old);
    __atomic_store_n(&sub->end, claim->old, __ATOMIC_RELAXED);
    add(&sub->committed, claim->at - claim->old, shared);
}

INLINE void *reserve(struct k42_trace_cpu *cpu, const struct k42_trace_event *event, size_t size,
                     struct k42_trace_slot *slot, int shared) {
    const struct k42_trace_session *session = &k42_trace_session;
    const uint64_t bytes = sizeof(struct k42_trace_header) + size;
    struct claim claim;

    /*
     * Counted in first, looked after: whoever closes the session clears `open`, makes every CPU
     * pass a barrier, and only then looks whether anyone is counted in.
     */
    add(&cpu->writers, 1, shared);
    if (!__atomic_load_n(&session->open, __ATOMIC_ACQUIRE)) {
        add(&cpu->writers, (uint64_t)-1, shared);
        return NULL;
    }
    claim.old = __atomic_load_n(&cpu->index, __ATOMIC_ACQUIRE);
    do {
        claim.at = k42_trace_align(claim.old);
        uint64_t offset = claim.at & session->sub_mask;
        if (__builtin_expect(offset == 0 || offset + bytes > session->sub_mask + 1, 0)) {
            if (claim_slowly(cpu, bytes, shared, &claim))
                break;
            add(&cpu->discarded, 1, shared);
            add(&cpu->writers, (uint64_t)-1, shared);
            return NULL;
        }
        claim.stamp = clock_after_index(shared);
    } while (!exchange_if(&cpu->index, &claim.old, claim.at + bytes, shared));

    char *memory = __atomic_load_n(&cpu->memory, __ATOMIC_RELAXED);
    slot->cpu = cpu;
    slot->sub = k42_trace_sub_at(memory, claim.at);
    slot->bytes = claim.at + bytes - claim.old;
    slot->id = __atomic_load_n(&event->id, __ATOMIC_RELAXED);
    if (__builtin_expect((claim.at & session->sub_mask) == 0, 0)) {
        slot->bytes = bytes;
        if (claim.old != claim.at)
            commit_gap(memory, &claim, shared);
    }
    struct k42_trace_header *header = (void *)(memory + (claim.at & session->total_mask));
    header->stamp = claim.stamp;
    header->id = slot->id;
    header->bytes = (uint32_t)bytes;
    return header + 1;
}

/*
 * Once `committed` is added, a reader may take the events; so everything else comes before. Leaving
 * is last: the memory may go after it.
 */
INLINE void commit(struct k42_trace_cpu *cpu, const struct k42_trace_slot *slot, int shared) {
    struct k42_trace_sub *sub = slot->sub;
    char *memory = __atomic_load_n(&cpu->memory, __ATOMIC_RELAXED);
    add(&k42_trace_event_counts(memory)[slot->id], 1, shared);
    add(&sub->events, 1, shared);
    add(&sub->committed, slot->bytes, shared);
    add(&cpu->writers, (uint64_t)-1, shared);
}

void *k42_trace_reserve(const struct k42_trace_event *event, size_t size,
                        struct k42_trace_slot *slot) {
    struct k42_cpu_head *head = k42_platform_head();
    struct k42_trace_cpu *cpus = __atomic_load_n(&k42_trace_session.cpus, __ATOMIC_ACQUIRE);
    if (__builtin_expect(head && head->number < K42_TRACE_MAX_CPUS, 1))
        return reserve(&cpus[head->number], event, size, slot, ALWAYS_LOCKED);
    return reserve(&cpus[K42_TRACE_MAX_CPUS], event, size, slot, 1);
}

void k42_trace_commit(const struct k42_trace_slot *slot) {
    struct k42_trace_cpu *cpu = slot->cpu;
    if (__builtin_expect(!cpu->shared, 1))
        commit(cpu, slot, ALWAYS_LOCKED);
    else
        commit(cpu, slot, 1);
}

static const char *or_null(const char *string) {
    return string ? string : "(null)";
}

size_t k42_trace_string_size(const char *string) {
    size_t size = 0;
    string = or_null(string);
    while (size < K42_TRACE_STRING_MAX - 1 && string[size])
        size++;
    return size + 1;
}

/* The string may have changed since it was measured: an early end would garble what follows. */
void *k42_trace_put_string(void *at, const char *string, size_t size) {
    char *out = at;
    string = or_null(string);
    size_t i = 0;
    for (char c; i + 1 < size && (c = string[i]) != 0; i++)
        out[i] = c;
    while (i + 1 < size)
        out[i++] = ' ';
    out[i] = 0;
    return out + size;
}

void *k42_trace_put_bytes(void *at, const void *data, size_t size) {
    char *out = at;
    const char *in = data;
    for (size_t i = 0; i < size; i++)
        out[i] = in[i];
    return out + size;
}
