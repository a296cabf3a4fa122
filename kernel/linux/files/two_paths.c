/*
 * link and rename.
 *
 * What the file system refuses it refuses for itself; the order in which Linux says what is wrong
 * is kept here, where both paths and the caller are known.
 */
#include "../landlock/landlock.h"
#include "files.h"

struct two_paths {
    int old_directory, new_directory;
    unsigned flags;
    struct files_text old_text, new_text;
    k42_result new_error; /* why there is no new text; said when the old one has been followed */
};

static k42_result with_both(struct two_paths *two, uintptr_t old_path, uintptr_t new_path,
                            k42_result (*now)(const struct two_paths *two)) {
    k42_result result = files_text_get(&two->old_text, old_path, FILES_PATH);
    if (result < 0)
        return result;
    two->new_error = files_text_get(&two->new_text, new_path, FILES_PATH);
    FILES_CALL(result, now(two));
    if (two->new_error >= 0)
        files_text_end(&two->new_text);
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

static k42_result landlock_may_link(node_ref node, node_ref above, const struct path *path) {
    if (__builtin_expect(!task_self()->landlock, 1))
        return 0;
    struct landlock_move move = {
        .from = {path->found.mount, above}, .to = path->found, .old = node};
    return landlock_check_move(&move);
}

static k42_result link_in(const struct place *old, node_ref above, const struct path *path) {
    node_ref node = old->node;
    k42_result result = files_can_make(path, false);
    if (result < 0)
        return result;
    struct k42_pair there = k42_call(path->found.node, lookup, &path->last, path->who);
    if (there.result >= 0)
        return -EEXIST;
    if (there.result != -ENOENT)
        return there.result;
    if (old->mount != path->found.mount)
        return -EXDEV;
    result = may_link(node, path->who);
    if (result >= 0)
        result = landlock_may_link(node, above, path);
    if (result >= 0)
        result = files_may_change(path);
    if (result >= 0)
        result = k42_call(path->found.node, link, &path->last, (k42_ref)node);
    if (result >= 0 && notify_any()) {
        notify_self(node, NOTIFY_ATTRIBUTES);
        notify_name(path->found.node, &path->last, NOTIFY_MADE, 0);
    }
    return result;
}

static k42_result link_now(const struct two_paths *two) {
    struct path path;
    struct place place;
    node_ref above;
    int flags = (int)(two->flags & AT_EMPTY) | (two->flags & AT_FOLLOW ? 0 : AT_NO_FOLLOW);
    k42_result result = files_found(two->old_directory, two->old_text.at, flags, &place, &above);
    if (result >= 0)
        result = two->new_error;
    if (result < 0)
        return result;
    result = files_walk(&path, two->new_directory, two->new_text.at, PATH_PARENT);
    if (result >= 0)
        result = link_in(&place, above, &path);
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

static k42_result move_name(const struct path *old, const struct path *new, unsigned flags) {
    return k42_call(old->found.node, rename, &old->last, (k42_ref) new->found.node, &new->last,
                    flags, old->who);
}

static void tell_move(const struct path *from, const struct path *to, const struct k42_pair *moved,
                      node_ref displaced) {
    uint32_t cookie = notify_cookie();
    uint32_t kind = (moved->result & 255) == ENTRY_DIRECTORY ? NOTIFY_DIRECTORY : 0u;
    notify_name(from->found.node, &from->last, NOTIFY_MOVED_FROM | kind, cookie);
    notify_name(to->found.node, &to->last, NOTIFY_MOVED_TO | kind, cookie);
    if (k42_id_of(displaced))
        notify_self(displaced, NOTIFY_ATTRIBUTES);
    notify_self((node_ref)moved->word, NOTIFY_SELF_MOVED);
}

/* Somebody watches: what loses its name by this is held until that was told. */
static k42_result move_watched(const struct path *old, const struct path *new, unsigned flags) {
    struct k42_pair there = k42_call(old->found.node, lookup, &old->last, old->who);
    struct k42_pair over = k42_call(new->found.node, lookup, &new->last, new->who);
    bool held = over.result >= 0 && k42_call((node_ref)over.word, hold) >= 0;
    bool is_file = (over.result & 255) != ENTRY_DIRECTORY, swaps = flags & RENAME_SWAP;
    k42_result result = move_name(old, new, flags);
    if (result >= 0 && there.result >= 0)
        tell_move(old, new, &there, (node_ref)(held && is_file && !swaps ? over.word : 0));
    if (result >= 0 && held && !swaps)
        notify_name_lost((node_ref)over.word, new->found.node, &new->last);
    if (result >= 0 && swaps && over.result >= 0)
        tell_move(new, old, &over, (node_ref)K42_NULL_REF);
    if (held)
        (void)k42_call((node_ref)over.word, release);
    return result;
}

/* Linux asks before it asks who may change the directories. */
static k42_result landlock_may_rename(const struct path *old, const struct path *new,
                                      unsigned flags) {
    if (__builtin_expect(!task_self()->landlock, 1))
        return 0;
    struct k42_pair there = k42_call(old->found.node, lookup, &old->last, old->who);
    struct k42_pair over = k42_call(new->found.node, lookup, &new->last, new->who);
    if (there.result < 0 || (over.result < 0 && over.result != -ENOENT))
        return there.result < 0 ? there.result : over.result;
    struct landlock_move move = {
        .from = old->found,
        .to = new->found,
        .old = (node_ref)there.word,
        .displaced = (node_ref)(over.result < 0 ? K42_NULL_REF : (k42_ref)over.word),
        .removes = true,
        .swaps = flags &RENAME_SWAP,
    };
    return landlock_check_move(&move);
}

static k42_result rename_both(struct path *old, struct path *new, unsigned flags) {
    if (old->found.mount != new->found.mount)
        return -EXDEV;
    k42_result result = can_rename(old, new, flags);
    if (result != 0)
        return result < 0 ? result : 0;
    result = landlock_may_rename(old, new, flags);
    if (result < 0)
        return result;
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
    return notify_any() ? move_watched(old, new, flags) : move_name(old, new, flags);
}

static k42_result rename_now(const struct two_paths *two) {
    struct path old, new = {0};
    k42_result result = files_walk(&old, two->old_directory, two->old_text.at, PATH_PARENT);
    if (result >= 0)
        result = two->new_error;
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
