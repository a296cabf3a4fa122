/*
 * The interface `semaphores`: a set of semaphores, numbers of which several are changed at once or
 * not at all. Found by its entry (ipc.h), which says whose it is.
 *
 * Methods do not wait: -K42_WAIT is at the number of the semaphore that is in the way, for reading
 * when it must become more, for writing when it must become 0. Whose change lets a call go on makes
 * that one's changes too, so what happens to the set afterwards is no concern of it any more.
 */
#ifndef KERNEL_LINUX_SEMAPHORES_H
#define KERNEL_LINUX_SEMAPHORES_H

#include <k42/object.h>
#include <stdbool.h>

struct semaphores;
struct semaphore_undo;

#define SEMAPHORE_MOST 32767 /* a semaphore's value, and what undoes one */

/* One change of many, as programs give it: struct sembuf. */
struct semaphore_change {
    uint16_t number;
    int16_t by; /* 0: it must be 0 */
    int16_t flags;
};

/* A call that changes some. It is the calling thread's, and the set's while that waits: from
 * `waits` on with the set's lock, until `done` says that it has ended as `result` says. */
struct semaphore_call {
    const struct semaphore_change *changes;
    uint32_t count;
    int32_t pid;
    struct semaphore_undo *undo; /* where its process's are kept; NULL: none is to be undone */
    bool waits;                  /* it is counted at the semaphore that was in the way last */
    bool for_zero;
    uint16_t number; /* of that */
    bool done;       /* atomic */
    k42_result result;
    struct semaphore_call *next, **link; /* among those that wait, the first first */
};

/* What one is to know of a semaphore. */
enum semaphore_number {
    SEMAPHORE_VALUE,
    SEMAPHORE_PID,  /* who changed it last */
    SEMAPHORE_MORE, /* how many wait for it to become more */
    SEMAPHORE_ZERO, /* and to become 0 */
};

struct semaphores_ops {
    struct k42_object_ops object;

    /* Makes all changes, whose numbers are all there, or none. Errors: -EAGAIN, one would have to
     * wait and must not; -ERANGE; -K42_WAIT. */
    K42_METHOD(change)(struct semaphores *self, K42_LOCAL struct semaphore_call *call);

    /* A call that was told to wait is not made again. */
    K42_METHOD(give_up)(struct semaphores *self, K42_LOCAL struct semaphore_call *call);

    /* One of semaphore_number; which of them must be there. */
    K42_METHOD(number)(struct semaphores *self, unsigned which, enum semaphore_number what);

    /* Sets one; nobody's changes of it are undone any more. */
    K42_METHOD(set)(struct semaphores *self, unsigned which, unsigned value, int pid);

    /* All values; `size` is 2 bytes for each. */
    K42_METHOD(values)
    (struct semaphores *self, K42_OUT K42_BUF(size, 65536) uint16_t *values, size_t size);
    /* Sets all of them, as set() does one. */
    K42_METHOD(set_all)
    (struct semaphores *self, K42_BUF(size, 65536) const uint16_t *values, size_t size, int pid);

    /* Undoes what a process that ends has done; the record is the caller's again. */
    K42_METHOD(undo)(struct semaphores *self, K42_LOCAL struct semaphore_undo *undo, int pid);

    /* Seconds of the last change by a call, 0: none yet. */
    K42_METHOD(changed)(struct semaphores *self);

    /* Before it is destroyed: who waits is told -EIDRM, as is who comes. */
    K42_METHOD(end)(struct semaphores *self);
};

struct semaphores {
    const struct semaphores_ops *ops;
};
K42_DECLARE_REF(semaphores);
extern const struct k42_interface semaphores_interface;

/* Makes a set of so many, all 0. -ENOMEM. */
K42_MUST_CHECK
k42_result semaphores_make(uint32_t count, k42_ref *made);

#endif
