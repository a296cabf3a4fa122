/*
 * Changing the class of an object in use (change.h).
 *
 * Owns the requests under way, each from change_class() until its end. No locks. A swap that is
 * held up, or for which there is no memory, is tried again after a rest: whoever waits for it must
 * not be forgotten.
 */
#include "change.h"

#include "advisor/advisor.h"
#include "runtime.h"
#include "sched/wait.h"

enum { ATTEMPTS = 8, REST_NS = 10000000 };

struct change {
    struct k42_swap swap;
    uintptr_t key;
};

/* On the worker, inactive. */
static void ended(struct k42_swap *swap) {
    struct change *change = k42_container(swap, struct change, swap);
    k42_result result = swap->report.result;
    if (result == -EBUSY || result == -ETIMEDOUT || result == -ENOMEM) {
        uint32_t never = 0;
        k42_platform_park(&never, 0, REST_NS);
        if (k42_swap_submit(swap) == K42_QUEUED)
            return;
    }
    if (!result)
        advisor_changed_itself(k42_ref_id(swap->ref), swap->from, swap->to);
    (void)!wait_notify(k42_ref_id(swap->ref), change->key, WAIT_READ, WAIT_ALL);
    k42_platform_free(change);
}

k42_result change_class(k42_ref ref, struct k42_class *from, struct k42_class *to, uintptr_t key) {
    if (!advisor_allows(k42_ref_id(ref), from, to))
        return -EPERM;
    struct change *change = k42_platform_alloc(sizeof *change);
    if (!change)
        return -ENOMEM;
    change->swap =
        (struct k42_swap){.ref = ref, .from = from, .to = to, .attempts = ATTEMPTS, .done = ended};
    change->key = key;
    k42_result result = k42_swap_submit(&change->swap);
    return result < 0 ? result : 0;
}
