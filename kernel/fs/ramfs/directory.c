/*
 * The class of ramfs's directories.
 */
#include "tree.h"

#include "../open_file.h"
#include "../values.h"
#include "platform.h"

#include <errno.h>

static k42_result search(const struct inode *inode, const struct credentials *who) {
    /* Read without the lock: who may changes at some moment. */
    struct node_attributes attributes = {
        .mode = __atomic_load_n(&inode->mode, __ATOMIC_RELAXED),
        .uid = __atomic_load_n(&inode->uid, __ATOMIC_RELAXED),
        .gid = __atomic_load_n(&inode->gid, __ATOMIC_RELAXED),
    };
    return node_allows(&attributes, who, NODE_EXECUTE);
}

static struct k42_pair found(const struct inode *inode) {
    return (struct k42_pair){MODE_ENTRY_TYPE(inode->mode), (uintptr_t)inode->self};
}

static struct k42_pair failed(k42_result result) {
    return (struct k42_pair){.result = result};
}

static struct k42_pair directory_lookup(struct node *self, const struct node_name *name,
                                        const struct credentials *who) {
    struct inode *inode = INODE(self);
    k42_result result = search(inode, who);
    if (result < 0)
        return failed(result);
    if (name->length == 2 && name->text[0] == '.' && name->text[1] == '.') {
        struct inode *parent = __atomic_load_n(&inode->parent, __ATOMIC_RELAXED);
        return parent ? found(parent) : failed(-ENOENT);
    }
    struct entry *entry = names_find(&inode->names, name);
    return entry ? found(__atomic_load_n(&entry->inode, __ATOMIC_ACQUIRE)) : failed(-ENOENT);
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
    k42_result result = inode_make(directory->fs, &made, &inode);
    if (result < 0)
        return failed(result);
    inode->nameable = true;
    return (struct k42_pair){0, (uintptr_t)inode->self};
}

static struct k42_pair directory_create(struct node *self, const struct node_new *what) {
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

static k42_result directory_link(struct node *self, const struct node_name *name, k42_ref node) {
    struct inode *inode;
    k42_result result = find_other(INODE(self), node, &inode);
    return result < 0 ? result : tree_link(INODE(self), name, inode);
}

static k42_result directory_unlink(struct node *self, const struct node_name *name,
                                   unsigned directory, const struct credentials *who) {
    return tree_remove(INODE(self), name, directory, who);
}

static k42_result directory_rename(struct node *self, const struct node_name *name, k42_ref to,
                                   const struct node_name *new_name, unsigned flags,
                                   const struct credentials *who) {
    struct tree_move move = {
        .from = INODE(self), .name = name, .new_name = new_name, .flags = flags, .who = who};
    k42_result result = find_other(move.from, to, &move.to);
    if (result < 0)
        return result;
    return inode_is_directory(move.to) ? tree_move(&move) : -ENOTDIR;
}

/* Cursors: 0 is ".", 1 "..", 2 the first slot. */
static k42_result directory_list(struct node *self, uint64_t cursor, struct node_listing *listing) {
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

static struct k42_pair directory_open(struct node *self, unsigned flags) {
    if (open_writes(flags))
        return failed(-EISDIR);
    return open_directory(INODE(self)->self, flags);
}

static const struct node_ops directory_ops = {
    RAMFS_METHODS,
    .lookup = directory_lookup,
    .create = directory_create,
    .link = directory_link,
    .unlink = directory_unlink,
    .rename = directory_rename,
    .target = node_no_target,
    .list = directory_list,
    .open = directory_open,
    .cache = node_no_cache,
};

static const struct k42_format directory_format = {"node.ramfs.directory", 1, 1};
static const struct k42_transfer directory_transfers[] = BODY_TRANSFERS(directory_format);

K42_CLASS(ramfs_directory) = {
    .name = "node.ramfs.directory",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &directory_ops,
    .fini = ramfs_node_fini,
    .transfers = directory_transfers,
};
