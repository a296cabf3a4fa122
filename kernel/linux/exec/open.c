/*
 * Opening what is to be executed.
 *
 * It must be a regular file with an x that counts for the caller, on a file system that may have
 * programs. The file is held by the image; mappings hold it once more.
 */
#include "image.h"

#include "../../copy.h"
#include "../../fs/notify.h"
#include "../../fs/values.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../process/lives.h"

#include <k42/k42.h>

#define MODE_TYPE    0170000u
#define MODE_REGULAR 0100000u

static k42_result may_execute(const struct node_attributes *attributes) {
    if ((attributes->mode & MODE_TYPE) == MODE_LINK)
        return -ELOOP; /* which was not to be followed */
    if ((attributes->mode & MODE_TYPE) != MODE_REGULAR ||
        (attributes->mount_flags & NODE_NO_EXECUTE) || !(attributes->mode & 0111))
        return -EACCES;
    return node_allows(attributes, task_self()->credentials, NODE_EXECUTE);
}

/* Where relative paths begin: the working directory or an open directory. */
static k42_result start_of(struct path *path, int directory, const char *text) {
    struct task *task = task_self();
    path->context = task->paths;
    path->who = task->credentials;
    if (text[0] == '/' || directory == AT_FDCWD)
        return 0;
    struct k42_pair file = k42_call(task->descriptors, get, directory);
    if (file.result < 0)
        return file.result;
    struct k42_pair place = k42_call((file_ref)file.word, place);
    if (place.result < 0 || !place.word)
        return -ENOTDIR;
    path->start = *(const struct place *)place.word;
    return 0;
}

static k42_result open_now(struct image_file *file, int directory, const char *text,
                           unsigned flags) {
    struct path path = {.flags = flags};
    k42_result result = start_of(&path, directory, text);
    if (result >= 0)
        result = path_walk(&path, text);
    if (result >= 0)
        result = k42_call(path.found.node, attributes, &file->attributes);
    if (result >= 0)
        result = may_execute(&file->attributes);
    if (result < 0)
        return result;
    struct k42_pair opened = k42_call(path.found.node, open, O_RDONLY);
    if (opened.result < 0)
        return opened.result;
    file->file = (file_ref)opened.word;
    return k42_call(file->file, set_place, &path.found);
}

static k42_result read_some(const struct image_file *file, uint64_t offset, void *to, size_t size) {
    struct copy copy = copy_of_kernel(to, size);
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE,
              k42_call(file->file, read, (int64_t)offset, &copy));
    if (result > 0)
        notify_file_if_any(file->file, NOTIFY_READ);
    return result;
}

k42_result image_read(const struct image_file *file, uint64_t offset, void *to, size_t size) {
    char *at = to;
    if (offset > INT64_MAX - size)
        return -EINVAL;
    while (size) {
        k42_result result = read_some(file, offset, at, size);
        if (result <= 0)
            return result < 0 ? result : -EIO;
        at += result;
        offset += (uint64_t)result;
        size -= (size_t)result;
    }
    return 0;
}

static k42_result read_head(struct image_file *file) {
    file->head_size = 0;
    while (file->head_size < IMAGE_HEAD) {
        k42_result result = read_some(file, file->head_size, file->head + file->head_size,
                                      IMAGE_HEAD - file->head_size);
        if (result < 0)
            return result;
        if (!result)
            break;
        file->head_size += (uint32_t)result;
    }
    return 0;
}

void image_close(struct image_file *file) {
    if (!k42_id_of(file->file))
        return;
    k42_result released = k42_call(file->file, release);
    (void)released;
    file->file = (file_ref)K42_NULL_REF;
}

k42_result image_open(struct image_file *file, int directory, const char *path, unsigned flags) {
    k42_result result;
    file->file = (file_ref)K42_NULL_REF;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, open_now(file, directory, path, flags));
    if (result >= 0) {
        notify_file_if_any(file->file, NOTIFY_OPENED);
        result = read_head(file);
    }
    if (result < 0)
        image_close(file);
    return result == -K42_STALE ? -ENOENT : result;
}
