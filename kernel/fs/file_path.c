/*
 * A file opened with O_PATH: names a place, and can do nothing.
 */
#include "open_file.h"

#include "values.h"

#include <errno.h>

static k42_result path_seek(struct file *self, int64_t offset, int whence) {
    (void)self, (void)offset, (void)whence;
    return -EBADF;
}

static k42_result path_list(struct file *self, struct node_listing *listing) {
    (void)self, (void)listing;
    return -EBADF;
}

static k42_result path_control(struct file *self, unsigned request, uintptr_t argument) {
    (void)self, (void)request, (void)argument;
    return -EBADF;
}

static k42_result path_map(struct file *self, struct file_map *map) {
    (void)self, (void)map;
    return -EBADF;
}

static k42_result path_sync(struct file *self, unsigned data) {
    (void)self, (void)data;
    return -EBADF;
}

static k42_result path_resize(struct file *self, uint64_t size) {
    (void)self, (void)size;
    return -EBADF;
}

static k42_result path_allocate(struct file *self, unsigned mode, uint64_t offset,
                                uint64_t length) {
    (void)self, (void)mode, (void)offset, (void)length;
    return -EBADF;
}

static k42_result path_poll(struct file *self, struct file_poll *poll) {
    (void)self;
    if (poll)
        *poll = (struct file_poll){0};
    return 32; /* POLLNVAL */
}

static const struct file_ops path_ops = {
    OPENED_METHODS,    .read = file_no_read,  .write = file_no_write,    .seek = path_seek,
    .list = path_list, .poll = path_poll,     .control = path_control,   .map = path_map,
    .sync = path_sync, .resize = path_resize, .allocate = path_allocate,
};

static const struct k42_format path_format = {"file.path", 1, 1};
static const struct k42_transfer path_transfers[] = BODY_TRANSFERS(path_format);

K42_CLASS(file_path) = {
    .name = "file.path",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &path_ops,
    .fini = opened_fini,
    .transfers = path_transfers,
};

struct k42_pair open_path(k42_ref node, unsigned flags) {
    return opened_make(&file_path, sizeof(struct opened), node,
                       flags & (OPEN_PATH | OPEN_DIRECTORY | OPEN_NO_FOLLOW), NULL, NULL);
}
