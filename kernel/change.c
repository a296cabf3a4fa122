/*
 * Changing the class of an object in use (change.h).
 *
 * Owns the requests under way, each from change_class() until its end. No locks. A swap that is
 * held up, or for which there is no memory, or whose import fails, is tried again after a rest:
 * whoever waits for it must not be forgotten.
 *
 * Versions. What is kept of the two classes is their families, which stay when versions go. Which
 * version it is to be is read and asked for by a thread that is active: a factory is turned away
 * from a version first, then a grace period passes and swaps asked for before are waited for (by an
 * upgrade before it looks for old instances, by an unload before it looks for any). So nothing is
 * turned into a version that others are just leaving, nor into one that is gone.
 */
#include "change.h"

#include "runtime.h"
#include "sched/wait.h"

enum { ATTEMPTS = 8, REST_NS = 10000000 };

struct change {
    struct k42_swap swap;
    const struct k42_family *from, *to;
    uintptr_t key;
};

static void ended(struct k42_swap *swap);

bool same_class(const struct k42_class *left, const struct k42_class *right) {
    return left->record && right->record && left->record->family == right->record->family;
}

/* Active. False: the object, or every version of what it is to be, has gone, or is another thing by
 * now. */
static bool ask(struct change *change) {
    struct k42_class *present = k42_class_of(change->swap.ref);
    struct k42_class *to = k42_load_acquire(&change->to->current);
    if (!present || !to || present->record->family != change->from)
        return false;
    change->swap = (struct k42_swap){
        .ref = change->swap.ref, .from = present, .to = to, .attempts = ATTEMPTS, .done = ended};
    return k42_swap_submit(&change->swap) == K42_QUEUED;
}

static void tell(struct change *change) {
    (void)!wait_notify(k42_ref_id(change->swap.ref), change->key, WAIT_READ, WAIT_ALL);
    k42_platform_free(change);
}

/* On the worker, inactive. One that became another version meanwhile is still to be changed. */
static void ended(struct k42_swap *swap) {
    struct change *change = k42_container(swap, struct change, swap);
    k42_result result = swap->report.result;
    bool again = result < 0 && result != -K42_STALE && result != -ENOTSUP;
    if (again && result != -ESTALE) {
        uint32_t never = 0;
        k42_platform_park(&never, 0, REST_NS);
    }
    k42_enter();
    if (!again || !ask(change))
        tell(change);
    k42_exit();
}

k42_result change_class(k42_ref ref, struct k42_class *from, struct k42_class *to, uintptr_t key) {
    struct change *change = k42_platform_alloc(sizeof *change);
    if (!change)
        return -ENOMEM;
    change->swap.ref = ref;
    change->from = from->record->family;
    change->to = to->record->family;
    change->key = key;
    if (!ask(change))
        tell(change);
    return 0;
}
