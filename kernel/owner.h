/*
 * Who alone uses a part of an object, an open file's offset for instance: the thread that used it
 * first. It needs no lock and no atomic operation, as long as nobody else comes.
 *
 * Most things that may be shared are not: descriptors are copied to a child that closes them, or
 * never touches them. So it is the second user that counts, not the second holder. A class for one
 * user begins what it does with
 *
 *     if (!owner_is_self(&file->owner) && (result = owner_take(...)) < 0)
 *         return result;
 *
 * and goes on with plain loads and stores. A second thread's call marks the word and asks for a
 * class for several users; from then on everybody waits, the owner too. Nobody waits for the owner
 * to notice: the swap's own machinery lets calls end before the state passes on, and what the owner
 * stored is seen by whoever comes in the new class. An import says owner_passed_on().
 *
 * An owner that gives up what it holds (closes the file, ends) says owner_leave(), so that one
 * program after the other may use it alone. One that ends without leaves its mark; the next user
 * then costs a swap. Threads that have ended may be mistaken for later ones in the same memory,
 * which is harmless: of both only one lives.
 */
#ifndef KERNEL_OWNER_H
#define KERNEL_OWNER_H

#include "change.h"

#include <k42/thread.h>
#include <stdbool.h>

#define OWNER_UNWANTED 1ul /* in the word: another one came */

struct owner_word {
    uintptr_t word; /* the thread, 0: nobody */
};

/* The calling thread: no other living one has this number, which is even. */
static inline uintptr_t owner_self(void) {
#if K42_TLS
    return (uintptr_t)k42_head()->calls;
#else
    uintptr_t self;
    __asm__ volatile("mov %%gs:%c1, %0" : "=r"(self) : "i"(offsetof(struct k42_cpu_head, calls)));
    return self;
#endif
}

static inline bool owner_is_self(const struct owner_word *owner) {
    return __builtin_expect(__atomic_load_n(&owner->word, __ATOMIC_RELAXED) == owner_self(), 1);
}

/* What a class for one user turns into, and where it is waited for. */
struct owner_change {
    k42_ref ref;
    struct k42_class *from, *to;
    uintptr_t key;
};

/* Makes the caller the owner if there is none: 0. Otherwise asks for the change: -K42_WAIT, until
 * that is over, or -ENOMEM. */
K42_MUST_CHECK
k42_result owner_take(struct owner_word *owner, const struct owner_change *change);

/* The caller is the owner no more, if it was. Outside of any use. */
void owner_leave(struct owner_word *owner);

/* For an import: forgets that others came. */
static inline void owner_passed_on(struct owner_word *owner) {
    owner->word &= ~OWNER_UNWANTED;
}

/*
 * For a class for several users, which has them one at a time (`owner` is then the last one): true
 * when the same one has come so often that a class for one user is worth a try again. The more
 * often that was wrong, the longer it takes.
 */
struct owner_history {
    uint32_t uses;    /* of the last one, without another between */
    uint32_t changes; /* to a class for several users, so far */
};

static inline uint32_t owner_patience(const struct owner_history *history) {
    return 64u << (history->changes < 10 ? history->changes : 10);
}

static inline bool owner_is_alone(struct owner_word *owner, struct owner_history *history) {
    uintptr_t self = owner_self();
    uint32_t uses = history->uses + 1;
    if (__atomic_load_n(&owner->word, __ATOMIC_RELAXED) != self) {
        __atomic_store_n(&owner->word, self, __ATOMIC_RELAXED);
        uses = 0;
    }
    __atomic_store_n(&history->uses, uses, __ATOMIC_RELAXED);
    return (uses & (owner_patience(history) - 1)) == 0 && uses;
}

/* Whether it said so lately. Anybody's look. */
static inline bool owner_was_alone(const struct owner_history *history) {
    return __atomic_load_n(&history->uses, __ATOMIC_RELAXED) >= owner_patience(history);
}

/* For the import of a class for several users. */
static inline void owner_history_begin(struct owner_history *history, bool changed) {
    history->uses = 0;
    history->changes += changed;
}

#endif
