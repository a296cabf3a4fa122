/*
 * The class of pipes: a ring of pages, with one call at a time at each end.
 *
 * Positions count bytes since the pipe was made. Only who has `reading` moves `consumed`, only who
 * has `writing` moves `written`; each sees the other's as it was or later, so there is at least as
 * much to read, or to write, as he sees, and bytes are copied to and from programs with no lock. An
 * end is taken without waiting; who finds it taken waits at its key. Ends are given back by an
 * exchange, a full barrier, before notifying: who is about to wait either sees the new positions or
 * is in the table by then.
 *
 * The ring has twice as many slots as pages may be in use, so the pages of the first and the last
 * byte never share one. A page whose bytes were all read leaves its slot before `consumed` says so.
 * One page is kept for the next writer.
 */
#include "pipe.h"

#include "../../body.h"
#include "../../copy.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"
#include "../file.h"
#include "../ramfs/ramfs.h"
#include "../values.h"
#include "runtime.h"

#include <errno.h>
#include <string.h>

enum { PAGE = 4096, KEY_DATA = 0, KEY_READING, KEY_WRITING, KEY_ARRIVALS };

struct ring {
    k42_ref self;
    struct k42_lock lock; /* of the four counts below */
    uint32_t readers, writers, arrived_readers, arrived_writers;
    uint32_t reading, writing;
    uint64_t consumed, written;
    uint64_t capacity; /* bytes, a power of two of pages; changed with both ends taken */
    char **slots;
    char *spare;
    k42_ref node;   /* of a pipe without a name, once asked for; held */
    k42_ref *noted; /* where that knows the pipe; under the lock */
};

#define RING(self) ((struct ring *)BODY(self))

/* ---- ends ---- */

static k42_result take_end(struct ring *ring, uint32_t *end, uintptr_t key) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(end, &free, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return 0;
    return wait_on(k42_ref_id(ring->self), key, WAIT_READ);
}

static void leave_end(struct ring *ring, uint32_t *end, uintptr_t key) {
    __atomic_exchange_n(end, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(k42_ref_id(ring->self), key, WAIT_READ, 1);
}

static k42_result ring_attach(struct pipe *self, unsigned ends) {
    struct ring *ring = RING(self);
    k42_result others = 0;
    k42_lock(&ring->lock);
    bool gone = !ring->readers && !ring->writers && (ring->arrived_readers | ring->arrived_writers);
    if (!gone) {
        ring->readers += !!(ends & PIPE_READER);
        ring->writers += !!(ends & PIPE_WRITER);
        ring->arrived_readers += !!(ends & PIPE_READER);
        ring->arrived_writers += !!(ends & PIPE_WRITER);
        others = ends & PIPE_READER ? 2l * ring->arrived_writers + !!ring->writers
                                    : 2l * ring->arrived_readers + !!ring->readers;
    }
    k42_unlock(&ring->lock);
    if (gone)
        return -K42_STALE;
    (void)!wait_notify(k42_ref_id(ring->self), KEY_ARRIVALS, WAIT_READ, WAIT_ALL);
    return others;
}

static k42_result ring_detach(struct pipe *self, unsigned ends) {
    struct ring *ring = RING(self);
    k42_id id = k42_ref_id(ring->self);
    k42_lock(&ring->lock);
    __atomic_store_n(&ring->readers, ring->readers - !!(ends & PIPE_READER), __ATOMIC_RELEASE);
    __atomic_store_n(&ring->writers, ring->writers - !!(ends & PIPE_WRITER), __ATOMIC_RELEASE);
    bool last = !ring->readers && !ring->writers;
    bool end_of_data = !ring->writers, broken = !ring->readers;
    /* Nobody finds the number any more that another object may soon have. */
    if (last && ring->noted)
        __atomic_store_n(ring->noted, K42_NULL_REF, __ATOMIC_RELEASE);
    k42_unlock(&ring->lock);
    if (last) {
        (void)!k42_destroy(ring->self);
        wait_hangup(id, KEY_DATA);
    } else if (end_of_data || broken) {
        (void)!wait_notify(id, KEY_DATA, WAIT_READ | WAIT_WRITE | WAIT_HANGUP | WAIT_ERROR,
                           WAIT_ALL);
    }
    return last;
}

/* ---- reading ---- */

static char **slot_of(const struct ring *ring, uint64_t position) {
    return &ring->slots[position / PAGE & (2 * (ring->capacity / PAGE) - 1)];
}

/* A page all of whose bytes were read. */
static void finish_page(struct ring *ring, uint64_t position) {
    char **slot = slot_of(ring, position), *page = *slot;
    *slot = NULL;
    page = __atomic_exchange_n(&ring->spare, page, __ATOMIC_ACQ_REL);
    heap_free(page);
}

/* Copies from `from` on to the cursor, up to `to`; returns how many. */
static k42_result copy_from(struct ring *ring, uint64_t from, uint64_t to, struct copy *copy,
                            bool consume) {
    k42_result done = 0;
    while (from < to && copy->left) {
        size_t within = from % PAGE, bytes = PAGE - within;
        bytes = bytes < to - from ? bytes : to - from;
        k42_result copied = copy_out(copy, *slot_of(ring, from) + within, bytes);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
        from += (uint64_t)copied;
        if (consume && from % PAGE == 0)
            finish_page(ring, from - 1);
    }
    return done;
}

/* Whether reading made enough room for those who wait for it. */
static bool made_room(const struct ring *ring, uint64_t before, uint64_t after) {
    uint64_t written = __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE);
    return ring->capacity - (written - before) < PIPE_ATOMIC &&
           ring->capacity - (written - after) >= PIPE_ATOMIC;
}

