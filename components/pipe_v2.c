/*
 * The next version of a class: pipes of one reader and one writer that know how full they were.
 *
 * A file that defines a class of a name that is there, with a higher version, is an upgrade of it:
 *
 *     ./k42 build components/pipe_v2.c
 *     k42ctl upgrade pipe_v2.k42 --eager     each pipe of version 1 becomes one of version 2
 *     k42ctl upgrade pipe.spsc 1             and back
 *     k42ctl unload pipe_v2
 *
 * The body of a pipe is the same in both and is handed over by pointer (kernel/fs/pipe/ring.h);
 * what version 2 knows besides lies in its own object, and begins anew with each.
 */
#include <k42/kernel/pipe.h>

K42_COMPONENT("pipe_v2");

#define LEVELS 5 /* empty, up to a quarter, ... */

extern struct k42_class pipe_spsc_2;

/* A body_object, and what is new behind it. */
struct spsc {
    struct body_object object;
    uint64_t found[LEVELS]; /* how often the writer found it so full */
};

static struct spsc *spsc_of(struct pipe *self) {
    return k42_container(self, struct spsc, object.rep);
}

/* ---- the ends: their owner has them already, as in version 1 ---- */

static __attribute__((noinline)) k42_result take_slowly(struct ring *ring, struct ring_end *end) {
    struct owner_change change = {
        .ref = ring->self, .from = &pipe_spsc_2, .to = &pipe_general, .key = KEY_CHANGE};
    return owner_take(&end->owner, &change);
}

static inline k42_result take(struct ring *ring, struct ring_end *end) {
    return owner_is_self(&end->owner) ? 0 : take_slowly(ring, end);
}

static inline void leave(struct ring *ring, struct ring_end *end) {
    (void)ring, (void)end;
}

/* ---- the methods ---- */

static k42_result spsc_read(struct pipe *self, struct copy *copy) {
    return ring_read_with(RING(self), copy, true, take, leave);
}

static k42_result spsc_peek(struct pipe *self, struct copy *copy) {
    return ring_read_with(RING(self), copy, false, take, leave);
}

/* Counted by one thread at a time, so by plain loads and stores. */
static k42_result spsc_write(struct pipe *self, struct copy *copy) {
    struct ring *ring = RING(self);
    spsc_of(self)->found[(uint64_t)ring_count(self) * (LEVELS - 1) / ring->capacity]++;
    return ring_write_with(ring, copy, take, leave);
}

static k42_result spsc_set_capacity(struct pipe *self, uint64_t bytes) {
    struct ring *ring = RING(self);
    bool reads = owner_is_self(&ring->read.owner), writes = owner_is_self(&ring->write.owner);
    k42_result result = ring_set_capacity_with(ring, bytes, take, leave);
    if (!reads)
        owner_leave(&ring->read.owner);
    if (!writes)
        owner_leave(&ring->write.owner);
    return result;
}

static k42_result spsc_describe(struct k42_object *object, char *text, size_t size) {
    const uint64_t *found = spsc_of((struct pipe *)(void *)object)->found;
    size_t used = (size_t)ring_describe(object, text, size);
    return (k42_result)(used + k42_format_text(text + used, size - used,
                                               "; found by quarters %lu %lu %lu %lu, full %lu",
                                               found[0], found[1], found[2], found[3], found[4]));
}

static const struct pipe_ops spsc_ops = {
    .object.describe = spsc_describe,
    .attach = ring_attach,
    .detach = ring_detach,
    .leave = ring_leave,
    .poll = ring_poll,
    .count = ring_count,
    .capacity = ring_capacity,
    .node = ring_node,
    .arrivals = ring_arrivals,
    .read = spsc_read,
    .write = spsc_write,
    .peek = spsc_peek,
    .set_capacity = spsc_set_capacity,
};

/* ---- the state ---- */

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct ring *ring = (struct ring *)state->word[0];
    owner_passed_on(&ring->read.owner);
    owner_passed_on(&ring->write.owner);
    return body_import(to, state, part);
}

static const struct k42_transfer spsc_transfers[] = BODY_TRANSFERS_WITH(ring_format, import);

K42_CLASS(pipe_spsc_2) = {
    .name = "pipe.spsc",
    .interface = &pipe_interface,
    .version = 2,
    .traits = "readers=one writers=one",
    .kind = &k42_single,
    .root_size = sizeof(struct spsc),
    .rep_offset = offsetof(struct spsc, object.rep),
    .init = body_init,
    .ops = &spsc_ops,
    .fini = ring_fini,
    .transfers = spsc_transfers,
};
