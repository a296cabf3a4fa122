/*
 * Changes of the tree: what makes, links, removes and moves names. Inside ramfs.
 *
 * Each is one step for whoever looks: a name leads to one thing or the other, never to nothing in
 * between. All return 0 or a negative errno, as the methods of `node` of the same names.
 */
#ifndef KERNEL_RAMFS_TREE_H
#define KERNEL_RAMFS_TREE_H

#include "ramfs.h"

static inline bool inode_is_directory(const struct inode *inode) {
    return (inode->mode & 0170000) == 0040000;
}

/* Gives a new inode, with its life, a name. */
k42_result tree_add(struct inode *directory, const struct node_name *name, struct inode *inode);
k42_result tree_link(struct inode *directory, const struct node_name *name, struct inode *inode);
k42_result tree_remove(struct inode *directory, const struct node_name *name, bool is_directory,
                       const struct credentials *who);

struct tree_move {
    struct inode *from, *to;
    const struct node_name *name, *new_name;
    unsigned flags;
    const struct credentials *who;
};
k42_result tree_move(const struct tree_move *move);

/* With the directory's lock: a name of it has come, gone or moved. */
void tree_changed(struct inode *directory, struct node_time now);

/* From inside a call of the directory's node: what has this name, and perhaps others, says from now
 * on that it has this one. */
void tree_note_name(struct inode *directory, const struct node_name *name);

/* Whether somebody may take a name of this inode out of a directory: sticky ones say who. */
bool tree_may_take(const struct inode *directory, const struct inode *inode,
                   const struct credentials *who);

#endif
