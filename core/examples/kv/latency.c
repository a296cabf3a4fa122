/*
 * The latency monitor. See latency.h.
 *
 * The hook runs in callers' threads, in many at once; its figures are atomic counters with no order
 * between them, since nothing is concluded from one about another.
 */
#include "latency.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Below 4 ns one bucket each, above four to a power of two. */
static unsigned bucket_of(uint64_t ns) {
    if (ns < 4)
        return (unsigned)ns;
    unsigned power = 63 - (unsigned)__builtin_clzll(ns);
    unsigned bucket = (power - 1) * 4 + (unsigned)(ns >> (power - 2) & 3);
    return bucket < KV_LATENCY_BUCKETS ? bucket : KV_LATENCY_BUCKETS - 1;
}

static uint64_t bucket_end(unsigned bucket) {
    if (bucket < 4)
        return bucket;
    unsigned power = bucket / 4 + 1;
    return ((uint64_t)1 << power) + ((uint64_t)(bucket % 4 + 1) << (power - 2)) - 1;
}

static enum k42_verdict note_start(struct k42_hook *hook, struct k42_invocation *call) {
    (void)hook;
    call->scratch[0] = now_ns();
    return K42_PROCEED;
}

static void raise_to(uint64_t *longest, uint64_t ns) {
    uint64_t before = __atomic_load_n(longest, __ATOMIC_RELAXED);
    while (before < ns && !__atomic_compare_exchange_n(longest, &before, ns, 1, __ATOMIC_RELAXED,
                                                       __ATOMIC_RELAXED))
        ;
}

static void note_end(struct k42_hook *hook, struct k42_invocation *call) {
    struct kv_latency *latency = hook->context;
    uint64_t ns = now_ns() - call->scratch[0];
    if (call->method >= KV_LATENCY_METHODS)
        return;
    struct kv_latency_method *method = &latency->methods[call->method];
    __atomic_store_n(&method->name, call->method_name, __ATOMIC_RELAXED);
    __atomic_add_fetch(&method->calls, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&method->total_ns, ns, __ATOMIC_RELAXED);
    __atomic_add_fetch(&method->buckets[bucket_of(ns)], 1, __ATOMIC_RELAXED);
    raise_to(&method->longest_ns, ns);
}

k42_result kv_latency_start(struct kv_latency *latency, k42_ref ref) {
    if (latency->placed)
        return -EALREADY;
    memset(latency, 0, sizeof(*latency));
    latency->hook = (struct k42_hook){.before = note_start, .after = note_end, .context = latency};
    k42_result result = k42_interpose(ref, &latency->hook);
    latency->placed = result == 0;
    return result;
}

k42_result kv_latency_stop(struct kv_latency *latency) {
    if (!latency->placed)
        return -EINVAL;
    latency->placed = 0;
    return k42_release(&latency->hook);
}

uint64_t kv_latency_percentile(const struct kv_latency_method *method, unsigned percent) {
    uint64_t calls = 0, below = 0;
    for (unsigned n = 0; n < KV_LATENCY_BUCKETS; n++)
        calls += __atomic_load_n(&method->buckets[n], __ATOMIC_RELAXED);
    for (unsigned n = 0; n < KV_LATENCY_BUCKETS; n++) {
        below += __atomic_load_n(&method->buckets[n], __ATOMIC_RELAXED);
        if (below * 100 >= calls * percent)
            return bucket_end(n);
    }
    return 0;
}
