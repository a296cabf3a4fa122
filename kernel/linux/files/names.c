/*
 * Calls that make, remove and read names. Those on two paths are in two_paths.c.
 *
 * Each finds its parents and changes them in one attempt; what must wait is made anew as a whole,
 * which a file system recognises by the number of the request.
 */
#include "../landlock/landlock.h"
#include "files.h"

#include "runtime.h"

#include <string.h>

/* ---- making: mkdir, mknod, symlink ---- */

struct making {
    int directory;
    struct files_text path;
    uint32_t mode;
    uint64_t special;
    const char *target;
    node_ref made;
};

uint32_t files_mode_in(const struct path *path, uint32_t mode) {
    struct node_attributes folder;
    uint32_t type = mode & MODE_TYPE, runs_as_group = MODE_SET_GID | MODE_GROUP_EXECUTE;
    if (type == MODE_LINK)
        return mode;
    /* Nobody makes a program that runs as a group he is not in by a folder that gives files its. */
    if (type != MODE_DIRECTORY && (mode & runs_as_group) == runs_as_group &&
        k42_call(path->found.node, attributes, &folder) >= 0 && (folder.mode & MODE_SET_GID) &&
        !credentials_in_group(path->who, folder.gid) && !files_may(CAPABILITY_KEEP_SET_ID))
        mode &= ~(uint32_t)MODE_SET_GID;
    return mode & ~path->context->mask;
}

static k42_result make_in(struct making *making, const struct path *path) {
    k42_result result = files_can_make(path, (making->mode & MODE_TYPE) == MODE_DIRECTORY);
    if (result < 0)
        return result;
    struct k42_pair there = k42_call(path->found.node, lookup, &path->last, path->who);
    if (there.result >= 0)
        return -EEXIST;
    result = there.result == -ENOENT ? files_may_change(path) : there.result;
    if (result >= 0)
        result = landlock_may(&path->found, (node_ref)K42_NULL_REF,
                              landlock_right_to_make(making->mode));
    if (result < 0)
        return result;
    struct node_new what = {
        .name = path->last,
        .mode = files_mode_in(path, making->mode),
        .uid = path->who->fsuid,
        .gid = path->who->fsgid,
        .special = making->special,
        .target = making->target,
    };
    struct k42_pair made = k42_call(path->found.node, create, &what);
    making->made = (node_ref)made.word;
    bool is_directory = (what.mode & MODE_TYPE) == MODE_DIRECTORY;
    if (made.result >= 0 && notify_any())
        notify_name(path->found.node, &what.name,
                    NOTIFY_MADE | (is_directory ? NOTIFY_DIRECTORY : 0u), 0);
    return made.result;
}

static k42_result make_now(struct making *making) {
    struct path path;
    k42_result result = files_walk(&path, making->directory, making->path.at, PATH_PARENT);
    if (result >= 0)
        result = make_in(making, &path);
    path_end(&path);
    return result < 0 ? result : 0;
}

static k42_result make(struct making *making, uintptr_t path) {
    k42_result result = files_text_get(&making->path, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, make_now(making));
    files_text_end(&making->path);
    return result;
}

k42_result files_make_node(char *path, uint32_t mode, node_ref *node) {
    struct making making = {.directory = AT_WORKING, .path = {.at = path}, .mode = mode};
    k42_result result;
    FILES_CALL(result, make_now(&making));
    *node = making.made;
    return result;
}

static k42_result make_directory(int directory, uintptr_t path, uint32_t mode) {
    struct making making = {.directory = directory,
                            .mode = MODE_DIRECTORY | (mode & (0777 | MODE_STICKY))};
    return make(&making, path);
}

LINUX_CALL(83, mkdir, uintptr_t path, uint32_t mode) {
    return make_directory(AT_WORKING, path, mode);
}

LINUX_CALL(258, mkdirat, int directory, uintptr_t path, uint32_t mode) {
    return make_directory(directory, path, mode);
}

static k42_result make_node(int directory, uintptr_t path, uint32_t mode, uint32_t special) {
    uint32_t type = mode & MODE_TYPE;
    if (!type)
        type = MODE_REGULAR;
    if (type == MODE_DIRECTORY)
        return -EPERM;
    if (type != MODE_REGULAR && type != MODE_FIFO && type != MODE_SOCKET &&
        type != MODE_CHARACTER && type != MODE_BLOCK)
        return -EINVAL;
    if ((type == MODE_CHARACTER || type == MODE_BLOCK) && !files_may(CAPABILITY_MAKE_DEVICES))
        return -EPERM;
    bool is_device = type == MODE_CHARACTER || type == MODE_BLOCK;
    struct making making = {.directory = directory,
                            .mode = type | (mode & MODE_PERMISSIONS),
                            .special = is_device ? special : 0};
    return make(&making, path);
}

LINUX_CALL(133, mknod, uintptr_t path, uint32_t mode, uint32_t special) {
    return make_node(AT_WORKING, path, mode, special);
}

LINUX_CALL(259, mknodat, int directory, uintptr_t path, uint32_t mode, uint32_t special) {
    return make_node(directory, path, mode, special);
}

