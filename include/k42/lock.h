/*
 * A lock for the inside of one object: four bytes, fair enough, counts its contention.
 *
 * Rules: belongs to one object; is held briefly; is never held across a call to another object
 * (checked in debug builds). Waiters spin, then sleep in the platform. Fails never; not recursive.
 */
#ifndef K42_LOCK_H
#define K42_LOCK_H

#include <k42/thread.h>

#ifdef __cplusplus
extern "C" {
/* In C a struct and the function that takes it may share a name. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#endif

/* Zero is unlocked: no initialiser needed. */
struct k42_lock {
    uint32_t word; /* 0 free, 1 held, 2 held and waited for */
};

/* What the functions below are made of. */
K42_EXPORT void k42_lock_slow(struct k42_lock *lock);
K42_EXPORT void k42_unlock_slow(struct k42_lock *lock);
K42_EXPORT void k42_lock_count(int change);

#ifdef K42_DEBUG
#define K42_LOCK_COUNT(change) k42_lock_count(change)
#else
#define K42_LOCK_COUNT(change) ((void)0)
#endif

/*
 * Takes the lock. Returns 1 when somebody else held it (it was contended), 0 otherwise. In methods
 * and out of them; not where one may not sleep: in interrupts, signal handlers, atomic sections.
 */
static inline int k42_lock(struct k42_lock *lock) {
    uint32_t free = 0;
    int contended = 0;
    if (!__atomic_compare_exchange_n(&lock->word, &free, 1, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED)) {
        k42_lock_slow(lock);
        contended = 1;
    }
    K42_LOCK_COUNT(1);
    return contended;
}

/* Takes the lock if nobody holds it: returns 1, else 0. Never waits. */
static inline int k42_trylock(struct k42_lock *lock) {
    uint32_t free = 0;
    int got =
        __atomic_compare_exchange_n(&lock->word, &free, 1, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
    if (got)
        K42_LOCK_COUNT(1);
    return got;
}

/* Gives it back, from the thread that took it, and wakes one who sleeps for it. */
static inline void k42_unlock(struct k42_lock *lock) {
    K42_LOCK_COUNT(-1);
    if (__atomic_exchange_n(&lock->word, 0, __ATOMIC_RELEASE) == 2)
        k42_unlock_slow(lock);
}

#ifdef __cplusplus
#pragma GCC diagnostic pop
}
#endif
#endif
