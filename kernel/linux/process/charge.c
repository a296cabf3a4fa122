/*
 * PMs of processes: who uses one, and its end.
 *
 * Owns: the PM, by its users. Locking: none; a structure whose last user has gone stays for a grace
 * period, so who finds it then sees a count of zero. Fails: -ENOMEM.
 */
#include "charge.h"

#include "../../mem/heap/heap.h"
#include "../task.h"

#include <k42/k42.h>

#include <errno.h>

k42_result charge_make(struct k42_class *class_, uint64_t frames, struct charge **made) {
    struct charge *charge = heap_allocate_zeroed(sizeof *charge);
    if (!charge)
        return -ENOMEM;
    k42_result result = pm_create(class_, frames, &charge->pm);
    if (result < 0) {
        heap_free(charge);
        return result;
    }
    charge->references = 1;
    *made = charge;
    return 0;
}

struct charge *charge_hold(struct charge *const *at) {
    for (struct charge *charge; (charge = __atomic_load_n(at, __ATOMIC_ACQUIRE));) {
        uint32_t users = __atomic_load_n(&charge->references, __ATOMIC_RELAXED);
        while (users && !__atomic_compare_exchange_n(&charge->references, &users, users + 1, true,
                                                     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            ;
        if (users)
            return charge;
    }
    return NULL;
}

static void charge_free(struct k42_defer *defer) {
    heap_free(k42_container(defer, struct charge, defer));
}

void charge_release(struct charge *charge) {
    if (!charge || __atomic_sub_fetch(&charge->references, 1, __ATOMIC_ACQ_REL))
        return;
    (void)!k42_call(charge->pm, end_when_unused);
    k42_defer(&charge->defer, charge_free);
}

void charge_next(struct charge *charge) {
    struct task_memory *memory = task_self()->memory;
    charge_release(__atomic_exchange_n(&memory->next_charge, charge, __ATOMIC_ACQ_REL));
}
