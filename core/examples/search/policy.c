/*
 * The policy: windows in, advice out, and the swap that follows from it.
 *
 * A request outlives the object that makes it, so it is memory of its own, freed when the runtime
 * reports its end. Failing to get that memory is harmless: a later window asks again.
 */
#include "policy.h"

#include <errno.h>
#include <stdlib.h>

#include "cache.h"

static uint32_t patience_of(const struct policy *policy) {
    return policy->patience ? policy->patience : POLICY_PATIENCE;
}

/* Gives advice, and none for a while after, because the swap takes its time. */
static enum policy_advice advise(struct policy *policy, enum policy_advice advice) {
    policy->pause = POLICY_PAUSE;
    return advice;
}

static int pausing(struct policy *policy) {
    if (!policy->pause)
        return 0;
    policy->pause--;
    return 1;
}

enum policy_advice policy_shared_window(struct policy *policy, uint64_t acquisitions,
                                        uint64_t contended) {
    if (contended * 1000 < acquisitions * POLICY_CONTENDED) {
        policy->hot = 0;
        if (++policy->calm >= POLICY_CALM)
            policy->patience = POLICY_PATIENCE;
        return POLICY_STAY;
    }
    policy->calm = 0;
    policy->hot++;
    if (pausing(policy) || policy->hot < POLICY_HOT)
        return POLICY_STAY;
    return advise(policy, POLICY_PARTITION);
}

enum policy_advice policy_partitioned_window(struct policy *policy, unsigned cpu) {
    if (policy->caller != cpu) {
        policy->caller = cpu;
        policy->alone = 0;
        return POLICY_STAY;
    }
    policy->alone++;
    if (pausing(policy) || policy->alone < patience_of(policy))
        return POLICY_STAY;
    uint32_t doubled = 2 * patience_of(policy);
    policy->patience = doubled < POLICY_PATIENCE_MAX ? doubled : POLICY_PATIENCE_MAX;
    return advise(policy, POLICY_SHARE);
}

void policy_arrived(struct policy *policy) {
    policy->hot = policy->calm = policy->alone = policy->pause = 0;
}

/* One swap asked for, and whom to tell of it. */
struct request {
    struct k42_swap swap;
    struct cache_options options;
};

static void report_swap(struct k42_swap *swap) {
    struct request *request = k42_container(swap, struct request, swap);
    if (request->options.swapped)
        request->options.swapped(&swap->report, swap->to->name, request->options.context);
    free(request);
}

void policy_act(enum policy_advice advice, const struct k42_root *root,
                const struct cache_options *options) {
    if (advice == POLICY_STAY)
        return;
    const char *wanted = advice == POLICY_PARTITION ? "sharing=high" : "sharing=low";
    struct k42_class *to;
    if (k42_select(&cache_interface, wanted, &to) < 0)
        return;
    struct request *request = calloc(1, sizeof(*request));
    if (!request)
        return;
    request->options = *options;
    /* Two threads may both come here, or one come late: whoever is not of this class any more has
     * been swapped already, and the request fails harmlessly. */
    request->swap = (struct k42_swap){
        .ref = k42_root_ref(root),
        .to = to,
        .from = k42_root_class(root),
        .deadline_ns = POLICY_DEADLINE_NS,
        .attempts = 4,
        .done = report_swap,
    };
    if (k42_swap_submit(&request->swap) < 0)
        free(request);
}
