/*
 * io_uring: rings of requests and of what became of them, in memory that a program shares with the
 * kernel.
 *
 *   uring_calls.c   io_uring_setup, io_uring_enter     register.c    io_uring_register
 *   ring_file.c     the descriptor's file, class file.uring
 *   ring.c          the memory, completions            submit.c      from an entry to a request
 *   operations.c    which there are                    request.c     a request's life, chains
 *   transfers.c     reading and writing                waits.c       poll, timeouts, cancelling
 *   made_calls.c    those that are system calls        staff.c        who carries them out:
 *                                                      work.c, worker.c
 */
#ifndef KERNEL_LINUX_RING_H
#define KERNEL_LINUX_RING_H

#include "staff.h"

#include "../files/files.h"

#include <k42/lock.h>
#include <linux/time_types.h>
#define __kernel_timespec_defined
#include <linux/io_uring.h>

struct request;

/* The keys of its file at which a ring is waited for. */
enum {
    RING_BUSY, /* another thread submits, or registers */
    RING_DATA, /* something was completed */
};

/* The head of the memory that both see. What the kernel reads of it, the program may change at any
 * time: it is read once, and only its own copies are relied on. */
struct ring_shared {
    uint32_t sq_head, sq_tail, sq_mask, sq_entries, sq_flags, sq_dropped;
    uint32_t cq_mask, cq_entries, cq_overflow, cq_flags;
    uint32_t unused[6];
    uint32_t cq_head, cq_tail; /* on a line of their own */
    uint32_t unused_too[14];
    struct io_uring_cqe cqes[];
};

/* What was completed when the ring was full. */
struct ring_overflow {
    struct ring_overflow *next;
    struct io_uring_cqe cqe;
};

struct ring_range {
    uintptr_t start;
    size_t length;
};

struct ring {
    uint32_t references; /* the file, and each request */
    k42_id self;         /* the file's */
    uint32_t flags;      /* IORING_SETUP_...; constant but for R_DISABLED */
    uint32_t sq_entries, cq_entries;
    size_t sqes_at, bytes; /* in the memory */
    struct ring_shared *shared;
    uint32_t *array; /* of the program's: indexes of entries */
    uint64_t physical;
    k42_ref fcm;

    /* Of the thread that has the ring taken: submits or registers. */
    uint32_t taken;
    uint32_t sq_head;
    bool drains_next;      /* the entry after one with IOSQE_IO_DRAIN */
    bool skips;            /* some completions were not wanted: nothing drains any more */
    descriptors_ref files; /* registered; the null ref: none */
    uint32_t file_count;
    struct ring_range *buffers;
    uint32_t buffer_count;

    /* Of a context of Linux AIO (kernel/linux/aio/): how it is told of what was completed, or NULL.
     */
    void (*tells)(struct request *request, int32_t result);
    const struct task_memory *memory; /* whose it is; constant */
    uint32_t events, tail;            /* how many there is room for; under the lock: the next one */
    bool ends;                        /* likewise: nothing more is submitted */

    struct k42_lock lock; /* guards what follows; leaf, but for what only marks and wakes */
    uint32_t cq_tail;
    uint32_t posted; /* completions ever, for timeouts that count them */
    struct ring_overflow *overflow, *overflow_last;
    uint32_t overflows;                       /* how many */
    struct request **requests;                /* under way, hashed: as many lists as entries */
    struct request *counting;                 /* timeouts among them that count */
    uint32_t running;                         /* of these, without those that are deferred */
    struct request *deferred, *deferred_last; /* IOSQE_IO_DRAIN, and what came after it */

    k42_ref counter;       /* an eventfd to be told, held; or the null ref; atomic */
    bool counter_is_async; /* of what was not completed at once only */
};

/* ---- ring.c ---- */

/* NULL: no memory. One reference, which is the file's. */
struct ring *uring_make(uint32_t sq_entries, uint32_t cq_entries, uint32_t flags);
/* With so much memory, laid out otherwise. */
struct ring *uring_make_plain(size_t bytes, uint32_t entries);
void uring_release(struct ring *ring);
static inline struct ring *uring_hold(struct ring *ring) {
    __atomic_fetch_add(&ring->references, 1, __ATOMIC_RELAXED);
    return ring;
}

/* One call at a time submits: 0 or -K42_WAIT. */
K42_MUST_CHECK
k42_result uring_take(struct ring *ring);
void uring_leave(struct ring *ring);

/* Adds a completion. */
enum {
    RING_ASYNC = 1,  /* not from inside the call that submitted it */
    RING_COUNTS = 2, /* for timeouts */
};
void uring_post(struct ring *ring, const struct io_uring_cqe *cqe, unsigned how);
/* How many completions the program has not taken, after what had no room was put in. */
uint32_t uring_ready(struct ring *ring);
/* Whether there is no room for one more; how many are under way, or had no room. */
bool uring_is_full(struct ring *ring);
uint32_t uring_load(struct ring *ring);
/* Which of FILE_READABLE and FILE_WRITABLE. */
unsigned uring_readiness(struct ring *ring);

/* Puts another eventfd, which is held, in; the one before is returned. */
k42_ref uring_set_counter(struct ring *ring, k42_ref counter, bool async);

/* ---- ring_file.c ---- */

/* Makes the file, with one hold, around a ring whose reference becomes its own. */
struct k42_pair uring_file_make(struct ring *ring);
/* The ring of a descriptor, and its file, held. -EBADF, -EOPNOTSUPP: it is another file. */
K42_MUST_CHECK
k42_result uring_get(int fd, file_ref *file, struct ring **ring);

/* ---- submit.c ---- */

/* Starts up to so many; with the ring taken. How many entries were taken, -EAGAIN: no memory. */
k42_result uring_submit(struct ring *ring, uint32_t count);

/* ---- register.c: files and buffers, with the ring taken ---- */

void uring_forget_files(struct ring *ring);

#endif
