/*
 * A PM that processes have of their own: theirs, and their children's, private memory is charged
 * to it. Whoever has none is charged to the machine's.
 *
 * Counted: one user for each memory that is charged to it, or will be with its next program. With
 * the last it is told to end when its last frame has come back.
 */
#ifndef KERNEL_CHARGE_H
#define KERNEL_CHARGE_H

#include "../../mem/pm/pm.h"

struct charge {
    uint32_t references;
    pm_ref pm;
    struct k42_defer defer;
};

/* A PM of that class, of so many frames; one user. Errors: -ENOMEM. Active. */
K42_MUST_CHECK
k42_result charge_make(struct k42_class *class_, uint64_t frames, struct charge **made);

/* One user more of what stands there, which others may be exchanging. NULL: nothing. Active. */
struct charge *charge_hold(struct charge *const *at);
/* One user fewer. NULL: nothing. */
void charge_release(struct charge *charge);

/* What memory is charged to. */
static inline pm_ref charge_pm(const struct charge *charge) {
    return charge ? charge->pm : pm_machine;
}

/* The calling process's memory is charged to it from its next program on; takes the caller's hold.
 */
void charge_next(struct charge *charge);

#endif
