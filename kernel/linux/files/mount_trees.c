/*
 * open_tree, move_mount, mount_setattr: mounts by descriptor.
 *
 * A descriptor of a mount is a place opened as by O_PATH. A mount that was made for it and stands
 * nowhere yet lasts as long as the file does, or is put somewhere by move_mount(), once.
 *
 * No state of its own. Fails: before anything has changed.
 */
#include "mount_trees.h"
#include "../landlock/landlock.h"

#include <k42/k42.h>

struct k42_pair open_path(k42_ref node, unsigned flags);

enum { AT_RECURSIVE = 0x8000 };

k42_result mount_tree_open(const struct place *place, file_ref *file) {
    struct place there = *place;
    struct k42_pair opened = open_path((k42_ref)place->node, OPEN_PATH);
    if (opened.result < 0)
        return opened.result;
    *file = (file_ref)opened.word;
    k42_result result = place->mount ? k42_call(*file, set_place, &there) : 0;
    if (result < 0)
        (void)!k42_call(*file, release);
    return result;
}

k42_result mount_tree_make(const struct mount_new *what, file_ref *file) {
    struct mount *mount;
    k42_result result = mount_make_loose(what, &mount);
    if (result < 0) {
        (void)!k42_call(what->root, release);
        return result;
    }
    result = mount_tree_open(&(struct place){mount, mount->root}, file);
    mount_release(mount); /* the file holds it */
    return result;
}

/* ---- open_tree ---- */

enum {
    TREE_CLONE = 1,
    TREE_FLAGS =
        TREE_CLONE | OPEN_CLOSE_ON_EXEC | AT_EMPTY | AT_NO_FOLLOW | AT_NO_AUTOMATIC | AT_RECURSIVE,
};

static k42_result open_tree_now(int directory, const char *text, unsigned flags, file_ref *file) {
    struct place place;
    k42_result result = files_node(directory, text, (int)(flags & (AT_EMPTY | AT_NO_FOLLOW)),
                                   &place.node, &place.mount);
    if (result < 0)
        return result;
    if (!(flags & TREE_CLONE))
        return mount_tree_open(&place, file);
    if (!place.mount)
        return -EINVAL;
    result = k42_call(place.node, hold);
    if (result < 0)
        return result;
    struct mount_new what = {.root = place.node,
                             .flags = place.mount->flags,
                             .type = place.mount->type,
                             .source = place.mount->source};
    return mount_tree_make(&what, file);
}

/* Partly: what is mounted below a mount is not cloned with it. */
LINUX_CALL(428, open_tree, int directory, uintptr_t path, unsigned flags) {
    struct files_text text;
    file_ref file;
    if ((flags & ~(unsigned)TREE_FLAGS) || (flags & (AT_RECURSIVE | TREE_CLONE)) == AT_RECURSIVE)
        return -EINVAL;
    if ((flags & TREE_CLONE) && !files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, open_tree_now(directory, text.at, flags, &file));
    files_text_end(&text);
    return result < 0 ? result : files_add(file, flags & OPEN_CLOSE_ON_EXEC);
}

/* ---- move_mount ---- */

enum {
    MOVE_FOLLOWS = 1, /* links at the end of where it is; of where it goes: TO_MOVE() of it */
    MOVE_AUTOMATIC = 2,
    MOVE_EMPTY = 4,
    MOVE_FLAGS = 0x77,
};
#define TO_MOVE(flag) ((flag) << 4)

struct moving {
    int directory;
    struct files_text text;
    struct place place;
};

static k42_result find(struct moving *end, unsigned flags) {
    int how = (flags & MOVE_FOLLOWS ? 0 : AT_NO_FOLLOW) | (flags & MOVE_EMPTY ? AT_EMPTY : 0);
    return files_node(end->directory, end->text.at, how, &end->place.node, &end->place.mount);
}

static k42_result is_directory(node_ref node) {
    struct node_attributes attributes;
    k42_result result = k42_call(node, attributes, &attributes);
    return result < 0 ? result : (attributes.mode & MODE_TYPE) == MODE_DIRECTORY;
}

static k42_result move_now(struct moving *from, struct moving *to, unsigned flags) {
    k42_result result = find(from, flags);
    if (result >= 0)
        result = find(to, flags >> 4);
    if (result >= 0)
        result = landlock_may_mount();
    if (result < 0)
        return result;
    struct mount *mount = from->place.mount;
    if (!mount || from->place.node != mount->root || !to->place.mount)
        return -EINVAL;
    k42_result what = is_directory(from->place.node), where = is_directory(to->place.node);
    if (what < 0 || where < 0)
        return what < 0 ? what : where;
    return what != where ? -EINVAL : mount_move(mount, &to->place);
}

