/*
 * What ramfs's directories have in common, however they find their names: see directory.h.
 */
#include "directory.h"

#include "../../change.h"
#include "tree.h"

#include "../open_file.h"
#include "../values.h"
#include "platform.h"

#include <errno.h>

static struct k42_pair failed(k42_result result) {
    return (struct k42_pair){.result = result};
}

/* A directory that says so gives its group to what is made in it. */
static struct node_new inherit(const struct inode *directory, const struct node_new *what) {
    struct node_new made = *what;
    if (directory->mode & MODE_SET_GID) {
        made.gid = directory->gid;
        if ((made.mode & MODE_TYPE) == MODE_DIRECTORY)
            made.mode |= MODE_SET_GID;
    }
    return made;
}

/* Its first name, if it gets one, is a link. */
static struct k42_pair create_unnamed(struct inode *directory, const struct node_new *what) {
    struct inode *inode;
    struct node_new made = inherit(directory, what);
    made.special = 0;
    k42_result result = inode_make(directory->fs, &made, &inode);
    if (result < 0)
        return failed(result);
    inode->nameable = !what->special;
    inode->directory = directory->number;
    return (struct k42_pair){0, (uintptr_t)inode->self};
}

struct k42_pair directory_create(struct node *self, const struct node_new *what) {
    struct inode *directory = INODE(self), *inode;
    if (!what->name.length)
        return create_unnamed(directory, what);
    if (names_find(&directory->names, &what->name))
        return failed(-EEXIST);
    struct node_new made = inherit(directory, what);
    k42_result result = inode_make(directory->fs, &made, &inode);
    if (result < 0)
        return failed(result);
    k42_ref ref = inode->self;
    result = tree_add(directory, &what->name, inode);
    if (result < 0) {
        inode_drop(inode);
        return failed(result);
    }
    directory_fits(directory);
    return (struct k42_pair){0, (uintptr_t)ref};
}

/* The file system's record of another node, or an error. */
static k42_result find_other(const struct inode *here, k42_ref node, struct inode **other) {
    struct node_attributes attributes;
    k42_result result = k42_call((node_ref)node, attributes, &attributes);
    if (result < 0)
        return result == -K42_STALE ? -ENOENT : result;
    if (attributes.device != here->fs->device)
        return -EXDEV;
    *other = numbers_find(&here->fs->numbers, attributes.number);
    return *other ? 0 : -ENOENT;
}

k42_result directory_link(struct node *self, const struct node_name *name, k42_ref node) {
    struct inode *inode;
    k42_result result = find_other(INODE(self), node, &inode);
    if (result >= 0)
        result = tree_link(INODE(self), name, inode);
    directory_fits(INODE(self));
    return result;
}

k42_result directory_unlink(struct node *self, const struct node_name *name, unsigned directory,
                            const struct credentials *who) {
    return tree_remove(INODE(self), name, directory, who);
}

k42_result directory_rename(struct node *self, const struct node_name *name, k42_ref to,
                            const struct node_name *new_name, unsigned flags,
                            const struct credentials *who) {
    struct tree_move move = {
        .from = INODE(self), .name = name, .new_name = new_name, .flags = flags, .who = who};
    k42_result result = find_other(move.from, to, &move.to);
    if (result < 0)
        return result;
    if (!inode_is_directory(move.to))
        return -ENOTDIR;
    result = tree_move(&move);
    directory_fits(move.from);
    directory_fits(move.to);
    return result;
}

/* Cursors: 0 is ".", 1 "..", 2 the first slot. */
k42_result directory_list(struct node *self, uint64_t cursor, struct node_listing *listing) {
    struct inode *inode = INODE(self);
    static const struct node_name dots[2] = {{".", 1, 0}, {"..", 2, 0}};
    if (cursor == 0) {
        if (!listing->entry(listing, &dots[0], inode->number, ENTRY_DIRECTORY, 1))
            return 0;
        cursor = 1;
    }
    if (cursor == 1) {
        struct inode *parent = __atomic_load_n(&inode->parent, __ATOMIC_RELAXED);
        uint64_t number = parent ? parent->number : inode->number;
        if (!listing->entry(listing, &dots[1], number, ENTRY_DIRECTORY, 2))
            return 0;
        cursor = 2;
    }
    if (cursor - 2 > UINT32_MAX)
        return 0;
    uint32_t slot = (uint32_t)(cursor - 2);
    for (struct entry *entry; (entry = names_next(&inode->names, &slot)); slot++) {
        struct inode *child = __atomic_load_n(&entry->inode, __ATOMIC_ACQUIRE);
        struct node_name name = {entry->text, entry->length, entry->hash};
        if (!listing->entry(listing, &name, child->number, MODE_ENTRY_TYPE(child->mode),
                            (uint64_t)slot + 3))
            return 0;
    }
    return 0;
}

struct k42_pair directory_open(struct node *self, unsigned flags) {
    if (open_writes(flags))
        return failed(-EISDIR);
    return open_directory(INODE(self)->self, flags);
}

/* ---- by size ---- */

const struct k42_format ramfs_directory_format = {"node.ramfs.directory", 1, 1};

size_t directory_measure(struct k42_root *from) {
    const struct inode *inode = body_of_root(from);
    return __atomic_load_n(&inode->names.live, __ATOMIC_RELAXED);
}

void directory_fits(struct inode *inode) {
    struct names *names = &inode->names;
    uint32_t live = __atomic_load_n(&names->live, __ATOMIC_RELAXED);
    bool listed = __atomic_load_n(&names->listed, __ATOMIC_RELAXED);
    if (__builtin_expect(listed ? live <= LISTED_MOST : live >= HASHED_LEAST, 1) ||
        __atomic_exchange_n(&names->changing, true, __ATOMIC_RELAXED))
        return;
    struct k42_class *list = &ramfs_directory_list, *hash = &ramfs_directory_hash;
    k42_result result = change_class(inode->self, listed ? list : hash, listed ? hash : list, 0);
    if (result < 0)
        __atomic_store_n(&names->changing, false, __ATOMIC_RELAXED);
}
