/*
 * The interface `block`: a disk, or whatever else is read and written in sectors.
 *
 * A request is the caller's, and the disk's from submit() until its done(). Requests that are under
 * way together are carried out in any order; a flush makes sure of those that had finished before
 * it was submitted. Sectors are of 512 bytes here; where a disk's own are larger, position and
 * length are multiples of them.
 *
 * Methods do not wait.
 */
#ifndef KERNEL_BLOCK_H
#define KERNEL_BLOCK_H

#include <k42/object.h>
#include <stdbool.h>

#define BLOCK_SECTOR 512u

struct block;

enum block_operation {
    BLOCK_READ,
    BLOCK_WRITE,
    BLOCK_FLUSH,   /* what was written reaches the medium */
    BLOCK_DISCARD, /* the contents do not matter any more */
};

/* Memory that a disk reads or writes: physically in one piece, a multiple of BLOCK_SECTOR. */
struct block_piece {
    uint64_t physical;
    uint32_t bytes;
};

struct block_request {
    enum block_operation operation;
    bool more;       /* another request follows at once: the disk need not be told yet */
    uint64_t sector; /* where */
    uint64_t count;  /* how many sectors; for reads and writes, as many as the pieces hold */
    const struct block_piece *pieces;
    unsigned piece_count;

    /*
     * Called once it is over, with `result` 0, or -EIO (the log says which sectors), or -ENODEV
     * (the disk is gone). In a thread, active, without locks, from outside the disk: it may free
     * the request, submit others and call whatever it likes, but not wait.
     */
    void (*done)(struct block_request *request);
    void *context; /* the caller's */
    k42_result result;
    struct block_request *next; /* the disk's */
};

enum block_flags {
    BLOCK_READ_ONLY = 1,
    BLOCK_CACHES = 2,   /* writes that have finished may be lost until a flush */
    BLOCK_DISCARDS = 4, /* BLOCK_DISCARD does something */
};

struct block_geometry {
    uint64_t sectors;      /* in all */
    uint32_t sector_bytes; /* the disk's own */
    uint32_t pieces_max;   /* of a request */
    uint32_t piece_bytes_max;
    uint32_t queues; /* how many CPUs can submit without meeting each other */
    uint32_t flags;
};

enum {
    BLOCK_DONE = 1,         /* submit: finished at once, done() is not called */
    BLOCK_CHANGED = 0xffff, /* reap: the disk says that it has changed */
};

#define BLOCK_KEY_ROOM 0 /* notified when a request fits again */

struct block_ops {
    struct k42_object_ops object;

    /* What kind of disk it is now. */
    K42_METHOD(geometry)(struct block *self, K42_OUT struct block_geometry *geometry);

    /*
     * Begins a request: 0, or BLOCK_DONE. On an error it was not begun. Errors: -EINVAL
     * (misaligned, too many pieces), -ENXIO (beyond the end), -EROFS, -ENOTSUP, -ENODEV, -K42_WAIT
     * (full: key BLOCK_KEY_ROOM, WAIT_WRITE).
     */
    K42_METHOD(submit)(struct block *self, K42_LOCAL struct block_request *request);

    /* For the disk's driver: takes the requests that its queue has finished, linked by `next`;
     * their results are set. 1: there is room again for somebody who was told to wait. */
    K42_METHOD(reap)
    (struct block *self, unsigned queue, K42_LOCAL struct block_request **finished);
};

struct block {
    const struct block_ops *ops;
};
K42_DECLARE_REF(block);
extern const struct k42_interface block_interface;

/*
 * Carries a request out and returns its result; done and context are not the caller's here. Waits,
 * inactive meanwhile: active threads only, which must look again at what they knew before.
 */
K42_MUST_CHECK
k42_result block_run(block_ref disk, struct block_request *request);

/* True when the request is one that a disk of this kind can do; otherwise why not, in *error. */
bool block_request_fits(const struct block_geometry *geometry, const struct block_request *request,
                        k42_result *error);

/* Canonical format: the device and the requests under way, see ../device_object.h. */
extern const struct k42_format block_device_format;

#endif
