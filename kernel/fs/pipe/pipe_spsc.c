/*
 * A pipe with one producer and one consumer: what nearly every pipe is, whoever else has its
 * descriptors.
 *
 * Each end has an owner (owner.h), the thread that used it first, and nothing is taken: a read or
 * write is its copy, one barrier and a look at who waits. A second reader or writer turns the pipe
 * into a general one and waits for that, at KEY_CHANGE. So does who changes its capacity while
 * others use it.
 *
 * Locking: none. Formats: ring.h. Fails: -ENOMEM also when another one comes to an end and nothing
 * is left to ask for the change with.
 */
#include "ring.h"

k42_result spsc_read(struct pipe *self, struct copy *copy) {
    return ends_read_with(self, copy, true, pipe_own, pipe_keep, ring_get);
}

k42_result spsc_peek(struct pipe *self, struct copy *copy) {
    return ends_read_with(self, copy, false, pipe_own, pipe_keep, ring_get);
}

k42_result spsc_write(struct pipe *self, struct copy *copy) {
    return ends_write_with(self, copy, pipe_own, pipe_keep, ring_put);
}

k42_result spsc_set_capacity(struct pipe *self, uint64_t bytes) {
    return pipe_own_set_capacity(self, bytes, ring_resize);
}

k42_result spsc_import(struct k42_root *to, struct k42_state *state, unsigned part) {
    ends_passed_on((struct ends *)state->word[0]);
    return body_import(to, state, part);
}

static const struct pipe_ops spsc_ops = {ENDS_METHODS, SPSC_METHODS};

static const struct k42_transfer spsc_transfers[] = RING_TRANSFERS(spsc_import, ring_import_pages);

K42_CLASS(pipe_spsc) = {
    .name = "pipe.spsc",
    .interface = &pipe_interface,
    .version = 1,
    .traits = "readers=one writers=one",
    BODY_OBJECT,
    .ops = &spsc_ops,
    .init = ring_init,
    .fini = ring_fini,
    .transfers = spsc_transfers,
};