static k42_result read_or_peek(struct ring *ring, struct copy *copy, bool consume) {
    if (!copy->left)
        return 0;
    k42_result result = take_end(ring, &ring->reading, KEY_READING);
    if (result < 0)
        return result;
    /* Who writes nothing any more has written all he wrote. */
    uint32_t writers = __atomic_load_n(&ring->writers, __ATOMIC_ACQUIRE);
    uint64_t written = __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE);
    uint64_t before = ring->consumed;
    bool room = false;
    if (written == before) {
        result = writers ? wait_on(k42_ref_id(ring->self), KEY_DATA, WAIT_READ) : 0;
    } else {
        result = copy_from(ring, before, written, copy, consume);
        if (result > 0 && consume) {
            __atomic_store_n(&ring->consumed, before + (uint64_t)result, __ATOMIC_SEQ_CST);
            room = made_room(ring, before, before + (uint64_t)result);
        }
    }
    leave_end(ring, &ring->reading, KEY_READING);
    if (room)
        (void)!wait_notify(k42_ref_id(ring->self), KEY_DATA, WAIT_WRITE, WAIT_ALL);
    return result;
}

static k42_result ring_read(struct pipe *self, struct copy *copy) {
    return read_or_peek(RING(self), copy, true);
}

static k42_result ring_peek(struct pipe *self, struct copy *copy) {
    return read_or_peek(RING(self), copy, false);
}

/* ---- writing ---- */

static char *page_for(struct ring *ring, uint64_t position) {
    char **slot = slot_of(ring, position);
    if (!*slot)
        *slot = __atomic_exchange_n(&ring->spare, NULL, __ATOMIC_ACQ_REL);
    if (!*slot)
        *slot = heap_allocate(PAGE);
    return *slot;
}

static k42_result copy_to(struct ring *ring, uint64_t at, uint64_t room, struct copy *copy) {
    k42_result done = 0;
    while (room && copy->left) {
        size_t within = at % PAGE, bytes = PAGE - within;
        char *page = page_for(ring, at);
        if (!page)
            return done ? done : -ENOMEM;
        k42_result copied = copy_in(copy, page + within, bytes < room ? bytes : room);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
        at += (uint64_t)copied;
        room -= (uint64_t)copied;
    }
    return done;
}

