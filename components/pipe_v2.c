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

/* A body_object, and what is new behind it. */
struct spsc {
    struct body_object object;
    uint64_t found[LEVELS]; /* how often the writer found it so full */
};

static struct spsc *spsc_of(struct pipe *self) {
    return k42_container(self, struct spsc, object.rep);
}

/* Counted by one thread at a time, so by plain loads and stores. */
static k42_result counting_write(struct pipe *self, struct copy *copy) {
    uint64_t quarter = (uint64_t)ring_count(self) * (LEVELS - 1) / RING(self)->capacity;
    spsc_of(self)->found[quarter]++;
    return spsc_write(self, copy);
}

static k42_result counting_describe(struct k42_object *object, char *text, size_t size) {
    const uint64_t *found = spsc_of((struct pipe *)(void *)object)->found;
    size_t used = (size_t)ring_describe(object, text, size);
    return (k42_result)(used + k42_format_text(text + used, size - used,
                                               "; found by quarters %lu %lu %lu %lu, full %lu",
                                               found[0], found[1], found[2], found[3], found[4]));
}

static const struct pipe_ops counting_ops = {
    RING_METHODS,
    .object.describe = counting_describe,
    SPSC_METHODS,
    .write = counting_write,
};

static const struct k42_transfer counting_transfers[] =
    BODY_TRANSFERS_WITH(ring_format, spsc_import);

K42_CLASS(pipe_spsc_2) = {
    .name = "pipe.spsc",
    .interface = &pipe_interface,
    .version = 2,
    .traits = "readers=one writers=one",
    .kind = &k42_single,
    .root_size = sizeof(struct spsc),
    .rep_offset = offsetof(struct spsc, object.rep),
    .init = body_init,
    .ops = &counting_ops,
    .fini = ring_fini,
    .transfers = counting_transfers,
};
