/*
 * What a node or a file answers that cannot do what it is asked: Linux's errors. No state, but for
 * the numbers of devices, which are only counted up.
 */
#include "open_file.h"
#include "values.h"

#include <errno.h>

#define PAIR(error) ((struct k42_pair){.result = (error)})

struct k42_pair node_no_lookup(struct node *self, const struct node_name *name,
                               const struct credentials *who) {
    (void)self, (void)name, (void)who;
    return PAIR(-ENOTDIR);
}

struct k42_pair node_no_create(struct node *self, const struct node_new *what) {
    (void)self, (void)what;
    return PAIR(-ENOTDIR);
}

k42_result node_no_link(struct node *self, const struct node_name *name, k42_ref node) {
    (void)self, (void)name, (void)node;
    return -ENOTDIR;
}

k42_result node_no_unlink(struct node *self, const struct node_name *name, unsigned directory,
                          const struct credentials *who) {
    (void)self, (void)name, (void)directory, (void)who;
    return -ENOTDIR;
}

k42_result node_no_rename(struct node *self, const struct node_name *name, k42_ref to,
                          const struct node_name *new_name, unsigned flags,
                          const struct credentials *who) {
    (void)self, (void)name, (void)to, (void)new_name, (void)flags, (void)who;
    return -ENOTDIR;
}

k42_result node_no_target(struct node *self, char *text, size_t size) {
    (void)self, (void)text, (void)size;
    return -EINVAL;
}

k42_result node_no_list(struct node *self, uint64_t cursor, struct node_listing *listing) {
    (void)self, (void)cursor, (void)listing;
    return -ENOTDIR;
}

struct k42_pair node_no_cache(struct node *self) {
    (void)self;
    return PAIR(-ENODEV);
}

k42_result node_no_touch(struct node *self, unsigned how) {
    (void)self, (void)how;
    return 0;
}

k42_result node_no_jump(struct node *self, struct place *place) {
    (void)self, (void)place;
    return -EINVAL;
}

k42_result node_no_get_extended(struct node *self, const struct node_name *name, char *value,
                                size_t size) {
    (void)self, (void)name, (void)value, (void)size;
    return name ? -ENOTSUP : 0;
}

k42_result node_no_set_extended(struct node *self, const struct node_name *name, const char *value,
                                size_t size, unsigned flags) {
    (void)self, (void)name, (void)value, (void)size, (void)flags;
    return -ENOTSUP;
}

struct k42_pair node_no_by_number(struct node *self, uint64_t number) {
    (void)self, (void)number;
    return (struct k42_pair){.result = -EOPNOTSUPP};
}

k42_result node_no_claim(struct node *self, unsigned claim) {
    (void)self, (void)claim;
    return 0;
}

k42_result node_no_claims(struct node *self, struct node_claims *claims) {
    (void)self, (void)claims;
    return -EINVAL;
}

uint64_t node_new_device(void) {
    static uint64_t last = 20;
    uint64_t minor = __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
    return (minor & 0xff) | (minor & ~0xfful) << 12;
}

/* ---- files ---- */

k42_result file_no_read(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EBADF;
}

k42_result file_no_write(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EBADF;
}

k42_result file_is_directory(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)offset, (void)copy;
    return -EISDIR;
}

k42_result file_no_seek(struct file *self, int64_t offset, int whence) {
    (void)self, (void)offset, (void)whence;
    return -ESPIPE;
}

k42_result file_no_list(struct file *self, struct node_listing *listing) {
    (void)self, (void)listing;
    return -ENOTDIR;
}

k42_result file_no_control(struct file *self, unsigned request, uintptr_t argument) {
    (void)self, (void)request, (void)argument;
    return -ENOTTY;
}

k42_result file_no_map(struct file *self, struct file_map *map) {
    (void)self, (void)map;
    return -ENODEV;
}

k42_result file_no_sync(struct file *self, unsigned data) {
    (void)self, (void)data;
    return -EINVAL;
}

k42_result file_synced(struct file *self, unsigned data) {
    (void)self, (void)data;
    return 0;
}

k42_result file_no_resize(struct file *self, uint64_t size) {
    (void)self, (void)size;
    return -EINVAL;
}

k42_result file_no_allocate(struct file *self, unsigned mode, uint64_t offset, uint64_t length) {
    (void)self, (void)mode, (void)offset, (void)length;
    return -ENODEV;
}

k42_result file_no_seek_allocate(struct file *self, unsigned mode, uint64_t offset,
                                 uint64_t length) {
    (void)self, (void)mode, (void)offset, (void)length;
    return -ESPIPE;
}

k42_result file_settled(struct file *self) {
    (void)self;
    return 0;
}

k42_result file_ready(struct file *self, struct file_poll *poll) {
    (void)self;
    if (poll)
        *poll = (struct file_poll){0};
    return FILE_READABLE | FILE_WRITABLE;
}
