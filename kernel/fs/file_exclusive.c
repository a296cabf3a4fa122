/*
 * An open file with a page cache whose offset one thread moves: what nearly every open file is.
 *
 * The offset has an owner (owner.h), who uses it with plain loads and stores. A second thread that
 * moves it, having inherited the descriptor or sharing the table, turns the file into a shared one
 * and waits for that, at key 0. Everything that moves no offset is for anybody.
 *
 * Locking: none. Format: file.cached. Fails: -ENOMEM, when a second thread comes and nothing is
 * left to ask for the change with.
 */
#include "cached_file.h"

static k42_result take_slowly(struct cached *file) {
    struct owner_change change = {
        .ref = file->opened.self, .from = &file_exclusive, .to = &file_shared};
    return owner_take(&file->opened.owner, &change);
}

static inline k42_result take(struct cached *file) {
    return owner_is_self(&file->opened.owner) ? 0 : take_slowly(file);
}

static inline void leave(struct cached *file) {
    (void)file;
}

static k42_result exclusive_read(struct file *self, int64_t offset, struct copy *copy) {
    return cached_read_with(self, offset, copy, take, leave);
}

static k42_result exclusive_write(struct file *self, int64_t offset, struct copy *copy) {
    return cached_write_with(self, offset, copy, take, leave);
}

static k42_result exclusive_seek(struct file *self, int64_t offset, int whence) {
    return cached_seek_with(self, offset, whence, take, leave);
}

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct cached *file = (struct cached *)state->word[0];
    owner_passed_on(&file->opened.owner);
    return body_import(to, state, part);
}

static const struct file_ops exclusive_ops = {
    CACHED_METHODS,
    .read = exclusive_read,
    .write = exclusive_write,
    .seek = exclusive_seek,
};

static const struct k42_transfer exclusive_transfers[] = BODY_TRANSFERS_WITH(cached_format, import);

K42_CLASS(file_exclusive) = {
    .name = "file.exclusive",
    .interface = &file_interface,
    .version = 1,
    .traits = "bytes=cached offset=exclusive",
    BODY_LAYOUT,
    .ops = &exclusive_ops,
    .fini = opened_fini,
    .transfers = exclusive_transfers,
};