static k42_result move_texts(struct moving *from, struct moving *to, uintptr_t from_at,
                             uintptr_t to_at, unsigned flags) {
    k42_result result = files_text_get(&from->text, from_at, FILES_PATH);
    if (result < 0)
        return result;
    result = files_text_get(&to->text, to_at, FILES_PATH);
    if (result >= 0) {
        FILES_CALL(result, move_now(from, to, flags));
        files_text_end(&to->text);
    }
    files_text_end(&from->text);
    return result;
}

LINUX_CALL(429, move_mount, int from_directory, uintptr_t from_path, int to_directory,
           uintptr_t to_path, unsigned flags) {
    struct moving from = {.directory = from_directory}, to = {.directory = to_directory};
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    return flags & ~(unsigned)MOVE_FLAGS ? -EINVAL
                                         : move_texts(&from, &to, from_path, to_path, flags);
}

/* ---- mount_setattr ---- */

struct mount_attributes {
    uint64_t set, clear, sharing, user_fd;
};

enum {
    SHARING = 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20,
    SETATTR_FLAGS = AT_EMPTY | AT_NO_FOLLOW | AT_NO_AUTOMATIC | AT_RECURSIVE,
    SETATTR_MOST = 4096,
};

static k42_result check_attributes(const struct mount_attributes *attributes) {
    uint64_t accessed = attributes->clear & MOUNT_ATTRIBUTE_ACCESSED;
    if ((attributes->sharing & ~(uint64_t)SHARING) ||
        (attributes->sharing & (attributes->sharing - 1)))
        return -EINVAL;
    /* Times of reading are changed as a whole. */
    if (accessed != MOUNT_ATTRIBUTE_ACCESSED &&
        (accessed || (attributes->set & MOUNT_ATTRIBUTE_ACCESSED)))
        return -EINVAL;
    return mount_attributes_valid(attributes->set) &&
                   !(attributes->clear & ~(uint64_t)MOUNT_ATTRIBUTES)
               ? 0
               : -EINVAL;
}

static bool is_below(const struct mount *mount, const struct mount *above) {
    while (mount && mount != above)
        mount = __atomic_load_n(&mount->parent, __ATOMIC_ACQUIRE);
    return mount;
}

static k42_result set_now(int directory, const char *text, unsigned flags,
                          const struct mount_attributes *attributes) {
    struct mount *mount;
    node_ref node;
    k42_result result =
        files_node(directory, text, (int)(flags & (AT_EMPTY | AT_NO_FOLLOW)), &node, &mount);
    if (result < 0)
        return result;
    if (!mount || node != mount->root)
        return -EINVAL;
    unsigned clear = mount_attribute_flags(attributes->clear),
             set = mount_attribute_flags(attributes->set);
    mount_change_flags(mount, clear, set);
    if (flags & AT_RECURSIVE)
        for (struct mount *at = mount_next(0); at; at = mount_next(at->id))
            if (is_below(at, mount))
                mount_change_flags(at, clear, set);
    return 0;
}

static k42_result set_path(int directory, uintptr_t path, unsigned flags,
                           const struct mount_attributes *attributes) {
    struct files_text text;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, set_now(directory, text.at, flags, attributes));
    files_text_end(&text);
    return result;
}

/*
 * Partly: of times of reading there is one kind, no ids are mapped, and what is open for writing
 * does not keep a mount from becoming read-only.
 */
LINUX_CALL(442, mount_setattr, int directory, uintptr_t path, unsigned flags, uintptr_t at,
           size_t size) {
    struct mount_attributes attributes;
    if ((flags & ~(unsigned)SETATTR_FLAGS) || (size < sizeof attributes && size <= SETATTR_MOST))
        return -EINVAL;
    if (size > SETATTR_MOST)
        return -E2BIG;
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    k42_result result = files_copy_in(&attributes, at, sizeof attributes);
    if (result >= 0)
        result = files_check_rest(at + sizeof attributes, size - sizeof attributes);
    if (result >= 0 && !attributes.set && !attributes.clear && !attributes.sharing)
        return 0;
    if (result >= 0)
        result = check_attributes(&attributes);
    return result < 0 ? result : set_path(directory, path, flags, &attributes);
}
