/*
 * A hook on a page cache that counts its calls and times its reads, while an advisor wants to know
 * more than counters tell.
 *
 * Counters are each CPU's own, changed by one instruction each: threads inside an object do not
 * move. What was counted up to a look, and up to the last one that said something, is the looker's.
 * Owns its memory until the runtime says that nobody is inside. A call costs some 300 instructions
 * more meanwhile.
 */
#include "inside.h"

enum { READS, BYTES, CHANGES, MAPS, MEETINGS, TIMED, NS, KINDS };

/* A read that took longer was interrupted, or its reader was: it says nothing of the cache. */
#define LONGEST_NS 1000000ul

struct counters {
    uint64_t now[KINDS], seen[KINDS], before[KINDS];
} __attribute__((aligned(64)));

struct watch {
    struct k42_hook hook;
    uint32_t cpus;
    uint64_t reading; /* a bit for each CPU, modulo 64; one that is interrupted may lose its own */
    struct counters counters[] __attribute__((aligned(64)));
};

#define METHOD(name) (offsetof(struct fcm_ops, name) / sizeof(void (*)(void)))

/* KINDS: of no interest. */
static unsigned kind_of(unsigned method) {
    switch (method) {
    case METHOD(read):
        return READS;
    case METHOD(write):
    case METHOD(resize):
    case METHOD(punch):
    case METHOD(renew):
        return CHANGES;
    case METHOD(get_page):
        return MAPS;
    default:
        return KINDS;
    }
}

static void count(struct watch *watch, unsigned kind, uint64_t more) {
    uint32_t cpu = k42_this_cpu()->head.number;
    if (cpu < watch->cpus)
        __asm__ volatile("addq %1, %0" : "+m"(watch->counters[cpu].now[kind]) : "er"(more) : "cc");
}

static uint64_t own_bit(void) {
    return 1ul << k42_this_cpu()->head.number % 64;
}

static void begin_read(struct watch *watch, struct k42_invocation *call) {
    uint64_t others = __atomic_fetch_or(&watch->reading, own_bit(), __ATOMIC_RELAXED) & ~own_bit();
    if (others)
        count(watch, MEETINGS, 1);
    call->scratch[0] = k42_platform_now_ns();
}

static void end_read(struct watch *watch, const struct k42_invocation *call) {
    uint64_t took = k42_platform_now_ns() - call->scratch[0];
    __atomic_fetch_and(&watch->reading, ~own_bit(), __ATOMIC_RELAXED);
    if (call->result < 0)
        return;
    count(watch, BYTES, (uint64_t)call->result);
    if (took > LONGEST_NS)
        return;
    count(watch, TIMED, 1);
    count(watch, NS, took);
}

static enum k42_verdict before(struct k42_hook *hook, struct k42_invocation *call) {
    struct watch *watch = k42_container(hook, struct watch, hook);
    unsigned kind = kind_of(call->method);
    if (kind < KINDS)
        count(watch, kind, 1);
    if (kind == READS)
        begin_read(watch, call);
    return K42_PROCEED;
}

static void after(struct k42_hook *hook, struct k42_invocation *call) {
    if (kind_of(call->method) == READS)
        end_read(k42_container(hook, struct watch, hook), call);
}

static void gone(struct k42_hook *hook) {
    heap_free(k42_container(hook, struct watch, hook));
}

k42_result watch_begin(k42_id id, struct watch **made) {
    uint32_t cpus = k42_cpu_limit();
    struct watch *watch = heap_allocate_zeroed(sizeof *watch + cpus * sizeof *watch->counters);
    if (!watch)
        return -ENOMEM;
    watch->hook.before = before;
    watch->hook.after = after;
    watch->cpus = cpus;
    k42_result result = k42_interpose(k42_id_ref(id), &watch->hook);
    if (result < 0)
        heap_free(watch);
    else
        *made = watch;
    return result;
}

void watch_end(struct watch *watch) {
    if (k42_release_later(&watch->hook, gone) < 0)
        heap_free(watch);
}

static void add(struct watched *to, const uint64_t *kinds) {
    to->reads += kinds[READS];
    to->bytes += kinds[BYTES];
    to->changes += kinds[CHANGES];
    to->maps += kinds[MAPS];
    to->meetings += kinds[MEETINGS];
    to->timed += kinds[TIMED];
    to->ns += kinds[NS];
}

void watch_read(struct watch *watch, struct watched *since, struct watched *in_all) {
    *since = *in_all = (struct watched){.reads = 0};
    for (uint32_t cpu = 0; cpu < watch->cpus; cpu++) {
        struct counters *counters = &watch->counters[cpu];
        uint64_t more[KINDS];
        for (unsigned kind = 0; kind < KINDS; kind++) {
            counters->seen[kind] = k42_load_relaxed(&counters->now[kind]);
            more[kind] = counters->seen[kind] - counters->before[kind];
        }
        add(since, more);
        add(in_all, counters->seen);
    }
    for (uint32_t cpu = 0; cpu < watch->cpus; cpu++) {
        uint64_t seen = watch->counters[cpu].seen[READS];
        uint64_t more = seen - watch->counters[cpu].before[READS];
        since->readers += more && more * 8 >= since->reads;
        in_all->readers += seen && seen * 8 >= in_all->reads;
    }
}

void watch_go_on(struct watch *watch) {
    for (uint32_t cpu = 0; cpu < watch->cpus; cpu++)
        for (unsigned kind = 0; kind < KINDS; kind++)
            watch->counters[cpu].before[kind] = watch->counters[cpu].seen[kind];
}
