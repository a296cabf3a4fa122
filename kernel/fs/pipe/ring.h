/*
 * The body of pipes, a ring of pages, and what is done with it by whoever has an end to himself.
 *
 *   pipe_spsc.c      one thread reads and one writes: each end has an owner, nothing is taken
 *   pipe_general.c   any number at each end, one call at a time
 *   ring.c           everything else, which is the same in both
 *
 * Positions count bytes since the pipe was made. Only who has the reading end moves `consumed`,
 * only who has the writing end moves `written`; each sees the other's as it was or later, so there
 * is at least as much to read, or to write, as he sees, and bytes are copied to and from programs
 * with no lock.
 *
 * No wake-up is lost: both positions are stored by operations that are full barriers, before the
 * other one is looked at again or anybody is notified. Who is about to wait either sees the new
 * position or is in the table by then.
 *
 * The ring has twice as many slots as pages may be in use, so the pages of the first and the last
 * byte never share one. A page whose bytes were all read leaves its slot before `consumed` says so.
 * One page is kept for the next writer. Whole pages are passed instead of copied to and from
 * cursors that exchange pages: from pipe to pipe, and from files to pipes (copy_exchange()).
 *
 * Format: pipe.ring, by pointer.
 */
#ifndef KERNEL_PIPE_RING_H
#define KERNEL_PIPE_RING_H

#include "pipe.h"

#include "../../body.h"
#include "../../copy.h"
#include "../../mem/heap/heap.h"
#include "../../owner.h"
#include "../../sched/wait.h"

#include <errno.h>

enum { PAGE = 4096, KEY_DATA = 0, KEY_READING, KEY_WRITING, KEY_ARRIVALS, KEY_CHANGE };

/* Who is at an end: the owner, or who came last; and who has it, where it is taken. */
struct ring_end {
    struct owner_word owner;
    struct owner_history history;
    uint32_t taken;
    uint64_t position;
    char apart[32]; /* what the two ends write is in lines of their own */
};

struct ring {
    k42_ref self;
    struct k42_lock lock; /* of the four counts below */
    uint32_t readers, writers, arrived_readers, arrived_writers;
    uint64_t capacity; /* bytes, a power of two of pages; changed with both ends taken */
    char **slots;
    char *spare;
    k42_ref node;   /* of a pipe without a name, once asked for; held */
    k42_ref *noted; /* where that knows the pipe; under the lock */
    struct ring_end read, write;
};

#define RING(self) ((struct ring *)BODY(self))

extern const struct k42_format ring_format;
extern struct k42_class pipe_spsc, pipe_general;

/* An end, taken for one call: 0, or why not; and given back. */
typedef k42_result ring_take_fn(struct ring *ring, struct ring_end *end);
typedef void ring_leave_fn(struct ring *ring, struct ring_end *end);

/* ---- with an end ---- */

/* Copies from `from` on to the cursor, up to `to`; returns how many. */
K42_MUST_CHECK
k42_result ring_copy_from(struct ring *ring, uint64_t from, uint64_t to, struct copy *copy,
                          bool consume);
/* Copies from the cursor to `at` and on, as much as there is room; returns how many. */
K42_MUST_CHECK
k42_result ring_copy_to(struct ring *ring, uint64_t at, uint64_t room, struct copy *copy);
/* With both ends: see pipe.set_capacity(). */
K42_MUST_CHECK
k42_result ring_change_capacity(struct ring *ring, uint64_t bytes);

/* ---- methods that need no end ---- */

k42_result ring_describe(struct k42_object *self, char *text, size_t size);
k42_result ring_attach(struct pipe *self, unsigned ends);
k42_result ring_detach(struct pipe *self, unsigned ends);
k42_result ring_leave(struct pipe *self, unsigned ends);
k42_result ring_poll(struct pipe *self, unsigned ends);
k42_result ring_count(struct pipe *self);
k42_result ring_capacity(struct pipe *self);
struct k42_pair ring_node(struct pipe *self);
k42_result ring_arrivals(struct pipe *self, unsigned ends);
void ring_fini(struct k42_root *root);

#define RING_METHODS                                                                               \
    .object.describe = ring_describe, .attach = ring_attach, .detach = ring_detach,                \
    .leave = ring_leave, .poll = ring_poll, .count = ring_count, .capacity = ring_capacity,        \
    .node = ring_node, .arrivals = ring_arrivals

/* ---- methods of a pipe whose ends have owners (pipe_spsc.c), for all its versions ---- */

