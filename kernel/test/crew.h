/*
 * What the checks of threads and runtime share: threads that do something at the same time.
 */
#ifndef KERNEL_TEST_CREW_H
#define KERNEL_TEST_CREW_H

#include <k42/ref.h>
#include <stdbool.h>
#include <stdint.h>

/* One member: its number from 0, and what the check gave. */
struct member {
    void (*work)(struct member *self);
    void *shared;
    uint32_t number;
    uint32_t *stop; /* set when all should end */
    uint64_t done;  /* what it counts, for others to see */
    struct thread *thread;
};

#define CREW_MANY 64  /* more than most machines have processors */
#define CREW_MAX  256 /* that there is room for: some of 64 processors */

struct crew {
    struct member members[CREW_MAX];
    uint32_t size, stop;
};

/* So many for each processor, but no more than many. */
uint32_t crew_some(uint32_t each);

/* Starts `size` threads, member i on CPU i modulo their number when `pinned`. False: no memory, or
 * too many. */
bool crew_start(struct crew *crew, uint32_t size, bool pinned, void (*work)(struct member *),
                void *shared);
/* Tells all to end and waits for it. */
void crew_end(struct crew *crew);
/* Waits for the ends without telling. */
void crew_wait(struct crew *crew);
static inline bool member_goes_on(const struct member *self) {
    return !__atomic_load_n(self->stop, __ATOMIC_ACQUIRE);
}
static inline void member_count(struct member *self) {
    __atomic_store_n(&self->done, self->done + 1, __ATOMIC_RELEASE);
}
/* Waits until each has counted `more` from now on. */
void crew_await(struct crew *crew, uint64_t more);

struct k42_class;

/*
 * Swaps an object, again and again while others are inside for longer than a swap waits or swap it
 * themselves: time decides no check. What else fails is told, and false.
 */
bool swap_surely(k42_ref ref, struct k42_class *to);

#endif
