/*
 * A file with a page cache: its bytes are the FCM's, its times the node's.
 */
#include "open_file.h"

#include "../copy.h"
#include "../mem/fcm/fcm.h"
#include "../mem/space/space.h"
#include "values.h"

#include <errno.h>

struct cached {
    struct opened opened;
    fcm_ref fcm;
};

#define CACHED(self) ((struct cached *)BODY(self))

static k42_result cached_read(struct file *self, int64_t offset, struct copy *copy) {
    struct cached *file = CACHED(self);
    if (!open_reads(file->opened.flags))
        return -EBADF;
    bool current = offset == FILE_CURRENT;
    k42_result result = current ? offset_take(&file->opened) : 0;
    if (result < 0)
        return result;
    uint64_t at = (uint64_t)(current ? file->opened.offset : offset);
    result = k42_call(file->fcm, read, at, copy);
    if (current) {
        if (result > 0)
            file->opened.offset += result;
        offset_leave(&file->opened);
    }
    if (result >= 0 && !(file->opened.flags & OPEN_NO_ACCESSED))
        (void)k42_call(file->opened.node, touch, NODE_TOUCH_READ);
    return result;
}

static k42_result cached_write(struct file *self, int64_t offset, struct copy *copy) {
    struct cached *file = CACHED(self);
    if (!open_writes(file->opened.flags))
        return -EBADF;
    bool current = offset == FILE_CURRENT;
    k42_result result = current ? offset_take(&file->opened) : 0;
    if (result < 0)
        return result;
    uint64_t at = (uint64_t)(current ? file->opened.offset : offset);
    if (opened_flags(self) & OPEN_APPEND)
        at = FCM_APPEND;
    result = k42_call(file->fcm, write, at, copy, &at);
    if (current) {
        if (result > 0)
            file->opened.offset = (int64_t)at + result;
        offset_leave(&file->opened);
    }
    if (result > 0)
        (void)k42_call(file->opened.node, touch, NODE_TOUCH_WRITTEN);
    return result;
}

/* Where lseek leads to, from an offset; -EINVAL. */
static k42_result target_of(struct cached *file, int64_t offset, int whence) {
    int64_t base = 0;
    switch (whence) {
    case SEEK_TO_START:
        break;
    case SEEK_TO_CURRENT:
        base = file->opened.offset;
        break;
    case SEEK_TO_END:
        base = k42_call(file->fcm, size);
        break;
    case SEEK_TO_DATA:
    case SEEK_TO_HOLE:
        if (offset < 0)
            return -ENXIO;
        return k42_call(file->fcm, seek, (uint64_t)offset,
                        whence == SEEK_TO_DATA ? FCM_SEEK_DATA : FCM_SEEK_HOLE);
    default:
        return -EINVAL;
    }
    if (base < 0)
        return base;
    int64_t target;
    if (__builtin_add_overflow(base, offset, &target))
        return offset < 0 ? -EINVAL : -EOVERFLOW;
    return target < 0 ? -EINVAL : target;
}

static k42_result cached_seek(struct file *self, int64_t offset, int whence) {
    struct cached *file = CACHED(self);
    k42_result result = offset_take(&file->opened);
    if (result < 0)
        return result;
    result = target_of(file, offset, whence);
    if (result >= 0)
        file->opened.offset = result;
    offset_leave(&file->opened);
    return result;
}

static k42_result give(uintptr_t to, const void *what, size_t size) {
    struct copy copy = copy_of_user(to, size);
    k42_result result = copy_out(&copy, what, size);
    return result < 0 ? result : result < (k42_result)size ? -EFAULT : 0;
}

static k42_result give_number(uintptr_t to, int32_t number) {
    return give(to, &number, sizeof number);
}

/* Of a disk, whose file is as long as it, in sectors of 512 bytes. */
static k42_result disk_control(struct cached *file, unsigned request, uintptr_t argument) {
    enum {
        SECTORS = 0x1260,
        SECTOR_BYTES = 0x1268,
        PHYSICAL_SECTOR_BYTES = 0x127b,
        BLOCK_BYTES = (int)0x80081270,
        ALL_BYTES = (int)0x80081272,
    };
    struct node_attributes attributes;
    k42_result result = k42_call(file->opened.node, attributes, &attributes);
    if (result < 0 || (attributes.mode & MODE_TYPE) != MODE_BLOCK)
        return result < 0 ? result : -ENOTTY;
    uint64_t bytes = (uint64_t)k42_call(file->fcm, size), sectors = bytes / 512;
    switch ((int)request) {
    case SECTORS:
        return give(argument, &sectors, sizeof sectors);
    case ALL_BYTES:
        return give(argument, &bytes, sizeof bytes);
    case SECTOR_BYTES:
    case PHYSICAL_SECTOR_BYTES:
        return give_number(argument, 512);
    case BLOCK_BYTES:
        return give_number(argument, 4096);
    default:
        return -ENOTTY;
    }
}

