/*
 * A monitor of the table's latency: a hook that times every call while it is in place.
 *
 * Counting is atomic and never waits; reading while calls go on gives figures that may be a call
 * apart from each other.
 */
#ifndef KV_LATENCY_H
#define KV_LATENCY_H

#include <k42/interpose.h>

enum {
    KV_LATENCY_METHODS = 16,
    KV_LATENCY_BUCKETS = 160, /* four for each power of two nanoseconds */
};

struct kv_latency_method {
    const char *name;
    uint64_t calls, total_ns, longest_ns;
    uint64_t buckets[KV_LATENCY_BUCKETS];
};

struct kv_latency {
    struct k42_hook hook;
    int placed;
    struct kv_latency_method methods[KV_LATENCY_METHODS];
};

/* Begins anew, on an object. Errors: those of k42_interpose. */
k42_result kv_latency_start(struct kv_latency *latency, k42_ref ref);
/* Takes the monitor away; its figures stay. Inactive threads only. Errors: those of k42_release. */
k42_result kv_latency_stop(struct kv_latency *latency);

/* The latency below which `percent` of a method's calls stayed, rounded up to its bucket. */
uint64_t kv_latency_percentile(const struct kv_latency_method *method, unsigned percent);

#endif
