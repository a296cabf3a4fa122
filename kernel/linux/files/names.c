/*
 * Calls that make, move and remove names.
 *
 * Each finds its parents and changes them in one attempt; what must wait is made anew as a whole,
 * which a file system recognises by the number of the request.
 */
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
};

/* What stands in the way of a new name, before the directory is asked. */
static k42_result can_make(const struct path *path, bool is_directory) {
    if (path_last_is_special(path))
        return -EEXIST;
    if (path->last_is_directory && !is_directory) {
        struct k42_pair there = k42_call(path->found.node, lookup, &path->last, path->who);
        return there.result >= 0 ? -EEXIST : there.result;
    }
    return 0;
}

static k42_result make_in(const struct making *making, const struct path *path) {
    k42_result result = can_make(path, (making->mode & MODE_TYPE) == MODE_DIRECTORY);
    if (result < 0)
        return result;
    struct k42_pair there = k42_call(path->found.node, lookup, &path->last, path->who);
    if (there.result >= 0)
        return -EEXIST;
    result = there.result == -ENOENT ? files_may_change(path) : there.result;
    if (result < 0)
        return result;
    bool masked = (making->mode & MODE_TYPE) != MODE_LINK;
    struct node_new what = {
        .name = path->last,
        .mode = making->mode & ~(masked ? path->context->mask : 0),
        .uid = path->who->fsuid,
        .gid = path->who->fsgid,
        .special = making->special,
        .target = making->target,
    };
    return k42_call(path->found.node, create, &what).result;
}