static k42_result cached_control(struct file *self, unsigned request, uintptr_t argument) {
    enum { BYTES_LEFT = 0x541b };
    struct cached *file = CACHED(self);
    if (request != BYTES_LEFT)
        return disk_control(file, request, argument);
    return give_number(argument, (int32_t)(k42_call(file->fcm, size) - file->opened.offset));
}

static k42_result cached_map(struct file *self, struct file_map *map) {
    struct cached *file = CACHED(self);
    if (!open_reads(file->opened.flags))
        return -EACCES;
    *map = (struct file_map){.fcm = (k42_ref)file->fcm, .most = SPACE_READ | SPACE_EXECUTE};
    if (open_writes(file->opened.flags))
        map->most |= SPACE_WRITE;
    return 0;
}

static k42_result cached_sync(struct file *self, unsigned data) {
    (void)data;
    return k42_call(CACHED(self)->fcm, sync, 0, ~0ul, 1);
}

static k42_result cached_resize(struct file *self, uint64_t size) {
    struct cached *file = CACHED(self);
    if (!open_writes(file->opened.flags))
        return -EINVAL;
    k42_result result = k42_call(file->fcm, resize, size);
    if (result >= 0)
        (void)k42_call(file->opened.node, touch, NODE_TOUCH_WRITTEN);
    return result;
}

static k42_result make_hole(struct cached *file, unsigned mode, uint64_t offset, uint64_t length) {
    uint64_t size = (uint64_t)k42_call(file->fcm, size);
    k42_result result = 0;
    if (offset < size) /* beyond the end, too: the last page is no different from others */
        result = k42_call(file->fcm, punch, offset, length);
    if (result >= 0 && !(mode & ALLOCATE_KEEP_SIZE) && offset + length > size)
        result = k42_call(file->fcm, resize, offset + length);
    return result;
}

static k42_result cached_allocate(struct file *self, unsigned mode, uint64_t offset,
                                  uint64_t length) {
    struct cached *file = CACHED(self);
    if (!open_writes(file->opened.flags))
        return -EBADF;
    k42_result result = 0;
    switch (mode) {
    case 0:
        if (offset + length > (uint64_t)k42_call(file->fcm, size))
            result = k42_call(file->fcm, resize, offset + length);
        break;
    case ALLOCATE_KEEP_SIZE:
        break;
    case ALLOCATE_PUNCH | ALLOCATE_KEEP_SIZE:
    case ALLOCATE_ZERO:
    case ALLOCATE_ZERO | ALLOCATE_KEEP_SIZE:
        result = make_hole(file, mode, offset, length);
        break;
    default:
        return -EOPNOTSUPP;
    }
    if (result >= 0)
        (void)k42_call(file->opened.node, touch, NODE_TOUCH_WRITTEN);
    return result;
}

static const struct file_ops cached_ops = {
    OPENED_METHODS,       .read = cached_read,     .write = cached_write,       .seek = cached_seek,
    .list = file_no_list, .poll = file_ready,      .control = cached_control,   .map = cached_map,
    .sync = cached_sync,  .resize = cached_resize, .allocate = cached_allocate,
};

static const struct k42_format cached_format = {"file.cached", 1, 1};
static const struct k42_transfer cached_transfers[] = BODY_TRANSFERS(cached_format);

K42_CLASS(file_cached) = {
    .name = "file.cached",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &cached_ops,
    .fini = opened_fini,
    .transfers = cached_transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct cached, opened)->fcm = (fcm_ref)(k42_ref)(uintptr_t)context;
    return 0;
}

struct k42_pair open_cached(k42_ref node, k42_ref fcm, unsigned flags) {
    return opened_make(&file_cached, sizeof(struct cached), node, flags, set_up,
                       (void *)(uintptr_t)fcm);
}