static k42_result write_now(struct ring *ring, struct copy *copy) {
    size_t needed = copy->left < PIPE_ATOMIC ? copy->left : PIPE_ATOMIC;
    uint64_t consumed = __atomic_load_n(&ring->consumed, __ATOMIC_SEQ_CST);
    uint64_t room = ring->capacity - (ring->written - consumed);
    if (room < needed)
        return wait_on(k42_ref_id(ring->self), KEY_DATA, WAIT_WRITE);
    k42_result result = copy_to(ring, ring->written, room, copy);
    if (result > 0)
        __atomic_store_n(&ring->written, ring->written + (uint64_t)result, __ATOMIC_RELEASE);
    return result;
}

static k42_result ring_write(struct pipe *self, struct copy *copy) {
    struct ring *ring = RING(self);
    if (!copy->left)
        return 0;
    if (!__atomic_load_n(&ring->readers, __ATOMIC_ACQUIRE))
        return -EPIPE;
    k42_result result = take_end(ring, &ring->writing, KEY_WRITING);
    if (result < 0)
        return result;
    result = write_now(ring, copy);
    leave_end(ring, &ring->writing, KEY_WRITING);
    if (result > 0)
        (void)!wait_notify(k42_ref_id(ring->self), KEY_DATA, WAIT_READ, WAIT_ALL);
    return result;
}

/* ---- looking and changing ---- */

static uint64_t used(const struct ring *ring) {
    uint64_t consumed = __atomic_load_n(&ring->consumed, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&ring->written, __ATOMIC_ACQUIRE) - consumed;
}

static k42_result ring_poll(struct pipe *self, unsigned ends) {
    struct ring *ring = RING(self);
    k42_result ready = 0;
    uint32_t writers = __atomic_load_n(&ring->writers, __ATOMIC_ACQUIRE);
    if ((ends & PIPE_READER) && used(ring))
        ready |= FILE_READABLE;
    if ((ends & PIPE_READER) && !writers)
        ready |= FILE_HANG_UP;
    if ((ends & PIPE_WRITER) && ring->capacity - used(ring) >= PIPE_ATOMIC)
        ready |= FILE_WRITABLE;
    if ((ends & PIPE_WRITER) && !__atomic_load_n(&ring->readers, __ATOMIC_ACQUIRE))
        ready |= FILE_ERROR;
    return ready;
}

static k42_result ring_count(struct pipe *self) {
    return (k42_result)used(RING(self));
}

static k42_result ring_capacity(struct pipe *self) {
    return (k42_result)__atomic_load_n(&RING(self)->capacity, __ATOMIC_RELAXED);
}

