/*
 * What all pipes have in common, whatever they keep their bytes in: who is at the ends, how far
 * each end has come, waiting and waking.
 *
 *   pipe_spsc.c      one thread reads and one writes: each end has an owner, nothing is taken
 *   pipe_general.c   any number at each end, one call at a time
 *   ring.c           what both keep the bytes in
 *   ends.c           this
 *
 * A pipe's body begins with a struct ends. Positions count bytes since the pipe was made. Only who
 * has the reading end moves its position, only who has the writing end moves the other; each sees
 * the other's as it was or later, so there is at least as much to read, or to write, as he sees,
 * and bytes are copied to and from programs with no lock.
 *
 * No wake-up is lost: both positions are stored by operations that are full barriers, before the
 * other one is looked at again or anybody is notified. Who is about to wait either sees the new
 * position or is in the table by then.
 *
 * Locking: `lock`, of the four counts and the node; leaf.
 */
#ifndef KERNEL_PIPE_ENDS_H
#define KERNEL_PIPE_ENDS_H

#include "pipe.h"

#include "../../body.h"
#include "../../copy.h"
#include "../../mem/heap/heap.h"
#include "../../owner.h"
#include "../../sched/wait.h"

#include <errno.h>

enum { PAGE = COPY_PAGE, KEY_DATA = 0, KEY_READING, KEY_WRITING, KEY_ARRIVALS, KEY_CHANGE };

/* Who is at an end: the owner, or who came last; and who has it, where it is taken. */
struct pipe_side {
    struct owner_word owner;
    struct owner_history history;
    uint32_t taken;
    uint64_t position;
    char apart[32]; /* what the two sides write is in lines of their own */
};

struct ends {
    struct k42_lock lock;
    uint32_t readers, writers, arrived_readers, arrived_writers;
    uint64_t capacity; /* bytes, a power of two of pages; changed with both ends taken */
    k42_ref node;      /* of a pipe without a name, once asked for; held */
    k42_ref *noted;    /* where that knows the pipe; under the lock */
    struct pipe_side read, write;
};

#define ENDS(self) ((struct ends *)BODY(self))

static inline k42_id pipe_id(struct pipe *self) {
    return k42_root_id(BODY_ROOT(self));
}

/* How many bytes are in it, as seen by anybody. */
static inline uint64_t ends_used(const struct ends *ends) {
    uint64_t consumed = __atomic_load_n(&ends->read.position, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&ends->write.position, __ATOMIC_ACQUIRE) - consumed;
}

/* Where the page of the next byte to be read begins. */
static inline uint64_t ends_first_page(const struct ends *ends) {
    return ends->read.position & ~(uint64_t)(PAGE - 1);
}

extern struct k42_class pipe_spsc, pipe_general;

/* ---- what a class is made of ---- */

/* An end, taken for one call: 0, or why not; and given back. */
typedef k42_result pipe_take_fn(struct pipe *self, struct pipe_side *side);
typedef void pipe_leave_fn(struct pipe *self, struct pipe_side *side);

/* With the reading end: copies from position `from` on to the cursor, up to `to`; returns how many.
 */
typedef k42_result pipe_get_fn(struct ends *ends, uint64_t from, uint64_t to, struct copy *copy,
                               bool consume);
/* With the writing end: copies from the cursor to `at` and on, as much as there is room; returns
 * how many. */
typedef k42_result pipe_put_fn(struct ends *ends, uint64_t at, uint64_t room, struct copy *copy);
/* With both: see pipe.set_capacity(). Pages, a power of two, with room for what is in it. */
typedef k42_result pipe_resize_fn(struct ends *ends, uint64_t capacity);

/* Bytes of one page to and from a cursor; a whole page is exchanged where the cursor passes pages,
 * and is another one then. Return how many, or as copy_in() and copy_out(). */
k42_result pipe_page_out(char **page, size_t within, size_t bytes, struct copy *copy, bool consume);
k42_result pipe_page_in(char **page, size_t within, size_t bytes, struct copy *copy);

/* ---- methods that need no end ---- */

k42_result ends_attach(struct pipe *self, unsigned ends);
k42_result ends_detach(struct pipe *self, unsigned ends);
k42_result ends_leave(struct pipe *self, unsigned ends);
k42_result ends_poll(struct pipe *self, unsigned ends);
k42_result ends_count(struct pipe *self);
k42_result ends_capacity(struct pipe *self);
struct k42_pair ends_node(struct pipe *self);
k42_result ends_arrivals(struct pipe *self, unsigned ends);
k42_result ends_describe(struct k42_object *self, char *text, size_t size);

