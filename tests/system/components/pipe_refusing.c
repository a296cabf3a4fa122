/*
 * A version of pipes that does not convert those with bytes in them: what becomes of an upgrade
 * that fails for some instances is tested with it.
 */
#include <k42/kernel/pipe.h>

K42_COMPONENT("pipe_refusing");

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    const struct ring *ring = (const struct ring *)state->word[0];
    if (ring->write.position != ring->read.position)
        return -EIO;
    return spsc_import(to, state, part);
}

static const struct pipe_ops refusing_ops = {
    RING_METHODS,
    SPSC_METHODS,
    .write = spsc_write,
};

static const struct k42_transfer refusing_transfers[] = BODY_TRANSFERS_WITH(ring_format, import);

K42_CLASS(pipe_refusing) = {
    .name = "pipe.spsc",
    .interface = &pipe_interface,
    .version = 9,
    .traits = "readers=one writers=one",
    BODY_LAYOUT,
    .ops = &refusing_ops,
    .fini = ring_fini,
    .transfers = refusing_transfers,
};
