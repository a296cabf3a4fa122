/*
 * A pipe with any number of readers and writers: one call at a time at each end.
 *
 * An end is taken without waiting; who finds it taken waits at its key. It is given back by an
 * exchange, a full barrier, before notifying: who is about to wait either sees it free or is in the
 * table by then. The owner of an end is who came last; when each end has had the same one for long
 * enough, the pipe is made one for a producer and a consumer, with these two as owners.
 *
 * Locking: an end, while bytes are copied. Format: pipe.ring. Fails as pipe.h says.
 */
#include "ring.h"

static k42_result take(struct ring *ring, struct ring_end *end) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&end->taken, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(k42_ref_id(ring->self), end == &ring->read ? KEY_READING : KEY_WRITING,
                   WAIT_READ);
}

static void leave(struct ring *ring, struct ring_end *end) {
    __atomic_exchange_n(&end->taken, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(k42_ref_id(ring->self), end == &ring->read ? KEY_READING : KEY_WRITING,
                       WAIT_READ, 1);
}

/* Notes who it was, too. Without memory to ask with it stays as it is, and asks again later. */
static void leave_noting(struct ring *ring, struct ring_end *end) {
    const struct ring_end *other = end == &ring->read ? &ring->write : &ring->read;
    bool alone = owner_is_alone(&end->owner, &end->history);
    leave(ring, end);
    if (__builtin_expect(alone, 0) && owner_was_alone(&other->history))
        (void)!change_class(ring->self, &pipe_general, &pipe_spsc, KEY_CHANGE);
}

static k42_result general_read(struct pipe *self, struct copy *copy) {
    return ring_read_with(RING(self), copy, true, take, leave_noting);
}

static k42_result general_peek(struct pipe *self, struct copy *copy) {
    return ring_read_with(RING(self), copy, false, take, leave_noting);
}

static k42_result general_write(struct pipe *self, struct copy *copy) {
    return ring_write_with(RING(self), copy, take, leave_noting);
}

static k42_result general_set_capacity(struct pipe *self, uint64_t bytes) {
    return ring_set_capacity_with(RING(self), bytes, take, leave);
}

static void begin(struct ring_end *end, bool changed) {
    owner_passed_on(&end->owner);
    owner_history_begin(&end->history, changed);
}

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct ring *ring = (struct ring *)state->word[0];
    bool changed = same_class(k42_root_class(state->from), &pipe_spsc);
    begin(&ring->read, changed);
    begin(&ring->write, changed);
    return body_import(to, state, part);
}

static const struct pipe_ops general_ops = {
    RING_METHODS,
    .read = general_read,
    .write = general_write,
    .peek = general_peek,
    .set_capacity = general_set_capacity,
};

static const struct k42_transfer general_transfers[] = BODY_TRANSFERS_WITH(ring_format, import);

K42_CLASS(pipe_general) = {
    .name = "pipe.general",
    .interface = &pipe_interface,
    .version = 1,
    .traits = "readers=many writers=many",
    BODY_LAYOUT,
    .ops = &general_ops,
    .fini = ring_fini,
    .transfers = general_transfers,
};
