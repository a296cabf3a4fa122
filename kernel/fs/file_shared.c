/*
 * An open file with a page cache whose offset several threads move: one at a time.
 *
 * The offset is taken with `moving` (open_file.h) for as long as the call lasts, so reads and
 * writes of one file are carried out one after the other. The owner is who came last, for the
 * file's way back: after that one has come often enough, the file is made an exclusive one, with
 * him as its owner.
 *
 * Locking: `moving`, across the calls of the page cache; who finds it taken waits at key 0.
 * Format: file.cached. Cannot fail.
 */
#include "cached_file.h"

static inline k42_result take(struct cached *file) {
    return offset_take(&file->opened);
}

/* Without memory to ask with it stays what it is, and asks again later. */
static inline void leave(struct cached *file) {
    bool alone = owner_is_alone(&file->opened.owner, &file->history);
    offset_leave(&file->opened);
    if (__builtin_expect(alone, 0))
        (void)!change_class(file->opened.self, &file_shared, &file_exclusive, 0);
}

static k42_result shared_read(struct file *self, int64_t offset, struct copy *copy) {
    return cached_read_with(self, offset, copy, take, leave);
}

static k42_result shared_write(struct file *self, int64_t offset, struct copy *copy) {
    return cached_write_with(self, offset, copy, take, leave);
}

static k42_result shared_seek(struct file *self, int64_t offset, int whence) {
    return cached_seek_with(self, offset, whence, take, leave);
}

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct cached *file = (struct cached *)state->word[0];
    owner_passed_on(&file->opened.owner);
    owner_history_begin(&file->history, same_class(k42_root_class(state->from), &file_exclusive));
    return body_import(to, state, part);
}

static const struct file_ops shared_ops = {
    CACHED_METHODS,
    .read = shared_read,
    .write = shared_write,
    .seek = shared_seek,
};

static const struct k42_transfer shared_transfers[] = BODY_TRANSFERS_WITH(cached_format, import);

K42_CLASS(file_shared) = {
    .name = "file.shared",
    .interface = &file_interface,
    .version = 1,
    .traits = "bytes=cached offset=shared",
    BODY_LAYOUT,
    .ops = &shared_ops,
    .fini = opened_fini,
    .transfers = shared_transfers,
};
