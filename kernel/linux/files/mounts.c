/*
 * mount and umount2.
 */
#include "../landlock/landlock.h"
#include "files.h"

#include "../../fs/types.h"
#include "runtime.h"

enum {
    MOUNT_READ_ONLY = 1,
    MOUNT_NO_SETUID = 2,
    MOUNT_NO_DEVICES = 4,
    MOUNT_NO_EXECUTE = 8,
    MOUNT_AGAIN = 32,
    MOUNT_BIND = 4096,
    MOUNT_MOVE = 8192,
    MOUNT_RECURSIVE = 16384,
    MOUNT_SHARING = 1 << 17 | 1 << 18 | 1 << 19 | 1 << 20,
    MOUNT_MAGIC = (int)0xc0ed0000,
    UNMOUNT_FORCE = 1,
    UNMOUNT_DETACH = 2,
    UNMOUNT_NO_FOLLOW = 8,
};

struct mounting {
    struct files_text source, target, type;
    char *options;
    unsigned long flags;
};

static unsigned node_flags_of(unsigned long flags) {
    return (flags & MOUNT_READ_ONLY ? NODE_READ_ONLY : 0u) |
           (flags & MOUNT_NO_SETUID ? NODE_NO_SETUID : 0u) |
           (flags & MOUNT_NO_DEVICES ? NODE_NO_DEVICES : 0u) |
           (flags & MOUNT_NO_EXECUTE ? NODE_NO_EXECUTE : 0u);
}

static k42_result add(const struct mounting *mounting, node_ref root, const char *type,
                      const struct place *at, struct mount **made) {
    struct mount_new what = {
        .root = root,
        .flags = node_flags_of(mounting->flags),
        .type = type,
        .source = mounting->source.at[0] ? mounting->source.at : "none",
    };
    k42_result result = mount_add(at, &what, made);
    if (result < 0)
        (void)!k42_call(root, release);
    return result;
}

/* ---- with what is mounted below ---- */

/* A mount that was there before, and what shows the same in the new tree. */
struct twin {
    const struct mount *from;
    struct mount *to;
};

struct twins {
    struct twin *at;
    size_t count, room;
    uint32_t last; /* mounts that came later are the new tree's own */
};

static k42_result add_twin(struct twins *twins, const struct mount *from, struct mount *to) {
    if (twins->count == twins->room) {
        size_t room = twins->room ? twins->room * 2 : 8;
        struct twin *more = k42_platform_alloc(room * sizeof *more);
        if (!more)
            return -ENOMEM;
        for (size_t n = 0; n < twins->count; n++)
            more[n] = twins->at[n];
        k42_platform_free(twins->at);
        twins->at = more;
        twins->room = room;
    }
    twins->at[twins->count++] = (struct twin){from, to};
    return 0;
}

static k42_result copy_mount(struct twins *twins, const struct mount *mount, struct mount *above) {
    struct mount_new what = {
        .root = mount->root, .flags = mount->flags, .type = mount->type, .source = mount->source};
    struct mount *made;
    if (k42_call(what.root, hold) < 0)
        return 0; /* it is going */
    k42_result result = mount_add(&(struct place){above, mount->point}, &what, &made);
    if (result < 0)
        (void)!k42_call(what.root, release);
    return result < 0 ? result : add_twin(twins, mount, made);
}

/* Whether a mount stands below a place of its parent. */
static bool stands_below(const struct mount *mount, const struct place *place) {
    char *text = k42_platform_alloc(FILES_PATH), *begin;
    struct place point = {place->mount, mount->point};
    bool below = text && path_name(&point, place, text, FILES_PATH, &begin) >= 0;
    k42_platform_free(text);
    return below;
}

/* Looks at all mounts for each that it copies: there are few, and the call is rare. */
static k42_result copy_below(const struct place *from, struct mount *to) {
    struct twins twins = {.last = to->id - 1};
    k42_result result = add_twin(&twins, from->mount, to);
    for (size_t n = 0; n < twins.count && result >= 0; n++)
        for (struct mount *at = mount_next(0); at && at->id <= twins.last && result >= 0;
             at = mount_next(at->id)) {
            const struct mount *parent = __atomic_load_n(&at->parent, __ATOMIC_ACQUIRE);
            if (parent == twins.at[n].from && (n || stands_below(at, from)))
                result = copy_mount(&twins, at, twins.at[n].to);
        }
    k42_platform_free(twins.at);
    if (result < 0)
        (void)!mount_remove(to, true);
    return result;
}

static k42_result bind(const struct mounting *mounting, const struct place *at) {
    struct path path;
    k42_result result = files_walk(&path, AT_WORKING, mounting->source.at, PATH_FOLLOW);
    if (result >= 0)
        result = k42_call(path.found.node, hold);
    if (result < 0)
        return result;
    const struct place *from = &path.found;
    struct mount *made;
    result = add(mounting, from->node, from->mount ? from->mount->type : "none", at, &made);
    bool deep = mounting->flags & MOUNT_RECURSIVE && from->mount;
    return result < 0 || !deep ? result : copy_below(from, made);
}

static k42_result move(const struct mounting *mounting, const struct place *to) {
    struct path path;
    k42_result result = files_walk(&path, AT_WORKING, mounting->source.at, PATH_FOLLOW);
    if (result < 0)
        return result;
    if (!path.found.mount || path.found.node != path.found.mount->root)
        return -EINVAL;
    return mount_move(path.found.mount, to);
}

