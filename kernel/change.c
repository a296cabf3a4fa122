/*
 * Changing the class of an object in use (change.h).
 *
 * Owns the requests under way, each from change_class() until its end. No locks. A swap that is
 * held up, or for which there is no memory, or whose import fails, is tried again after a rest:
 * whoever waits for it must not be forgotten.
 *
 * Versions. What is kept of the two classes is their families, which stay when versions go. Which
 * version it is to be is read when the swap begins. A factory is turned away from a version first,
 * and then swaps that have begun are waited for, by an upgrade before it looks for old instances
 * and by an unload before it looks for any: so nothing becomes a version that others are just
 * leaving, nor one that is gone.
 */
#include "change.h"

#include "advisor/advisor.h"
#include "runtime.h"
#include "sched/wait.h"

enum { ATTEMPTS = 8, REST_NS = 10000000 };

struct change {
    struct k42_swap swap;
    const struct k42_family *from, *to;
    uintptr_t key;
};

bool same_class(const struct k42_class *left, const struct k42_class *right) {
    return left->record && right->record && left->record->family == right->record->family;
}

/* From whichever version it is of to the one that is made now. */
static k42_result aim(struct k42_swap *swap) {
    const struct change *change = k42_container(swap, struct change, swap);
    k42_enter();
    struct k42_class *present = k42_class_of(swap->ref);
    bool wanted = present && present->record->family == change->from;
    k42_exit();
    swap->from = present;
    swap->to = k42_load_acquire(&change->to->current);
    return wanted && swap->to ? 0 : -K42_STALE;
}

/* On the worker, inactive. One that became another version meanwhile is still to be changed. */
static void ended(struct k42_swap *swap) {
    struct change *change = k42_container(swap, struct change, swap);
    k42_result result = swap->report.result;
    if (result < 0 && result != -K42_STALE && result != -ENOTSUP) {
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
    change->swap = (struct k42_swap){.ref = ref, .attempts = ATTEMPTS, .aim = aim, .done = ended};
    change->from = from->record->family;
    change->to = to->record->family;
    change->key = key;
    k42_result result = k42_swap_submit(&change->swap);
    return result < 0 ? result : 0;
}
