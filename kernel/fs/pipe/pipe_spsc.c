/*
 * A pipe with one producer and one consumer: what nearly every pipe is, whoever else has its
 * descriptors.
 *
 * Each end has an owner (owner.h), the thread that used it first, and nothing is taken: a read or
 * write is its copy, one barrier and a look at who waits. A second reader or writer turns the pipe
 * into a general one and waits for that, at KEY_CHANGE. So does who changes its capacity while
 * others use it.
 *
 * Locking: none. Format: pipe.ring. Fails: -ENOMEM also when another one comes to an end and
 * nothing is left to ask for the change with.
 */
#include "ring.h"

static __attribute__((noinline)) k42_result take_slowly(struct ring *ring, struct ring_end *end) {
    struct owner_change change = {
        .ref = ring->self, .from = &pipe_spsc, .to = &pipe_general, .key = KEY_CHANGE};
    return owner_take(&end->owner, &change);
}

static inline k42_result take(struct ring *ring, struct ring_end *end) {
    return owner_is_self(&end->owner) ? 0 : take_slowly(ring, end);
}

static inline void leave(struct ring *ring, struct ring_end *end) {
    (void)ring, (void)end;
}

k42_result spsc_read(struct pipe *self, struct copy *copy) {
    return ring_read_with(RING(self), copy, true, take, leave);
}

k42_result spsc_peek(struct pipe *self, struct copy *copy) {
    return ring_read_with(RING(self), copy, false, take, leave);
}

k42_result spsc_write(struct pipe *self, struct copy *copy) {
    return ring_write_with(RING(self), copy, take, leave);
}

/* Whoever makes a pipe may do so before those come who use it: what was nobody's is so again. */
k42_result spsc_set_capacity(struct pipe *self, uint64_t bytes) {
    struct ring *ring = RING(self);
    bool reads = owner_is_self(&ring->read.owner), writes = owner_is_self(&ring->write.owner);
    k42_result result = ring_set_capacity_with(ring, bytes, take, leave);
    if (!reads)
        owner_leave(&ring->read.owner);
    if (!writes)
        owner_leave(&ring->write.owner);
    return result;
}

k42_result spsc_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct ring *ring = (struct ring *)state->word[0];
    owner_passed_on(&ring->read.owner);
    owner_passed_on(&ring->write.owner);
    return body_import(to, state, part);
}

static const struct pipe_ops spsc_ops = {
    RING_METHODS,
    SPSC_METHODS,
    .write = spsc_write,
};

static const struct k42_transfer spsc_transfers[] = BODY_TRANSFERS_WITH(ring_format, spsc_import);

K42_CLASS(pipe_spsc) = {
    .name = "pipe.spsc",
    .interface = &pipe_interface,
    .version = 1,
    .traits = "readers=one writers=one",
    BODY_LAYOUT,
    .ops = &spsc_ops,
    .fini = ring_fini,
    .transfers = spsc_transfers,
};
