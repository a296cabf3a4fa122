/*
 * A version of pipes that does not convert those with bytes in them: what becomes of an upgrade
 * that fails for some instances is tested with it.
 */
#include <k42/kernel/pipe.h>

K42_COMPONENT("pipe_refusing");

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    const struct ends *ends = (const struct ends *)state->word[0];
    return ends_used(ends) ? -EIO : spsc_import(to, state, part);
}

static const struct pipe_ops refusing_ops = {ENDS_METHODS, SPSC_METHODS};

static const struct k42_transfer refusing_transfers[] = RING_TRANSFERS(import, ring_import_pages);

K42_CLASS(pipe_refusing) = {
    .name = "pipe.spsc",
    .interface = &pipe_interface,
    .version = 9,
    .traits = "readers=one writers=one",
    BODY_OBJECT,
    .ops = &refusing_ops,
    .init = ring_init,
    .fini = ring_fini,
    .transfers = refusing_transfers,
};
