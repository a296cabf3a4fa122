/*
 * Opening what is to be executed.
 *
 * It must be a regular file with an x that counts for the caller, on a file system that may have
 * programs, and that nobody has open for writing. The file is held by the image, which claims to
 * run it; mappings hold it once more. What becomes the task's executable keeps hold and claim, an
 * interpreter of scripts or of shared libraries loses them when the program is in memory.
 */
#include "image.h"

#include "../../copy.h"
#include "../../fs/notify.h"
#include "../../fs/values.h"
#include "../../sched/wait.h"
#include "../abi.h"
#include "../files/files.h"
#include "../files/leases.h"
#include "../landlock/landlock.h"
#include "../process/lives.h"

#include <k42/k42.h>

static void ignore(k42_result result) {
    (void)result;
}

static k42_result may_execute(const struct node_attributes *attributes) {
    if ((attributes->mode & MODE_TYPE) == MODE_LINK)
        return -ELOOP; /* which was not to be followed */
    if ((attributes->mode & MODE_TYPE) != MODE_REGULAR ||
        (attributes->mount_flags & NODE_NO_EXECUTE) || !(attributes->mode & 0111))
        return -EACCES;
    return node_allows(attributes, task_self()->credentials, NODE_EXECUTE);
}

static k42_result open_now(struct image_file *file, int directory, const char *text,
                           unsigned flags) {
    int how = (flags & PATH_FOLLOW ? 0 : AT_NO_FOLLOW) | (flags & PATH_EMPTY ? AT_EMPTY : 0);
    struct place place;
    node_ref above;
    k42_result result = files_found(directory, text, how, &place, &above);
    if (result >= 0)
        result = k42_call(place.node, attributes, &file->attributes);
    if (result >= 0 && place.mount)
        file->attributes.mount_flags |= __atomic_load_n(&place.mount->flags, __ATOMIC_RELAXED);
    if (result >= 0)
        result = may_execute(&file->attributes);
    if (result >= 0)
        result =
            landlock_may(&place, above, LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE);
    if (result < 0)
        return result;
    struct k42_pair opened = k42_call(place.node, open, O_RDONLY);
    if (opened.result < 0)
        return opened.result;
    file_ref ref = (file_ref)opened.word;
    if (place.mount) /* what is in memory has none */
        result = k42_call(ref, set_place, &place);
    if (result >= 0)
        result = leases_break(k42_id_of(place.node), OPEN_READ_ONLY);
    if (result >= 0)
        result = k42_call(place.node, claim, NODE_RUN);
    if (result < 0)
        ignore(k42_call(ref, release));
    else
        file->file = ref;
    return result;
}

/* Who has ended may have had it mapped for writing: a linker, and then somebody runs what it made.
 */
static k42_result open_settled(struct image_file *file, int directory, const char *path,
                               unsigned flags) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, open_now(file, directory, path, flags));
    if (result != -ETXTBSY)
        return result;
    files_wait_for_ended();
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, open_now(file, directory, path, flags));
    return result;
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
    executable_release((k42_ref)file->file);
    file->file = (file_ref)K42_NULL_REF;
}

k42_result image_open(struct image_file *file, int directory, const char *path, unsigned flags) {
    file->file = (file_ref)K42_NULL_REF;
    k42_result result = open_settled(file, directory, path, flags);
    if (result >= 0) {
        notify_file_if_any(file->file, NOTIFY_OPENED);
        result = read_head(file);
    }
    if (result < 0)
        image_close(file);
    return result == -K42_STALE ? -ENOENT : result;
}
