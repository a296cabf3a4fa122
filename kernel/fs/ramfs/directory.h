/*
 * Directories of ramfs, by how they find a name.
 *
 *   directory_list.c   looks through them: a few names, and no table
 *   directory_hash.c   by hash: any number
 *   directory.c        everything else, which is the same in both
 *
 * Looking through costs some seven instructions a name, hashing some twenty in all; a table costs
 * memory. A directory begins as a list, becomes hashed when it has more than LISTED_MOST names and
 * a list again when it gets a name and has fewer than HASHED_LEAST. Until the change is made it
 * goes on as it is, with as many names as come.
 *
 * Format: node.ramfs.directory, the inode by pointer; the new class brings its names in order under
 * the inode's lock. It may have to wait for whoever changes the directory at that moment, from
 * another one (tree.h): a few hundred instructions.
 */
#ifndef KERNEL_RAMFS_DIRECTORY_H
#define KERNEL_RAMFS_DIRECTORY_H

#include "tree.h"

#include "../notify.h"
#include "../open_file.h"
#include "../values.h"

#include <errno.h>

enum { LISTED_MOST = 8, HASHED_LEAST = 3 };

extern const struct k42_format ramfs_directory_format;

/* After names have come: asks for the other class if that fits better now. (Where names only go, it
 * will soon have none.) No lock is held. */
void directory_fits(struct inode *inode);

/* For transfers: how many names. */
size_t directory_measure(struct k42_root *from);

static inline struct k42_pair directory_found(const struct inode *inode) {
    return (struct k42_pair){MODE_ENTRY_TYPE(inode->mode), (uintptr_t)inode->self};
}

static inline k42_result directory_search(const struct inode *inode,
                                          const struct credentials *who) {
    /* Read without the lock: who may changes at some moment. */
    struct node_attributes attributes = {
        .mode = __atomic_load_n(&inode->mode, __ATOMIC_RELAXED),
        .uid = __atomic_load_n(&inode->uid, __ATOMIC_RELAXED),
        .gid = __atomic_load_n(&inode->gid, __ATOMIC_RELAXED),
    };
    return node_allows(&attributes, who, NODE_EXECUTE);
}

/* lookup(), with how a class finds a name. Who watches a directory is told of a file by the name it
 * was last found by. */
static inline __attribute__((always_inline)) struct k42_pair
directory_lookup_with(struct node *self, const struct node_name *name,
                      const struct credentials *who,
                      struct entry *(*find)(const struct names *, const struct node_name *)) {
    struct inode *inode = INODE(self);
    k42_result result = directory_search(inode, who);
    if (result < 0)
        return (struct k42_pair){.result = result};
    if (name->length == 2 && name->text[0] == '.' && name->text[1] == '.') {
        struct inode *parent = __atomic_load_n(&inode->parent, __ATOMIC_RELAXED);
        return parent ? directory_found(parent) : (struct k42_pair){.result = -ENOENT};
    }
    if (notify_any())
        tree_note_name(inode, name);
    struct entry *entry = find(&inode->names, name);
    return entry ? directory_found(__atomic_load_n(&entry->inode, __ATOMIC_ACQUIRE))
                 : (struct k42_pair){.result = -ENOENT};
}

struct k42_pair directory_create(struct node *self, const struct node_new *what);
k42_result directory_link(struct node *self, const struct node_name *name, k42_ref node);
k42_result directory_unlink(struct node *self, const struct node_name *name, unsigned directory,
                            const struct credentials *who);
k42_result directory_rename(struct node *self, const struct node_name *name, k42_ref to,
                            const struct node_name *new_name, unsigned flags,
                            const struct credentials *who);
k42_result directory_list(struct node *self, uint64_t cursor, struct node_listing *listing);
struct k42_pair directory_open(struct node *self, unsigned flags);

#define DIRECTORY_METHODS                                                                          \
    RAMFS_METHODS, .create = directory_create, .link = directory_link, .unlink = directory_unlink, \
                   .rename = directory_rename, .target = node_no_target, .list = directory_list,   \
                   .open = directory_open, .cache = node_no_cache

#endif