#define ENDS_METHODS                                                                               \
    .object.describe = ends_describe, .attach = ends_attach, .detach = ends_detach,                \
    .leave = ends_leave, .poll = ends_poll, .count = ends_count, .capacity = ends_capacity,        \
    .node = ends_node, .arrivals = ends_arrivals

/* ---- the canonical state, pipe.pages ----
 *
 * Word 0 is the exporter's struct ends, word 1 a function that gives its pages with bytes in them,
 * from the one with the next byte to be read to the one with the last written. Both are read by the
 * import alone. The pages become the importer's. Measured is the capacity.
 */
extern const struct k42_format pipe_pages_format;

/* The next page; `*at` is 0 for the first, and the function's. */
typedef char *pipe_next_page_fn(const struct ends *ends, uintptr_t *at);

static inline const struct ends *pipe_exported(const struct k42_state *state) {
    return (const struct ends *)state->word[0];
}
static inline pipe_next_page_fn *pipe_exported_pages(const struct k42_state *state) {
    return (pipe_next_page_fn *)state->word[1];
}

size_t ends_measure(struct k42_root *from);
/* What is no page passes on. */
void ends_import(struct ends *to, const struct ends *from);
/* It is another pipe's now. */
void ends_given(struct ends *ends);
/* For `fini`: lets go of the node. */
void ends_fini(struct ends *ends);

/* ---- an end that has an owner, for all versions of pipe.spsc ---- */

k42_result pipe_own_slowly(struct pipe *self, struct pipe_side *side);

static inline k42_result pipe_own(struct pipe *self, struct pipe_side *side) {
    return owner_is_self(&side->owner) ? 0 : pipe_own_slowly(self, side);
}
static inline void pipe_keep(struct pipe *self, struct pipe_side *side) {
    (void)self, (void)side;
}
/* For its import: others who came will have to ask again. */
static inline void ends_passed_on(struct ends *ends) {
    owner_passed_on(&ends->read.owner);
    owner_passed_on(&ends->write.owner);
}
k42_result pipe_own_set_capacity(struct pipe *self, uint64_t bytes, pipe_resize_fn *resize);

/* ---- methods that take an end, inlined with how a class does that ---- */

#define ENDS_INLINE static inline __attribute__((always_inline))

/* Whether reading made enough room for those who wait for it. */
static inline bool ends_made_room(const struct ends *ends, uint64_t before, uint64_t after) {
    uint64_t written = __atomic_load_n(&ends->write.position, __ATOMIC_SEQ_CST);
    return ends->capacity - (written - before) < PIPE_ATOMIC &&
           ends->capacity - (written - after) >= PIPE_ATOMIC;
}

/*
 * A page of a program's that is not there stops a copy anywhere. Bytes that were copied of a page
 * then count as none: so what is written at most a page at a time is in the pipe whole or not at
 * all, whoever else writes while that page is waited for, and what was read in vain is still there.
 */
static inline k42_result ends_stop(struct copy *copy, const struct copy *start, uint64_t whole,
                                   k42_result why) {
    *copy = *start;
    return whole ? (k42_result)copy_skip(copy, whole) : why;
}

ENDS_INLINE k42_result ends_get(struct ends *ends, uint64_t from, uint64_t to, struct copy *copy,
                                bool consume, pipe_get_fn *get) {
    struct copy start = *copy;
    uint64_t wanted = copy->left < to - from ? copy->left : to - from, end = from + wanted;
    k42_result more;
    uint64_t at = from;
    while ((more = get(ends, at, to, copy, consume)) > 0 && (at += (uint64_t)more) < end)
        ;
    if (__builtin_expect(at == end, 1))
        return (k42_result)wanted;
    at -= at % PAGE;
    return ends_stop(copy, &start, at > from ? at - from : 0, more);
}

ENDS_INLINE k42_result ends_put(struct ends *ends, uint64_t at, uint64_t room, struct copy *copy,
                                pipe_put_fn *put) {
    struct copy start = *copy;
    uint64_t wanted = copy->left < room ? copy->left : room, done = 0;
    k42_result more;
    while ((more = put(ends, at + done, room - done, copy)) > 0 &&
           (done += (uint64_t)more) < wanted)
        ;
    if (__builtin_expect(done == wanted, 1))
        return (k42_result)wanted;
    return ends_stop(copy, &start, done - done % PAGE, more);
}