/* With both ends taken. */
static k42_result change_capacity(struct ring *ring, uint64_t capacity) {
    if (used(ring) > capacity)
        return -EBUSY;
    char **slots = k42_platform_alloc(2 * (capacity / PAGE) * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    struct ring old = *ring;
    ring->slots = slots;
    __atomic_store_n(&ring->capacity, capacity, __ATOMIC_RELAXED);
    for (uint64_t at = old.consumed & ~(uint64_t)(PAGE - 1); at < old.written; at += PAGE)
        *slot_of(ring, at) = *slot_of(&old, at);
    /* The page that the next byte goes to may be there already, empty so far. */
    if (old.written % PAGE == 0) {
        heap_free(*slot_of(&old, old.written));
        *slot_of(ring, old.written) = NULL;
    }
    k42_platform_free(old.slots);
    return (k42_result)capacity;
}

static k42_result ring_set_capacity(struct pipe *self, uint64_t bytes) {
    struct ring *ring = RING(self);
    uint64_t capacity = PAGE;
    if (bytes > 1ul << 31)
        return -EINVAL;
    while (capacity < bytes)
        capacity *= 2;
    k42_result result = take_end(ring, &ring->writing, KEY_WRITING);
    if (result < 0)
        return result;
    result = take_end(ring, &ring->reading, KEY_READING);
    if (result >= 0) {
        result = change_capacity(ring, capacity);
        leave_end(ring, &ring->reading, KEY_READING);
    }
    leave_end(ring, &ring->writing, KEY_WRITING);
    if (result > 0)
        (void)!wait_notify(k42_ref_id(ring->self), KEY_DATA, WAIT_WRITE, WAIT_ALL);
    return result;
}

/* Two who ask first make one each, and one goes. */
static struct k42_pair ring_node(struct pipe *self) {
    struct ring *ring = RING(self);
    k42_ref node = __atomic_load_n(&ring->node, __ATOMIC_ACQUIRE), made, *noted;
    if (node)
        return (struct k42_pair){0, (uintptr_t)node};
    k42_result result = ramfs_make_pipe_node(ring->self, &made, &noted);
    if (result < 0)
        return (struct k42_pair){.result = result};
    k42_lock(&ring->lock);
    node = ring->node;
    if (!node) {
        ring->noted = noted;
        __atomic_store_n(&ring->node, made, __ATOMIC_RELEASE);
    }
    k42_unlock(&ring->lock);
    if (node)
        (void)!k42_call((node_ref)made, release);
    return (struct k42_pair){0, (uintptr_t)(node ? node : made)};
}

static k42_result ring_arrivals(struct pipe *self, unsigned ends) {
    struct ring *ring = RING(self);
    k42_lock(&ring->lock);
    k42_result arrived = ends & PIPE_READER ? ring->arrived_writers : ring->arrived_readers;
    k42_unlock(&ring->lock);
    return arrived;
}

static k42_result ring_describe(struct k42_object *self, char *text, size_t size) {
    struct ring *ring = RING(self);
    return (k42_result)k42_format_text(text, size,
                                       "pipe of %lu bytes, %lu in it, %u read, %u write",
                                       ring->capacity, used(ring), ring->readers, ring->writers);
}

static const struct pipe_ops ring_ops = {
    .object.describe = ring_describe,
    .attach = ring_attach,
    .detach = ring_detach,
    .read = ring_read,
    .write = ring_write,
    .poll = ring_poll,
    .count = ring_count,
    .capacity = ring_capacity,
    .set_capacity = ring_set_capacity,
    .peek = ring_peek,
    .node = ring_node,
    .arrivals = ring_arrivals,
};

static void ring_fini(struct k42_root *root) {
    struct ring *ring = body_of_root(root);
    if (!ring)
        return;
    for (uint64_t n = 0; n < 2 * (ring->capacity / PAGE); n++)
        heap_free(ring->slots[n]);
    heap_free(ring->spare);
    if (ring->node) {
        k42_enter();
        (void)k42_call((node_ref)ring->node, release);
        k42_exit();
    }
    k42_platform_free(ring->slots);
    k42_platform_free(ring);
}

static const struct k42_format ring_format = {"pipe.ring", 1, 1};
static const struct k42_transfer ring_transfers[] = BODY_TRANSFERS(ring_format);

K42_CLASS(pipe_ring) = {
    .name = "pipe.ring",
    .interface = &pipe_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &ring_ops,
    .fini = ring_fini,
    .transfers = ring_transfers,
};

k42_result pipe_make(pipe_ref *made) {
    struct ring *ring = k42_platform_alloc(sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    ring->capacity = PIPE_DEFAULT;
    ring->slots = k42_platform_alloc(2 * (PIPE_DEFAULT / PAGE) * sizeof *ring->slots);
    k42_result result = ring->slots ? k42_create(&pipe_ring, ring, &ring->self) : -ENOMEM;
    if (result < 0) {
        k42_platform_free(ring->slots);
        k42_platform_free(ring);
        return result;
    }
    *made = (pipe_ref)ring->self;
    return 0;
}