static k42_result make_link(uintptr_t target, int directory, uintptr_t path) {
    struct making making = {.directory = directory, .mode = MODE_LINK | 0777};
    struct files_text text;
    k42_result result = files_text_get(&text, target, FILES_PATH);
    if (result < 0)
        return result;
    making.target = text.at;
    result = text.at[0] ? make(&making, path) : -ENOENT;
    files_text_end(&text);
    return result;
}

LINUX_CALL(88, symlink, uintptr_t target, uintptr_t path) {
    return make_link(target, AT_WORKING, path);
}

LINUX_CALL(266, symlinkat, uintptr_t target, int directory, uintptr_t path) {
    return make_link(target, directory, path);
}

/* ---- removing ---- */

/*
 * Somebody watches: who watches what had the name is told, which is held until then, and the end of
 * it, if this was all that it had, before the directory.
 */
static k42_result remove_watched(struct path *path, bool is_directory, node_ref node) {
    k42_result held = k42_call(node, hold);
    k42_result result = k42_call(path->found.node, unlink, &path->last, is_directory, path->who);
    if (held >= 0) {
        if (result >= 0 && !is_directory)
            notify_self(node, NOTIFY_ATTRIBUTES);
        if (result >= 0)
            notify_name_lost(node, path->found.node, &path->last);
        (void)k42_call(node, release);
    }
    if (result >= 0)
        notify_name(path->found.node, &path->last,
                    NOTIFY_REMOVED | (is_directory ? NOTIFY_DIRECTORY : 0u), 0);
    return result;
}

static k42_result remove_in(struct path *path, bool is_directory) {
    const struct node_name *last = &path->last;
    if (path_last_is_special(path)) {
        if (!is_directory)
            return -EISDIR;
        return !last->length ? -EBUSY : last->length == 1 ? -EINVAL : -ENOTEMPTY;
    }
    struct k42_pair there = k42_call(path->found.node, lookup, last, path->who);
    if (there.result < 0)
        return there.result;
    if (!is_directory && path->last_is_directory)
        return (there.result & 255) == ENTRY_DIRECTORY ? -EISDIR : -ENOTDIR;
    k42_result result = files_may_change(path);
    if (result >= 0)
        result = landlock_may(&path->found, (node_ref)K42_NULL_REF,
                              landlock_right_to_remove(is_directory));
    if (result < 0)
        return result;
    if (path->found.mount && mount_find(path->found.mount, (node_ref)there.word))
        return -EBUSY;
    if (notify_any())
        return remove_watched(path, is_directory, (node_ref)there.word);
    return k42_call(path->found.node, unlink, last, is_directory, path->who);
}

static k42_result remove_now(int directory, const char *text, bool is_directory) {
    struct path path;
    k42_result result = files_walk(&path, directory, text, PATH_PARENT);
    if (result >= 0)
        result = remove_in(&path, is_directory);
    path_end(&path);
    return result;
}

k42_result files_remove_node(const char *path) {
    k42_result result;
    FILES_CALL(result, remove_now(AT_WORKING, path, false));
    return result;
}

static k42_result remove_path(int directory, uintptr_t path, bool is_directory) {
    struct files_text text;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, remove_now(directory, text.at, is_directory));
    files_text_end(&text);
    return result;
}

LINUX_CALL(84, rmdir, uintptr_t path) {
    return remove_path(AT_WORKING, path, true);
}

LINUX_CALL(87, unlink, uintptr_t path) {
    return remove_path(AT_WORKING, path, false);
}

LINUX_CALL(263, unlinkat, int directory, uintptr_t path, int flags) {
    if (flags & ~AT_REMOVE_DIRECTORY)
        return -EINVAL;
    return remove_path(directory, path, flags & AT_REMOVE_DIRECTORY);
}

/* ---- readlink ---- */

static k42_result read_link_now(int directory, const char *text, char *to, size_t size) {
    node_ref node;
    struct mount *mount;
    k42_result result = files_node(directory, text, AT_NO_FOLLOW | AT_EMPTY, &node, &mount);
    if (result < 0)
        return *text ? result : result == -EBADF ? -EBADF : -ENOENT;
    result = k42_call(node, target, to, size);
    if (result >= 0)
        (void)k42_call(node, touch, NODE_TOUCH_READ);
    return result == -EINVAL && !*text ? -ENOENT : result;
}

static k42_result read_link(int directory, uintptr_t path, uintptr_t to, int size) {
    struct files_text text;
    if (size <= 0)
        return -EINVAL;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    char *target = k42_platform_alloc(FILES_PATH);
    if (!target)
        result = -ENOMEM;
    else if (!*text.at && directory == AT_WORKING)
        result = -ENOENT;
    else
        FILES_CALL(result, read_link_now(directory, text.at, target, FILES_PATH));
    files_text_end(&text);
    if (result > size)
        result = size;
    if (result > 0) {
        k42_result copied = files_copy_out(to, target, (size_t)result);
        result = copied < 0 ? copied : result;
    }
    k42_platform_free(target);
    return result;
}

LINUX_CALL(89, readlink, uintptr_t path, uintptr_t to, int size) {
    return read_link(AT_WORKING, path, to, size);
}

LINUX_CALL(267, readlinkat, int directory, uintptr_t path, uintptr_t to, int size) {
    return read_link(directory, path, to, size);
}
