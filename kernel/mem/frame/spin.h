/*
 * The lock inside the allocators: one word, held for some dozen instructions with interrupts off.
 *
 * Not an object's lock: it neither sleeps nor counts, so it serves beneath objects and in the page
 * fault handler. Not recursive. Acquire on taking pairs with the release on leaving.
 */
#ifndef K42_KERNEL_SPIN_H
#define K42_KERNEL_SPIN_H

#include "../machine.h"

struct spin {
    uint32_t word; /* zero is free: no initialiser needed */
};

/* Takes the lock. The caller has interrupts off. */
static inline void spin_enter(struct spin *spin) {
    while (__atomic_exchange_n(&spin->word, 1, __ATOMIC_ACQUIRE))
        while (__atomic_load_n(&spin->word, __ATOMIC_RELAXED))
            machine_relax();
}

static inline void spin_leave(struct spin *spin) {
    __atomic_store_n(&spin->word, 0, __ATOMIC_RELEASE);
}

#endif
