/*
 * The slow part of having an owner (owner.h): becoming one, and ceasing to be.
 *
 * State: the word alone, changed by compare and exchange; taking pairs with leaving (acquire,
 * release), so the next owner sees what the last one stored. The mark is set by one of those that
 * come second, and that one asks for the change; the others, and the owner, wait for the same
 * notification. Who finds the mark but not the class (the change is over) is not here any more.
 *
 * No wake-up is lost: who is to wait is in the table of waiters before its call is made again, and
 * the notification comes after the swap; so that call finds either the new class, or somebody who
 * is in the table when the notification comes.
 */
#include "owner.h"

#include "sched/wait.h"

/* The caller set the mark. */
static k42_result ask(struct owner_word *owner, const struct owner_change *change,
                      uintptr_t before) {
    k42_result result = change_class(change->ref, change->from, change->to, change->key);
    if (result >= 0)
        return 0;
    __atomic_exchange_n(&owner->word, before, __ATOMIC_SEQ_CST);
    (void)!wait_notify(k42_ref_id(change->ref), change->key, WAIT_READ, WAIT_ALL);
    return result;
}

k42_result owner_take(struct owner_word *owner, const struct owner_change *change) {
    uintptr_t found = __atomic_load_n(&owner->word, __ATOMIC_RELAXED);
    while (!(found & OWNER_UNWANTED)) {
        uintptr_t wanted = found ? found | OWNER_UNWANTED : owner_self();
        if (!__atomic_compare_exchange_n(&owner->word, &found, wanted, false, __ATOMIC_ACQUIRE,
                                         __ATOMIC_RELAXED))
            continue;
        k42_result result = found ? ask(owner, change, found) : 0;
        if (!found || result < 0)
            return result;
        break;
    }
    return wait_on(k42_ref_id(change->ref), change->key, WAIT_READ);
}

void owner_leave(struct owner_word *owner) {
    uintptr_t self = owner_self();
    if (__atomic_load_n(&owner->word, __ATOMIC_RELAXED) == self)
        __atomic_compare_exchange_n(&owner->word, &self, 0, false, __ATOMIC_RELEASE,
                                    __ATOMIC_RELAXED);
}
