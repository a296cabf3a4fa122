/*
 * A pipe with any number of readers and writers: one call at a time at each end.
 *
 * An end is taken without waiting; who finds it taken waits at its key. It is given back by an
 * exchange, a full barrier, before notifying: who is about to wait either sees it free or is in the
 * table by then. The owner of an end is who came last; when each end has had the same one for long
 * enough, the pipe is made one for a producer and a consumer, with these two as owners.
 *
 * Locking: an end, while bytes are copied. Formats: ring.h. Fails as pipe.h says.
 */
#include "ring.h"

static uintptr_t key_of(struct pipe *self, const struct pipe_side *side) {
    return side == &ENDS(self)->read ? KEY_READING : KEY_WRITING;
}

static k42_result take(struct pipe *self, struct pipe_side *side) {
    uint32_t free = 0;
    if (__atomic_compare_exchange_n(&side->taken, &free, 1, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_RELAXED))
        return 0;
    return wait_on(pipe_id(self), key_of(self, side), WAIT_READ);
}

static void leave(struct pipe *self, struct pipe_side *side) {
    __atomic_exchange_n(&side->taken, 0, __ATOMIC_SEQ_CST);
    (void)!wait_notify(pipe_id(self), key_of(self, side), WAIT_READ, 1);
}

/* Notes who it was, too. Without memory to ask with it stays as it is, and asks again later. */
static void leave_noting(struct pipe *self, struct pipe_side *side) {
    struct ends *ends = ENDS(self);
    const struct pipe_side *other = side == &ends->read ? &ends->write : &ends->read;
    bool alone = owner_is_alone(&side->owner, &side->history);
    leave(self, side);
    if (__builtin_expect(alone, 0) && owner_was_alone(&other->history))
        (void)!change_class(k42_root_ref(BODY_ROOT(self)), &pipe_general, &pipe_spsc, KEY_CHANGE);
}

static k42_result general_read(struct pipe *self, struct copy *copy) {
    return ends_read_with(self, copy, true, take, leave_noting, ring_get);
}

static k42_result general_peek(struct pipe *self, struct copy *copy) {
    return ends_read_with(self, copy, false, take, leave_noting, ring_get);
}

static k42_result general_write(struct pipe *self, struct copy *copy) {
    return ends_write_with(self, copy, take, leave_noting, ring_put);
}

static k42_result general_set_capacity(struct pipe *self, uint64_t bytes) {
    return ends_set_capacity_with(self, bytes, take, leave, ring_resize);
}

/* ---- state ---- */

static void begin(struct ends *ends, const struct k42_state *state) {
    bool changed = same_class(k42_root_class(state->from), &pipe_spsc);
    ends_passed_on(ends);
    owner_history_begin(&ends->read.history, changed);
    owner_history_begin(&ends->write.history, changed);
}

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    begin((struct ends *)state->word[0], state);
    return body_import(to, state, part);
}

static k42_result import_pages(struct k42_root *to, struct k42_state *state, unsigned part) {
    k42_result result = ring_import_pages(to, state, part);
    if (!result)
        begin(body_of_root(to), state);
    return result;
}

static const struct pipe_ops general_ops = {
    ENDS_METHODS,
    .read = general_read,
    .write = general_write,
    .peek = general_peek,
    .set_capacity = general_set_capacity,
};

static const struct k42_transfer general_transfers[] = RING_TRANSFERS(import, import_pages);

K42_CLASS(pipe_general) = {
    .name = "pipe.general",
    .interface = &pipe_interface,
    .version = 1,
    .traits = "readers=many writers=many",
    BODY_OBJECT,
    .ops = &general_ops,
    .init = ring_init,
    .fini = ring_fini,
    .transfers = general_transfers,
};
