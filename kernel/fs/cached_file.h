/*
 * Open files with a page cache: their bytes are the FCM's, their times the node's.
 *
 *   file_exclusive.c   the offset is one thread's: it is moved without any lock
 *   file_shared.c      several threads move it, one at a time
 *   file_cached.c      everything else, which is the same in both
 *
 * A file begins exclusive, becomes shared when a second thread moves its offset (owner.h), and
 * exclusive again after one thread has moved it often enough without another. Reads and writes at
 * a place of their own are the same in both.
 *
 * Format: file.cached, the body by pointer.
 */
#ifndef KERNEL_FS_CACHED_FILE_H
#define KERNEL_FS_CACHED_FILE_H

#include "open_file.h"

#include "../copy.h"
#include "../mem/fcm/fcm.h"
#include "values.h"

#include <errno.h>

struct cached {
    struct opened opened;
    fcm_ref fcm;
    struct owner_history history; /* of the one who has `moving` */
};

#define CACHED(self) ((struct cached *)BODY(self))

extern const struct k42_format cached_format;
extern struct k42_class file_exclusive, file_shared;

/* Where lseek leads to, from an offset; -EINVAL. */
K42_MUST_CHECK
k42_result cached_target(const struct cached *file, int64_t offset, int whence);

k42_result cached_control(struct file *self, unsigned request, uintptr_t argument);
k42_result cached_map(struct file *self, struct file_map *map);
k42_result cached_sync(struct file *self, unsigned data);
k42_result cached_resize(struct file *self, uint64_t size);
k42_result cached_allocate(struct file *self, unsigned mode, uint64_t offset, uint64_t length);

#define CACHED_METHODS                                                                             \
    OPENED_METHODS, .list = file_no_list, .poll = file_ready, .control = cached_control,           \
                    .map = cached_map, .sync = cached_sync, .resize = cached_resize,               \
                    .allocate = cached_allocate

/*
 * The methods that move the offset, with how a class gets it and gives it back, which are inlined:
 * take() says 0, or why not.
 */
#define CACHED_INLINE static inline __attribute__((always_inline)) k42_result

CACHED_INLINE cached_read_with(struct file *self, int64_t offset, struct copy *copy,
                               k42_result (*take)(struct cached *),
                               void (*leave)(struct cached *)) {
    struct cached *file = CACHED(self);
    if (!open_reads(file->opened.flags))
        return -EBADF;
    bool current = offset == FILE_CURRENT;
    k42_result result = current ? take(file) : 0;
    if (result < 0)
        return result;
    uint64_t at = (uint64_t)(current ? file->opened.offset : offset);
    result = k42_call(file->fcm, read, at, copy);
    if (current) {
        if (result > 0)
            file->opened.offset += result;
        leave(file);
    }
    if (result >= 0 && !(file->opened.flags & OPEN_NO_ACCESSED))
        (void)k42_call(file->opened.node, touch, NODE_TOUCH_READ);
    return result;
}

CACHED_INLINE cached_write_with(struct file *self, int64_t offset, struct copy *copy,
                                k42_result (*take)(struct cached *),
                                void (*leave)(struct cached *)) {
    struct cached *file = CACHED(self);
    if (!open_writes(file->opened.flags))
        return -EBADF;
    bool current = offset == FILE_CURRENT || offset == FILE_TO_END;
    k42_result result = current ? take(file) : 0;
    if (result < 0)
        return result;
    uint64_t at = (uint64_t)(current ? file->opened.offset : offset);
    if (offset < FILE_CURRENT || (opened_flags(self) & OPEN_APPEND))
        at = FCM_APPEND;
    result = k42_call(file->fcm, write, at, copy, &at);
    if (current) {
        if (result > 0)
            file->opened.offset = (int64_t)at + result;
        leave(file);
    }
    if (result > 0)
        (void)k42_call(file->opened.node, touch, NODE_TOUCH_WRITTEN);
    return result;
}

CACHED_INLINE cached_seek_with(struct file *self, int64_t offset, int whence,
                               k42_result (*take)(struct cached *),
                               void (*leave)(struct cached *)) {
    struct cached *file = CACHED(self);
    k42_result result = take(file);
    if (result < 0)
        return result;
    result = cached_target(file, offset, whence);
    if (result >= 0)
        file->opened.offset = result;
    leave(file);
    return result;
}

#endif
