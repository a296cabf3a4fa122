/*
 * What open files with a page cache have in common, whoever moves their offset: see cached_file.h.
 */
#include "cached_file.h"

#include "../mem/space/space.h"

#include <errno.h>

/* Where lseek leads to, from an offset; -EINVAL. */
k42_result cached_target(const struct cached *file, int64_t offset, int whence) {
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
        return -EINVAL;
    return target < 0 ? -EINVAL : target;
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

/* What can be run and is never to be changed in that is, as on Linux, never changed at all. Nothing
 * more is nothing new, but refused like anything else. */
static k42_result add_seals(struct cached *file, uintptr_t seals) {
    enum { SEALED = FCM_SEAL_SHRINK | FCM_SEAL_GROW | FCM_SEALED_WRITING };
    struct node_attributes attributes = {.mode = 0};
    if (!open_writes(file->opened.flags))
        return -EPERM;
    if (seals & ~(uintptr_t)FCM_SEALS)
        return -EINVAL;
    k42_result result = k42_call(file->fcm, seal, 0u);
    if (result >= 0 && seals & FCM_SEAL_EXECUTE)
        result = k42_call(file->opened.node, attributes, &attributes);
    if (result >= 0 && attributes.mode & MODE_EXECUTES)
        seals |= SEALED;
    if (result >= 0)
        result = k42_call(file->fcm, seal, (unsigned)seals);
    return !seals && result >= 0 && result & FCM_SEAL_SEAL ? -EPERM : result < 0 ? result : 0;
}

k42_result cached_control(struct file *self, unsigned request, uintptr_t argument) {
    enum { BYTES_LEFT = 0x541b };
    struct cached *file = CACHED(self);
    switch (request) {
    case BYTES_LEFT:
        return give_number(argument, (int32_t)(k42_call(file->fcm, size) - file->opened.offset));
    case FILE_SEALS:
        return k42_call(file->fcm, seal, 0u);
    case FILE_ADD_SEALS:
        return add_seals(file, argument);
    default:
        return disk_control(file, request, argument);
    }
}

k42_result cached_map(struct file *self, struct file_map *map) {
    struct cached *file = CACHED(self);
    if (!open_reads(file->opened.flags))
        return -EACCES;
    *map = (struct file_map){.fcm = (k42_ref)file->fcm, .most = SPACE_READ | SPACE_EXECUTE};
    if (open_writes(file->opened.flags))
        map->most |= SPACE_WRITE;
    return 0;
}

k42_result cached_sync(struct file *self, unsigned data) {
    (void)data;
    return k42_call(CACHED(self)->fcm, sync, 0, ~0ul, 1);
}

k42_result cached_resize(struct file *self, uint64_t size) {
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

/* Before the file grows: it stays as it was when there is no room. */
static k42_result keep_room(struct cached *file, unsigned mode, uint64_t offset, uint64_t length) {
    enum { PAGE = 4096 };
    uint64_t first = offset / PAGE, end = (offset + length + PAGE - 1) / PAGE;
    k42_result seals = k42_call(file->fcm, seal, 0u), result;
    bool grows = offset + length > (uint64_t)k42_call(file->fcm, size);
    if (grows && seals >= 0 && seals & FCM_SEAL_GROW) /* whether its size says so or not */
        return -EPERM;
    result = k42_call(file->fcm, advise, first, end - first, FCM_NEEDED);
    if (result == -ENOTSUP)
        result = -EOPNOTSUPP;
    if (result >= 0 && !mode && offset + length > (uint64_t)k42_call(file->fcm, size))
        result = k42_call(file->fcm, resize, offset + length);
    return result;
}

k42_result cached_allocate(struct file *self, unsigned mode, uint64_t offset, uint64_t length) {
    struct cached *file = CACHED(self);
    if (!open_writes(file->opened.flags))
        return -EBADF;
    k42_result result = 0;
    switch (mode) {
    case 0:
    case ALLOCATE_KEEP_SIZE:
        result = keep_room(file, mode, offset, length);
        break;
    case ALLOCATE_PUNCH | ALLOCATE_KEEP_SIZE:
    case ALLOCATE_ZERO:
    case ALLOCATE_ZERO | ALLOCATE_KEEP_SIZE:
        result = make_hole(file, mode, offset, length);
        if (result >= 0 && mode & ALLOCATE_ZERO)
            result = keep_room(file, mode, offset, length);
        break;
    default:
        return -EOPNOTSUPP;
    }
    if (result >= 0)
        (void)k42_call(file->opened.node, touch, NODE_TOUCH_WRITTEN);
    return result;
}

const struct k42_format cached_format = {"file.cached", 1, 1};

/* ---- opening ---- */

struct opening {
    fcm_ref fcm;
    bool claims;
};

static unsigned claim_of(unsigned flags) {
    return open_writes(flags) ? NODE_WRITTEN_TO : NODE_ONLY_READ;
}

static void end_claim(struct opened *opened) {
    (void)!k42_call(opened->node, unclaim, claim_of(opened->flags));
}

static k42_result set_up(struct opened *opened, void *context) {
    const struct opening *opening = context;
    k42_container(opened, struct cached, opened)->fcm = opening->fcm;
    opened->ended = opening->claims ? end_claim : NULL;
    return 0;
}

/* With an access of 3 it is neither. */
struct k42_pair open_cached(k42_ref node, k42_ref fcm, unsigned flags) {
    struct opening opening = {.fcm = (fcm_ref)fcm,
                              .claims = node != K42_NULL_REF &&
                                        (open_writes(flags) || open_reads(flags)) &&
                                        !(flags & OPEN_UNCLAIMED)};
    k42_result result = opening.claims ? k42_call((node_ref)node, claim, claim_of(flags)) : 0;
    if (result < 0)
        return (struct k42_pair){.result = result};
    struct k42_pair file =
        opened_make(&file_exclusive, sizeof(struct cached), node, flags, set_up, &opening);
    if (file.result < 0 && opening.claims)
        (void)!k42_call((node_ref)node, unclaim, claim_of(flags));
    return file;
}
