/*
 * What all pipes have in common: who is at the ends, the ring's pages, looking. See ring.h.
 *
 * Locking: ring->lock, of the counts; leaf. Pages and positions are moved by who has the end.
 */
#include "ring.h"

#include "../file.h"
#include "../ramfs/ramfs.h"
#include "../values.h"
#include "runtime.h"

#include <string.h>

const struct k42_format ring_format = {"pipe.ring", 1, 1};

/* ---- who is at the ends ---- */

k42_result ring_attach(struct pipe *self, unsigned ends) {
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

k42_result ring_detach(struct pipe *self, unsigned ends) {
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

/* The calling thread lets a file at these ends go; it is not inside of a call. */
k42_result ring_leave(struct pipe *self, unsigned ends) {
    struct ring *ring = RING(self);
    if (ends & PIPE_READER)
        owner_leave(&ring->read.owner);
    if (ends & PIPE_WRITER)
        owner_leave(&ring->write.owner);
    return 0;
}

/* ---- pages ---- */

static char **slot_of(const struct ring *ring, uint64_t position) {
    return &ring->slots[position / PAGE & (2 * (ring->capacity / PAGE) - 1)];
}

/* A page that nobody reads any more. */
static void keep_page(struct ring *ring, char *page) {
    heap_free(__atomic_exchange_n(&ring->spare, page, __ATOMIC_ACQ_REL));
}

static void finish_page(struct ring *ring, uint64_t position) {
    char **slot = slot_of(ring, position), *page = *slot;
    *slot = NULL;
    keep_page(ring, page);
}

/* A whole page goes to who takes pages, and one of his is kept in its stead. */
static __attribute__((noinline)) bool give_page(struct ring *ring, uint64_t position,
                                                struct copy *copy) {
    char **slot = slot_of(ring, position), *other = copy_exchange(copy, *slot);
    if (!other)
        return false;
    *slot = NULL;
    keep_page(ring, other);
    return true;
}

/* Copies from `from` on to the cursor, up to `to`; returns how many. */
k42_result ring_copy_from(struct ring *ring, uint64_t from, uint64_t to, struct copy *copy,
                          bool consume) {
    k42_result done = 0;
    while (from < to && copy->left) {
        size_t within = from % PAGE, bytes = PAGE - within;
        bytes = bytes < to - from ? bytes : to - from;
        if (__builtin_expect(copy->pages, 0) && consume && bytes == PAGE &&
            give_page(ring, from, copy)) {
            done += PAGE;
            from += PAGE;
            continue;
        }
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

static char *page_for(struct ring *ring, uint64_t position) {
    char **slot = slot_of(ring, position);
    if (!*slot)
        *slot = __atomic_exchange_n(&ring->spare, NULL, __ATOMIC_ACQ_REL);
    if (!*slot)
        *slot = heap_allocate(PAGE);
    return *slot;
}

/* A whole page from who exchanges pages, if he has one; copied otherwise. */
static __attribute__((noinline)) k42_result get_page(char **slot, struct copy *copy) {
    char *page = copy_exchange(copy, *slot);
    if (!page)
        return copy_in(copy, *slot, PAGE);
    *slot = page;
    return PAGE;
}

k42_result ring_copy_to(struct ring *ring, uint64_t at, uint64_t room, struct copy *copy) {
    k42_result done = 0;
    while (room && copy->left) {
        size_t within = at % PAGE, bytes = PAGE - within;
        bytes = bytes < room ? bytes : room;
        char *page = page_for(ring, at);
        if (!page)
            return done ? done : -ENOMEM;
        k42_result copied = __builtin_expect(copy->pages, 0) && bytes == PAGE
                                ? get_page(slot_of(ring, at), copy)
                                : copy_in(copy, page + within, bytes);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
        at += (uint64_t)copied;
        room -= (uint64_t)copied;
    }
    return done;
}

/* ---- looking and changing ---- */

static uint64_t used(const struct ring *ring) {
    uint64_t consumed = __atomic_load_n(&ring->read.position, __ATOMIC_ACQUIRE);
    return __atomic_load_n(&ring->write.position, __ATOMIC_ACQUIRE) - consumed;
}

k42_result ring_poll(struct pipe *self, unsigned ends) {
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

k42_result ring_count(struct pipe *self) {
    return (k42_result)used(RING(self));
}

k42_result ring_capacity(struct pipe *self) {
    return (k42_result)__atomic_load_n(&RING(self)->capacity, __ATOMIC_RELAXED);
}

k42_result ring_change_capacity(struct ring *ring, uint64_t bytes) {
    uint64_t capacity = PAGE;
    while (capacity < bytes)
        capacity *= 2;
    if (used(ring) > capacity)
        return -EBUSY;
    char **slots = k42_platform_alloc(2 * (capacity / PAGE) * sizeof *slots);
    if (!slots)
        return -ENOMEM;
    struct ring old = *ring;
    ring->slots = slots;
    __atomic_store_n(&ring->capacity, capacity, __ATOMIC_RELAXED);
    for (uint64_t at = old.read.position & ~(uint64_t)(PAGE - 1); at < old.write.position;
         at += PAGE)
        *slot_of(ring, at) = *slot_of(&old, at);
    /* The page that the next byte goes to may be there already, empty so far. */
    if (old.write.position % PAGE == 0) {
        heap_free(*slot_of(&old, old.write.position));
        *slot_of(ring, old.write.position) = NULL;
    }
    k42_platform_free(old.slots);
    return (k42_result)capacity;
}

/* Two who ask first make one each, and one goes. */
struct k42_pair ring_node(struct pipe *self) {
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

k42_result ring_arrivals(struct pipe *self, unsigned ends) {
    struct ring *ring = RING(self);
    k42_lock(&ring->lock);
    k42_result arrived = ends & PIPE_READER ? ring->arrived_writers : ring->arrived_readers;
    k42_unlock(&ring->lock);
    return arrived;
}

k42_result ring_describe(struct k42_object *self, char *text, size_t size) {
    struct ring *ring = RING(self);
    return (k42_result)k42_format_text(text, size,
                                       "pipe of %lu bytes, %lu in it, %u read, %u write",
                                       ring->capacity, used(ring), ring->readers, ring->writers);
}

void ring_fini(struct k42_root *root) {
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

k42_result pipe_make(pipe_ref *made) {
    struct ring *ring = k42_platform_alloc(sizeof(*ring));
    if (!ring)
        return -ENOMEM;
    ring->capacity = PIPE_DEFAULT;
    ring->slots = k42_platform_alloc(2 * (PIPE_DEFAULT / PAGE) * sizeof *ring->slots);
    k42_result result = ring->slots ? k42_make(&pipe_spsc, ring, &ring->self) : -ENOMEM;
    if (result < 0) {
        k42_platform_free(ring->slots);
        k42_platform_free(ring);
        return result;
    }
    *made = (pipe_ref)ring->self;
    return 0;
}
