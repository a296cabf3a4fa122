/*
 * Calls about when data is where: fsync and its like.
 */
#include "files.h"

static k42_result sync_file(int fd, unsigned data) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, hold);
    if (result < 0)
        return linux_result(result, -EBADF);
    WAIT_CALL(result, WAIT_FOREVER, 0, k42_call(file, sync, data));
    (void)!k42_call(file, release);
    return linux_result(result, -EBADF);
}

LINUX_CALL(74, fsync, int fd) {
    return sync_file(fd, 0);
}

LINUX_CALL(75, fdatasync, int fd) {
    return sync_file(fd, 1);
}

k42_result files_check_data(int fd) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, flags);
    if (result < 0 || (result & OPEN_PATH))
        return -EBADF;
    result = files_seek(file, 0, SEEK_TO_CURRENT);
    return result == -ESPIPE ? -ESPIPE : 0;
}

LINUX_CALL(277, sync_file_range, int fd, int64_t offset, int64_t length, unsigned flags) {
    k42_result result = files_check_data(fd);
    if (result < 0)
        return result;
    if ((flags & ~7u) || offset < 0 || length < 0 || offset > INT64_MAX - length)
        return -EINVAL;
    return sync_file(fd, 1);
}

/* Opens the root of the first mount behind `after`, whose number becomes *id; 0: there is none. */
static k42_result open_next(uint32_t after, uint32_t *id, file_ref *file) {
    struct mount *mount = mount_next(after);
    *id = mount ? mount->id : 0;
    if (!mount)
        return -ENOENT;
    struct k42_pair opened = k42_call(mount->root, open, OPEN_READ_ONLY);
    *file = (file_ref)opened.word;
    return opened.result;
}

/* Every mounted file system is asked through its root, which may itself have to ask somebody. */
LINUX_CALL(162, sync, void) {
    for (uint32_t after = 0, id;; after = id) {
        file_ref file;
        k42_result result;
        WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, open_next(after, &id, &file));
        if (!id)
            return 0;
        if (result < 0)
            continue;
        WAIT_CALL(result, WAIT_FOREVER, WAIT_UNINTERRUPTIBLE, k42_call(file, sync, 0));
        (void)!k42_call(file, release);
    }
}

LINUX_CALL(306, syncfs, int fd) {
    file_ref file;
    k42_result result = files_get(fd, &file);
    if (result >= 0)
        result = k42_call(file, flags);
    return result < 0 || (result & OPEN_PATH) ? -EBADF : 0;
}
