/*
 * FR, zero: nothing behind the pages. They begin as zeros; what is written back is accepted and
 * gone, as /dev/zero's pages are.
 *
 * Owns nothing; no locks; cannot fail. Formats: the canonical one, which says nothing.
 */
#include "fr_zero.h"

#include "runtime.h"

struct zero {
    struct k42_root root;
    struct fr rep;
};

static k42_result fill(struct fr *self, const struct fr_page *page) {
    (void)self, (void)page;
    return FR_ZERO;
}

static k42_result write(struct fr *self, const struct fr_page *page) {
    (void)self, (void)page;
    return 0;
}

static k42_result resize(struct fr *self, uint64_t size) {
    (void)self, (void)size;
    return 0;
}

static k42_result punch(struct fr *self, uint64_t first, uint64_t pages) {
    (void)self, (void)first, (void)pages;
    return 0;
}

static k42_result flush(struct fr *self) {
    (void)self;
    return 0;
}

static k42_result fill_run(struct fr *self, const struct fr_run *run) {
    (void)self, (void)run;
    return -ENOTSUP;
}

static k42_result describe(struct k42_object *self, char *text, size_t size) {
    (void)self;
    return (k42_result)k42_format_text(text, size, "zeros");
}

static k42_result carry(struct k42_root *root, struct k42_state *state, unsigned part) {
    (void)root, (void)state, (void)part;
    return 0;
}

/* What an FR has behind it differs from class to class, so there is a format for each kind. */
static const struct k42_format zero_format = {.name = "fr.zero", .version = 1, .cost = 1};

static const struct k42_transfer zero_transfers[] = {
    {.format = &zero_format, .export_state = carry, .import_state = carry},
    {.format = NULL},
};

static const struct fr_ops zero_ops = {
    .object.describe = describe,
    .fill = fill,
    .write = write,
    .resize = resize,
    .punch = punch,
    .flush = flush,
    .fill_run = fill_run,
};

K42_CLASS(fr_zero) = {
    .name = "fr.zero",
    .interface = &fr_interface,
    .version = 1,
    .traits = "behind=nothing",
    .kind = &k42_single,
    .root_size = sizeof(struct zero),
    .rep_offset = offsetof(struct zero, rep),
    .ops = &zero_ops,
    .transfers = zero_transfers,
};
