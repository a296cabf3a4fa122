/*
 * The waiting part of an object's lock.
 *
 * The word is 0 free, 1 held, 2 held and perhaps slept for. Locks are held briefly, so a waiter
 * first spins for about as long as a short critical section lasts, unless others sleep already:
 * then its holder has probably lost its CPU, and spinning would only keep it from getting one.
 *
 * No wake-up is lost: a waiter sleeps only while the word is 2, and whoever frees a lock that was 2
 * wakes one. The one woken takes the lock as 2, since it cannot know whether it was the last, so
 * the next unlock wakes again. A spinner may slip in with 1; the one woken then finds the lock
 * held, makes it 2 and sleeps again.
 *
 * Acquire on taking pairs with the release of k42_unlock().
 */
#include <k42/lock.h>

#include "runtime.h"

#define SPINS_BEFORE_SLEEP 100

static int take_by_spinning(struct k42_lock *lock) {
    for (int spins = 0; spins < SPINS_BEFORE_SLEEP; spins++) {
        uint32_t word = __atomic_load_n(&lock->word, __ATOMIC_RELAXED);
        if (word == 0 && __atomic_compare_exchange_n(&lock->word, &word, 1, 0, __ATOMIC_ACQUIRE,
                                                     __ATOMIC_RELAXED))
            return 1;
        if (word == 2)
            return 0;
        __builtin_ia32_pause();
    }
    return 0;
}

void k42_lock_slow(struct k42_lock *lock) {
    if (take_by_spinning(lock))
        return;
    while (__atomic_exchange_n(&lock->word, 2, __ATOMIC_ACQUIRE) != 0)
        k42_platform_park(&lock->word, 2, 0);
}

void k42_unlock_slow(struct k42_lock *lock) {
    k42_platform_wake(&lock->word, 1);
}

/* Only objects are subject to the rule that this count serves, and only attached threads call. */
void k42_lock_count(int change) {
    struct k42_calls *calls = k42_platform_calls();
    if (calls)
        calls->locks += (uint32_t)change;
}
