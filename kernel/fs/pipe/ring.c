/*
 * A ring of pages, and passing it on. See ring.h.
 *
 * Locking: none. Pages and positions are moved by who has the end.
 */
#include "ring.h"

#include "runtime.h"

const struct k42_format ring_format = {"pipe.ring", 1, 1};

/* ---- pages ---- */

static struct ring *ring_of(struct ends *ends) {
    return k42_container(ends, struct ring, ends);
}

static char **slot_in(char **slots, uint64_t capacity, uint64_t position) {
    return &slots[position / PAGE & (2 * (capacity / PAGE) - 1)];
}

static char **slot_of(const struct ring *ring, uint64_t position) {
    return slot_in(ring->slots, ring->ends.capacity, position);
}

/* A page that nobody reads any more. */
static void finish_page(struct ring *ring, uint64_t position) {
    char **slot = slot_of(ring, position), *page = *slot;
    *slot = NULL;
    heap_free(__atomic_exchange_n(&ring->spare, page, __ATOMIC_ACQ_REL));
}

k42_result ring_get(struct ends *ends, uint64_t from, uint64_t to, struct copy *copy,
                    bool consume) {
    struct ring *ring = ring_of(ends);
    k42_result done = 0;
    while (from < to && copy->left) {
        size_t within = from % PAGE, bytes = PAGE - within;
        bytes = bytes < to - from ? bytes : to - from;
        k42_result copied = pipe_page_out(slot_of(ring, from), within, bytes, copy, consume);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
        from += (uint64_t)copied;
        if (consume && from % PAGE == 0)
            finish_page(ring, from - 1);
    }
    return done;
}

static bool has_page(struct ring *ring, char **slot) {
    if (!*slot)
        *slot = __atomic_exchange_n(&ring->spare, NULL, __ATOMIC_ACQ_REL);
    if (!*slot)
        *slot = heap_allocate(PAGE);
    return *slot != NULL;
}

k42_result ring_put(struct ends *ends, uint64_t at, uint64_t room, struct copy *copy) {
    struct ring *ring = ring_of(ends);
    k42_result done = 0;
    while (room && copy->left) {
        size_t within = at % PAGE, bytes = PAGE - within;
        bytes = bytes < room ? bytes : room;
        char **slot = slot_of(ring, at);
        if (!has_page(ring, slot))
            return done ? done : -ENOMEM;
        k42_result copied = pipe_page_in(slot, within, bytes, copy);
        if (copied <= 0)
            return done ? done : copied;
        done += copied;
        at += (uint64_t)copied;
        room -= (uint64_t)copied;
    }
    return done;
}

static char **make_slots(uint64_t capacity) {
    return k42_platform_alloc(2 * (capacity / PAGE) * sizeof(char *));
}

k42_result ring_resize(struct ends *ends, uint64_t capacity) {
    struct ring *ring = ring_of(ends);
    char **slots = make_slots(capacity), **empty = slot_of(ring, ends->write.position);
    if (!slots)
        return -ENOMEM;
    for (uint64_t at = ends_first_page(ends); at < ends->write.position; at += PAGE)
        *slot_in(slots, capacity, at) = *slot_of(ring, at);
    /* The page that the next byte goes to may be there already, empty so far. */
    if (ends->write.position % PAGE == 0)
        heap_free(*empty);
    k42_platform_free(ring->slots);
    ring->slots = slots;
    return 0;
}

/* ---- its life ---- */

static void ring_end(struct ring *ring) {
    if (!ring)
        return;
    for (uint64_t n = 0; n < 2 * (ring->ends.capacity / PAGE); n++)
        heap_free(ring->slots[n]);
    heap_free(ring->spare);
    ends_fini(&ring->ends);
    k42_platform_free(ring->slots);
    k42_platform_free(ring);
}

static struct ring *ring_make(uint64_t capacity) {
    struct ring *ring = k42_platform_alloc(sizeof *ring);
    char **slots = make_slots(capacity);
    if (!ring || !slots) {
        k42_platform_free(ring);
        k42_platform_free(slots);
        return NULL;
    }
    ring->slots = slots;
    ring->ends.capacity = capacity;
    return ring;
}

k42_result ring_init(struct k42_root *root, const void *args) {
    if (!args)
        return 0;
    struct ring *ring = ring_make(*(const uint64_t *)args);
    return ring ? body_init(root, ring) : -ENOMEM;
}

void ring_fini(struct k42_root *root) {
    ring_end(body_of_root(root));
}

/* ---- the canonical state ---- */

k42_result ring_prepare(struct k42_root *to, struct k42_state *state) {
    struct ring *ring = ring_make(state->measured);
    return ring ? body_init(to, ring) : -ENOMEM;
}

/* `at` counts. */
static char *next_page(const struct ends *ends, uintptr_t *at) {
    const struct ring *ring = k42_container((void *)(uintptr_t)ends, struct ring, ends);
    return *slot_of(ring, ends_first_page(ends) + PAGE * (*at)++);
}

k42_result ring_export_pages(struct k42_root *from, struct k42_state *state, unsigned part) {
    const struct ring *ring = body_of_root(from);
    (void)part;
    state->word[0] = (uintptr_t)&ring->ends;
    state->word[1] = (uintptr_t)next_page;
    return 0;
}

/* It may have got smaller meanwhile, and leaves slots unused then. */
k42_result ring_import_pages(struct k42_root *to, struct k42_state *state, unsigned part) {
    const struct ends *from = pipe_exported(state);
    struct ring *ring = body_of_root(to);
    uintptr_t at = 0;
    (void)part;
    if (from->capacity > ring->ends.capacity)
        return -ENOSPC;
    ends_import(&ring->ends, from);
    for (uint64_t position = ends_first_page(from); position < from->write.position;
         position += PAGE)
        *slot_of(ring, position) = pipe_exported_pages(state)(from, &at);
    return 0;
}

void ring_pages_given(struct k42_root *from, struct k42_state *state) {
    struct ring *ring = body_of_root(from);
    (void)state;
    for (uint64_t position = ends_first_page(&ring->ends); position < ring->ends.write.position;
         position += PAGE)
        *slot_of(ring, position) = NULL;
    ends_given(&ring->ends);
}