static k42_result change(const struct mounting *mounting, const struct place *at) {
    if (!at->mount || at->node != at->mount->root)
        return -EINVAL;
    if (mounting->flags & MOUNT_AGAIN)
        mount_change_flags(at->mount, ~0u, node_flags_of(mounting->flags));
    return 0;
}

static k42_result find_target(const struct mounting *mounting, struct place *at) {
    struct path path;
    k42_result result = files_walk(&path, AT_WORKING, mounting->target.at, PATH_FOLLOW);
    *at = path.found;
    return result;
}

/* Whoever has a domain is told so when the place was found. */
static k42_result may_not_mount(const struct mounting *mounting) {
    struct place at;
    k42_result result = find_target(mounting, &at);
    return result < 0 ? result : -EPERM;
}

/* A file system's root is a directory, and so is what it is mounted on. */
static k42_result find_folder(const struct mounting *mounting, struct place *at) {
    struct node_attributes attributes;
    k42_result result = find_target(mounting, at);
    if (result >= 0)
        result = k42_call(at->node, attributes, &attributes);
    return result < 0 ? result : (attributes.mode & MODE_TYPE) != MODE_DIRECTORY ? -ENOTDIR : 0;
}

/* A new file system is made first, which may wait; the place is found afterwards. */
static k42_result mount_new_one(const struct mounting *mounting) {
    struct file_system_type *type = file_system_find(mounting->type.at);
    struct place at;
    node_ref root;
    if (!type)
        return -ENODEV;
    k42_result result;
    FILES_CALL(result, find_folder(mounting, &at));
    if (result >= 0)
        result = type->make(mounting->source.at, mounting->options, &root);
    if (result < 0)
        return result;
    FILES_CALL(result, find_target(mounting, &at));
    /* What there is one of, as of /proc, is mounted there already. */
    if (result >= 0 && k42_id_of(at.node) == k42_id_of(root))
        result = -EBUSY;
    if (result >= 0)
        return add(mounting, root, type->name, &at, NULL);
    (void)!k42_call(root, release);
    return result;
}

static k42_result mount_now(const struct mounting *mounting) {
    struct place at;
    k42_result result = find_target(mounting, &at);
    if (result < 0)
        return result;
    if (mounting->flags & (MOUNT_AGAIN | MOUNT_SHARING))
        return change(mounting, &at);
    return mounting->flags & MOUNT_BIND ? bind(mounting, &at) : move(mounting, &at);
}

static k42_result get_text(struct files_text *text, uintptr_t from) {
    text->at = text->here;
    text->here[0] = 0;
    return from ? files_text_get(text, from, FILES_PATH) : 0;
}

static k42_result mount_texts(struct mounting *mounting, uintptr_t options_at) {
    enum { NOT_NEW = MOUNT_AGAIN | MOUNT_SHARING | MOUNT_BIND | MOUNT_MOVE };
    struct files_text options;
    k42_result result = get_text(&options, options_at);
    if (result < 0)
        return result;
    mounting->options = options.at;
    if (landlock_may_mount() < 0)
        FILES_CALL(result, may_not_mount(mounting));
    else if (mounting->flags & NOT_NEW)
        FILES_CALL(result, mount_now(mounting));
    else
        result = mounting->type.at[0] ? mount_new_one(mounting) : -EINVAL;
    files_text_end(&options);
    return result;
}

static k42_result mount_strings(struct mounting *mounting, uintptr_t source, uintptr_t target,
                                uintptr_t type, uintptr_t options) {
    k42_result result = get_text(&mounting->source, source);
    if (result < 0)
        return result;
    result = target ? get_text(&mounting->target, target) : -EFAULT;
    if (result >= 0) {
        result = get_text(&mounting->type, type);
        if (result >= 0) {
            result = mount_texts(mounting, options);
            files_text_end(&mounting->type);
        }
        files_text_end(&mounting->target);
    }
    files_text_end(&mounting->source);
    return result;
}

LINUX_CALL(165, mount, uintptr_t source, uintptr_t target, uintptr_t type, unsigned long flags,
           uintptr_t options) {
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    if ((flags & 0xffff0000) == (unsigned)MOUNT_MAGIC)
        flags &= 0xffff;
    struct mounting *mounting = k42_platform_alloc(sizeof *mounting);
    if (!mounting)
        return -ENOMEM;
    mounting->flags = flags;
    k42_result result = mount_strings(mounting, source, target, type, options);
    k42_platform_free(mounting);
    return result;
}

static k42_result unmount_now(const char *text, int flags) {
    struct path path;
    unsigned follow = flags & UNMOUNT_NO_FOLLOW ? 0u : PATH_FOLLOW;
    k42_result result = files_walk(&path, AT_WORKING, text, follow);
    if (result < 0)
        return result;
    if (!path.found.mount || path.found.node != path.found.mount->root)
        return -EINVAL;
    if (landlock_may_mount() < 0)
        return -EPERM;
    return mount_remove(path.found.mount, flags & UNMOUNT_DETACH);
}

LINUX_CALL(166, umount2, uintptr_t path, int flags) {
    struct files_text text;
    if (flags & ~(UNMOUNT_FORCE | UNMOUNT_DETACH | UNMOUNT_NO_FOLLOW | 4))
        return -EINVAL;
    if (!files_may(CAPABILITY_ADMINISTRATOR))
        return -EPERM;
    k42_result result = files_text_get(&text, path, FILES_PATH);
    if (result < 0)
        return result;
    FILES_CALL(result, unmount_now(text.at, flags));
    files_text_end(&text);
    return result;
}