ENDS_INLINE k42_result ends_read_with(struct pipe *self, struct copy *copy, bool consume,
                                      pipe_take_fn *take, pipe_leave_fn *leave, pipe_get_fn *get) {
    struct ends *ends = ENDS(self);
    if (!copy->left)
        return 0;
    k42_result result = take(self, &ends->read);
    if (result < 0)
        return result;
    /* Who writes nothing any more has written all he wrote. */
    uint32_t writers = __atomic_load_n(&ends->writers, __ATOMIC_ACQUIRE);
    uint64_t written = __atomic_load_n(&ends->write.position, __ATOMIC_ACQUIRE);
    uint64_t before = ends->read.position;
    bool room = false;
    if (written == before) {
        result = writers ? wait_on(pipe_id(self), KEY_DATA, WAIT_READ) : 0;
    } else {
        result = ends_get(ends, before, written, copy, consume, get);
        copy->unfinished = copy->left && result < (k42_result)(written - before);
        if (result > 0 && consume) {
            __atomic_store_n(&ends->read.position, before + (uint64_t)result, __ATOMIC_SEQ_CST);
            room = ends_made_room(ends, before, before + (uint64_t)result);
        }
    }
    leave(self, &ends->read);
    if (__builtin_expect(room, 0))
        (void)!wait_notify(pipe_id(self), KEY_DATA, WAIT_WRITE, WAIT_ALL);
    return result;
}

ENDS_INLINE k42_result ends_write_now(struct pipe *self, struct copy *copy, pipe_put_fn *put) {
    struct ends *ends = ENDS(self);
    size_t needed = copy->left < PIPE_ATOMIC ? copy->left : PIPE_ATOMIC;
    uint64_t consumed = __atomic_load_n(&ends->read.position, __ATOMIC_SEQ_CST);
    uint64_t written = ends->write.position, room = ends->capacity - (written - consumed);
    if (room < needed)
        return wait_on(pipe_id(self), KEY_DATA, WAIT_WRITE);
    k42_result result = ends_put(ends, written, room, copy, put);
    if (result > 0)
        __atomic_store_n(&ends->write.position, written + (uint64_t)result, __ATOMIC_SEQ_CST);
    return result;
}

ENDS_INLINE k42_result ends_write_with(struct pipe *self, struct copy *copy, pipe_take_fn *take,
                                       pipe_leave_fn *leave, pipe_put_fn *put) {
    struct ends *ends = ENDS(self);
    if (!copy->left)
        return 0;
    if (!__atomic_load_n(&ends->readers, __ATOMIC_ACQUIRE))
        return -EPIPE;
    k42_result result = take(self, &ends->write);
    if (result < 0)
        return result;
    result = ends_write_now(self, copy, put);
    leave(self, &ends->write);
    if (result > 0)
        (void)!wait_notify(pipe_id(self), KEY_DATA, WAIT_READ, WAIT_ALL);
    return result;
}

/* With both ends. */
static inline k42_result ends_resize(struct ends *ends, uint64_t bytes, pipe_resize_fn *resize) {
    uint64_t capacity = PAGE;
    while (capacity < bytes)
        capacity *= 2;
    if (ends_used(ends) > capacity)
        return -EBUSY;
    k42_result result = resize(ends, capacity);
    if (result < 0)
        return result;
    __atomic_store_n(&ends->capacity, capacity, __ATOMIC_RELAXED);
    return (k42_result)capacity;
}

ENDS_INLINE k42_result ends_set_capacity_with(struct pipe *self, uint64_t bytes, pipe_take_fn *take,
                                              pipe_leave_fn *leave, pipe_resize_fn *resize) {
    struct ends *ends = ENDS(self);
    if (bytes > 1ul << 31)
        return -EINVAL;
    k42_result result = take(self, &ends->write);
    if (result < 0)
        return result;
    result = take(self, &ends->read);
    if (result >= 0) {
        result = ends_resize(ends, bytes, resize);
        leave(self, &ends->read);
    }
    leave(self, &ends->write);
    if (result > 0)
        (void)!wait_notify(pipe_id(self), KEY_DATA, WAIT_WRITE, WAIT_ALL);
    return result;
}

#endif