k42_result spsc_read(struct pipe *self, struct copy *copy);
k42_result spsc_peek(struct pipe *self, struct copy *copy);
k42_result spsc_write(struct pipe *self, struct copy *copy);
k42_result spsc_set_capacity(struct pipe *self, uint64_t bytes);
k42_result spsc_import(struct k42_root *to, struct k42_state *state, unsigned part);

/* But for writing. */
#define SPSC_METHODS .read = spsc_read, .peek = spsc_peek, .set_capacity = spsc_set_capacity

/* ---- methods that do, inlined with how a class takes one ---- */

#define RING_INLINE static inline __attribute__((always_inline))

/* Whether reading made enough room for those who wait for it. */
static inline bool ring_made_room(const struct ring *ring, uint64_t before, uint64_t after) {
    uint64_t written = __atomic_load_n(&ring->write.position, __ATOMIC_SEQ_CST);
    return ring->capacity - (written - before) < PIPE_ATOMIC &&
           ring->capacity - (written - after) >= PIPE_ATOMIC;
}

RING_INLINE k42_result ring_read_with(struct ring *ring, struct copy *copy, bool consume,
                                      ring_take_fn *take, ring_leave_fn *leave) {
    if (!copy->left)
        return 0;
    k42_result result = take(ring, &ring->read);
    if (result < 0)
        return result;
    /* Who writes nothing any more has written all he wrote. */
    uint32_t writers = __atomic_load_n(&ring->writers, __ATOMIC_ACQUIRE);
    uint64_t written = __atomic_load_n(&ring->write.position, __ATOMIC_ACQUIRE);
    uint64_t before = ring->read.position;
    bool room = false;
    if (written == before) {
        result = writers ? wait_on(k42_ref_id(ring->self), KEY_DATA, WAIT_READ) : 0;
    } else {
        result = ring_copy_from(ring, before, written, copy, consume);
        if (result > 0 && consume) {
            __atomic_store_n(&ring->read.position, before + (uint64_t)result, __ATOMIC_SEQ_CST);
            room = ring_made_room(ring, before, before + (uint64_t)result);
        }
    }
    leave(ring, &ring->read);
    if (__builtin_expect(room, 0))
        (void)!wait_notify(k42_ref_id(ring->self), KEY_DATA, WAIT_WRITE, WAIT_ALL);
    return result;
}

RING_INLINE k42_result ring_write_now(struct ring *ring, struct copy *copy) {
    size_t needed = copy->left < PIPE_ATOMIC ? copy->left : PIPE_ATOMIC;
    uint64_t consumed = __atomic_load_n(&ring->read.position, __ATOMIC_SEQ_CST);
    uint64_t written = ring->write.position, room = ring->capacity - (written - consumed);
    if (room < needed)
        return wait_on(k42_ref_id(ring->self), KEY_DATA, WAIT_WRITE);
    k42_result result = ring_copy_to(ring, written, room, copy);
    if (result > 0)
        __atomic_store_n(&ring->write.position, written + (uint64_t)result, __ATOMIC_SEQ_CST);
    return result;
}

RING_INLINE k42_result ring_write_with(struct ring *ring, struct copy *copy, ring_take_fn *take,
                                       ring_leave_fn *leave) {
    if (!copy->left)
        return 0;
    if (!__atomic_load_n(&ring->readers, __ATOMIC_ACQUIRE))
        return -EPIPE;
    k42_result result = take(ring, &ring->write);
    if (result < 0)
        return result;
    result = ring_write_now(ring, copy);
    leave(ring, &ring->write);
    if (result > 0)
        (void)!wait_notify(k42_ref_id(ring->self), KEY_DATA, WAIT_READ, WAIT_ALL);
    return result;
}

RING_INLINE k42_result ring_set_capacity_with(struct ring *ring, uint64_t bytes, ring_take_fn *take,
                                              ring_leave_fn *leave) {
    if (bytes > 1ul << 31)
        return -EINVAL;
    k42_result result = take(ring, &ring->write);
    if (result < 0)
        return result;
    result = take(ring, &ring->read);
    if (result >= 0) {
        result = ring_change_capacity(ring, bytes);
        leave(ring, &ring->read);
    }
    leave(ring, &ring->write);
    if (result > 0)
        (void)!wait_notify(k42_ref_id(ring->self), KEY_DATA, WAIT_WRITE, WAIT_ALL);
    return result;
}

#endif