static k42_result make_now(const struct making *making) {
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
    if (result < 0)
        return result;
    if (path->found.mount && mount_find(path->found.mount, (node_ref)there.word))
        return -EBUSY;
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

/* ---- two paths: link and rename ---- */

struct two_paths {
    int old_directory, new_directory;
    unsigned flags;
    struct files_text old_text, new_text;
};

static k42_result with_both(struct two_paths *two, uintptr_t old_path, uintptr_t new_path,
                            k42_result (*now)(const struct two_paths *two)) {
    k42_result result = files_text_get(&two->old_text, old_path, FILES_PATH);
    if (result < 0)
        return result;
    result = files_text_get(&two->new_text, new_path, FILES_PATH);
    if (result >= 0) {
        FILES_CALL(result, now(two));
        files_text_end(&two->new_text);
    }
    files_text_end(&two->old_text);
    return result;
}

/* As Linux with protected_hardlinks: others' files may be linked if they may be read and written
 * and give nobody rights. */
static k42_result may_link(node_ref node, const struct credentials *who) {
    struct node_attributes attributes;
    k42_result result = k42_call(node, attributes, &attributes);
    if (result < 0 || who->fsuid == attributes.uid || files_may(CAPABILITY_OWNER))
        return result;
    bool gives_rights = (attributes.mode & MODE_SET_UID) ||
                        (attributes.mode & (MODE_SET_GID | MODE_GROUP_EXECUTE)) ==
                            (MODE_SET_GID | MODE_GROUP_EXECUTE);
    if ((attributes.mode & MODE_TYPE) != MODE_REGULAR || gives_rights ||
        node_allows(&attributes, who, NODE_READ | NODE_WRITE) < 0)
        return -EPERM;
    return 0;
}

static k42_result link_in(node_ref node, struct mount *mount, const struct path *path) {
    k42_result result = can_make(path, false);
    if (result < 0)
        return result;
    struct k42_pair there = k42_call(path->found.node, lookup, &path->last, path->who);
    if (there.result >= 0)
        return -EEXIST;
    if (there.result != -ENOENT)
        return there.result;
    if (mount != path->found.mount)
        return -EXDEV;
    result = may_link(node, path->who);
    if (result >= 0)
        result = files_may_change(path);
    return result < 0 ? result : k42_call(path->found.node, link, &path->last, (k42_ref)node);
}

static k42_result link_now(const struct two_paths *two) {
    struct path path;
    node_ref node;
    struct mount *mount;
    int flags = (int)(two->flags & AT_EMPTY) | (two->flags & AT_FOLLOW ? 0 : AT_NO_FOLLOW);
    k42_result result = files_node(two->old_directory, two->old_text.at, flags, &node, &mount);
    if (result < 0)
        return result;
    result = files_walk(&path, two->new_directory, two->new_text.at, PATH_PARENT);
    if (result >= 0)
        result = link_in(node, mount, &path);
    path_end(&path);
    return result;
}

LINUX_CALL(86, link, uintptr_t old_path, uintptr_t new_path) {
    struct two_paths two = {.old_directory = AT_WORKING, .new_directory = AT_WORKING};
    return with_both(&two, old_path, new_path, link_now);
}

LINUX_CALL(265, linkat, int old_directory, uintptr_t old_path, int new_directory,
           uintptr_t new_path, unsigned flags) {
    struct two_paths two = {
        .old_directory = old_directory, .new_directory = new_directory, .flags = flags};
    if (flags & ~(unsigned)(AT_FOLLOW | AT_EMPTY))
        return -EINVAL;
    return with_both(&two, old_path, new_path, link_now);
}

/* What is at both names has to fit together, and with the slashes behind them. 1: it is the same.
 */
static k42_result can_rename(const struct path *old, const struct path *new, unsigned flags) {
    if (path_last_is_special(old) || path_last_is_special(new))
        return flags & RENAME_KEEP && path_last_is_special(new) && !path_last_is_special(old)
                   ? -EEXIST
                   : -EBUSY;
    struct k42_pair there = k42_call(old->found.node, lookup, &old->last, old->who);
    if (there.result < 0)
        return there.result;
    struct k42_pair over = k42_call(new->found.node, lookup, &new->last, new->who);
    if (over.result < 0 && over.result != -ENOENT)
        return over.result;
    if ((flags & RENAME_KEEP) && over.result >= 0)
        return -EEXIST;
    if ((flags & RENAME_SWAP) && over.result < 0)
        return -ENOENT;
    bool is_directory = (there.result & 255) == ENTRY_DIRECTORY;
    bool will_be = flags & RENAME_SWAP ? (over.result & 255) == ENTRY_DIRECTORY : is_directory;
    if ((!is_directory && old->last_is_directory) || (!will_be && new->last_is_directory))
        return -ENOTDIR;
    if (mount_find(old->found.mount, (node_ref)there.word) ||
        (over.result >= 0 && mount_find(new->found.mount, (node_ref)over.word)))
        return -EBUSY;
    return over.result >= 0 && over.word == there.word;
}

static bool lies_below(node_ref node, uintptr_t above) {
    char name[NODE_NAME_MAX];
    while ((uintptr_t)node != above) {
        struct k42_pair parent = k42_call(node, name, name, sizeof name);
        if (parent.result < 0)
            return false;
        node = (node_ref)parent.word;
    }
    return true;
}

/* Whether a name may be taken out of a directory that is sticky. */
static k42_result may_take(const struct path *path, node_ref node) {
    struct node_attributes directory, own;
    if (k42_call(path->found.node, attributes, &directory) < 0 ||
        k42_call(node, attributes, &own) < 0 || !(directory.mode & MODE_STICKY))
        return 0;
    bool may = path->who->fsuid == own.uid || path->who->fsuid == directory.uid ||
               files_may(CAPABILITY_OWNER);
    return may ? 0 : -EPERM;
}

/* What was not allowed. */
enum renaming { RENAMING_OLD, RENAMING_NEW, RENAMING_PARENT };

/*
 * What is said when something may not be moved. Linux sees that a directory would come to lie in
 * itself before it asks who may, and asks about names before it asks about what moves.
 */
static k42_result refuse(const struct path *old, const struct path *new, unsigned flags,
                         k42_result why, enum renaming stage) {
    struct k42_pair there = k42_call(old->found.node, lookup, &old->last, old->who);
    struct k42_pair over = k42_call(new->found.node, lookup, &new->last, new->who);
    if (there.result >= 0 && lies_below(new->found.node, there.word))
        return -EINVAL;
    if (over.result >= 0 && lies_below(old->found.node, over.word))
        return flags & RENAME_SWAP ? -EINVAL : -ENOTEMPTY;
    if (stage > RENAMING_OLD && may_take(old, (node_ref)there.word) < 0)
        return -EPERM;
    if (stage > RENAMING_NEW && over.result >= 0 && may_take(new, (node_ref)over.word) < 0)
        return -EPERM;
    if (stage > RENAMING_NEW && over.result >= 0 && (over.result & 255) != ENTRY_DIRECTORY &&
        !(flags & RENAME_SWAP))
        return -ENOTDIR;
    return why;
}

/* A directory that gets another parent is itself written to. */
static k42_result may_move(const struct path *from, const struct path *to) {
    if (from->found.node == to->found.node)
        return 0;
    struct k42_pair there = k42_call(from->found.node, lookup, &from->last, from->who);
    if (there.result < 0 || (there.result & 255) != ENTRY_DIRECTORY)
        return 0;
    struct node_attributes attributes;
    k42_result result = k42_call((node_ref)there.word, attributes, &attributes);
    return result < 0 ? result : node_allows(&attributes, from->who, NODE_WRITE);
}

static k42_result rename_both(struct path *old, struct path *new, unsigned flags) {
    if (old->found.mount != new->found.mount)
        return -EXDEV;
    k42_result result = can_rename(old, new, flags);
    if (result != 0)
        return result < 0 ? result : 0;
    result = files_may_change(old);
    if (result < 0)
        return refuse(old, new, flags, result, RENAMING_OLD);
    result = files_may_change(new);
    if (result < 0)
        return refuse(old, new, flags, result, RENAMING_NEW);
    result = may_move(old, new);
    if (result >= 0 && (flags & RENAME_SWAP))
        result = may_move(new, old);
    if (result < 0)
        return refuse(old, new, flags, result, RENAMING_PARENT);
    return k42_call(old->found.node, rename, &old->last, (k42_ref) new->found.node, &new->last,
                    flags, old->who);
}

static k42_result rename_now(const struct two_paths *two) {
    struct path old, new = {0};
    k42_result result = files_walk(&old, two->old_directory, two->old_text.at, PATH_PARENT);
    if (result >= 0)
        result = files_walk(&new, two->new_directory, two->new_text.at, PATH_PARENT);
    if (result >= 0)
        result = rename_both(&old, &new, two->flags);
    path_end(&old);
    path_end(&new);
    return result;
}

static k42_result rename_paths(int old_directory, uintptr_t old_path, int new_directory,
                               uintptr_t new_path, unsigned flags) {
    struct two_paths two = {
        .old_directory = old_directory, .new_directory = new_directory, .flags = flags};
    if ((flags & ~(unsigned)(RENAME_KEEP | RENAME_SWAP | RENAME_WHITE)) ||
        ((flags & RENAME_SWAP) && (flags & (RENAME_KEEP | RENAME_WHITE))))
        return -EINVAL;
    return with_both(&two, old_path, new_path, rename_now);
}

LINUX_CALL(82, rename, uintptr_t old_path, uintptr_t new_path) {
    return rename_paths(AT_WORKING, old_path, AT_WORKING, new_path, 0);
}

LINUX_CALL(264, renameat, int old_directory, uintptr_t old_path, int new_directory,
           uintptr_t new_path) {
    return rename_paths(old_directory, old_path, new_directory, new_path, 0);
}

LINUX_CALL(316, renameat2, int old_directory, uintptr_t old_path, int new_directory,
           uintptr_t new_path, unsigned flags) {
    return rename_paths(old_directory, old_path, new_directory, new_path, flags);
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
