/*
 * The body of pipes: their ends, and a ring of pages.
 *
 * The ring has twice as many slots as pages may be in use, so the pages of the first and the last
 * byte never share one. A page whose bytes were all read leaves its slot before the position says
 * so. One page is kept for the next writer. Whole pages are passed instead of copied to and from
 * cursors that exchange pages: from pipe to pipe, and from files to pipes (copy_exchange()).
 *
 * Formats: pipe.ring, by pointer; pipe.pages, the canonical one (ends.h).
 */
#ifndef KERNEL_PIPE_RING_H
#define KERNEL_PIPE_RING_H

#include "ends.h"

struct ring {
    struct ends ends;
    char **slots;
    char *spare;
};

extern const struct k42_format ring_format;

pipe_get_fn ring_get;
pipe_put_fn ring_put;
pipe_resize_fn ring_resize;

/* `args` is how many bytes it holds, a uint64_t. */
k42_result ring_init(struct k42_root *root, const void *args);
void ring_fini(struct k42_root *root);

/* ---- methods of a pipe whose ends have owners (pipe_spsc.c), for versions that keep the ring ----
 */

k42_result spsc_read(struct pipe *self, struct copy *copy);
k42_result spsc_peek(struct pipe *self, struct copy *copy);
k42_result spsc_write(struct pipe *self, struct copy *copy);
k42_result spsc_set_capacity(struct pipe *self, uint64_t bytes);
k42_result spsc_import(struct k42_root *to, struct k42_state *state, unsigned part);

#define SPSC_METHODS                                                                               \
    .read = spsc_read, .peek = spsc_peek, .write = spsc_write, .set_capacity = spsc_set_capacity

/* ---- state ---- */

k42_result ring_prepare(struct k42_root *to, struct k42_state *state);
k42_result ring_export_pages(struct k42_root *from, struct k42_state *state, unsigned part);
k42_result ring_import_pages(struct k42_root *to, struct k42_state *state, unsigned part);
void ring_pages_given(struct k42_root *from, struct k42_state *state);

/* The transfers of a class, with imports that end with body_import() and ring_import_pages(). */
#define RING_TRANSFERS(import_, import_pages_)                                                     \
    {                                                                                              \
        {.format = &ring_format,                                                                   \
         .export_state = body_export,                                                              \
         .import_state = (import_),                                                                \
         .handed_over = body_handed_over},                                                         \
            {.format = &pipe_pages_format,                                                         \
             .measure = ends_measure,                                                              \
             .prepare = ring_prepare,                                                              \
             .export_state = ring_export_pages,                                                    \
             .import_state = (import_pages_),                                                      \
             .handed_over = ring_pages_given},                                                     \
            {0},                                                                                   \
    }

#endif
