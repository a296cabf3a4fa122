/*
 * Names made, linked and removed. Moves are in move.c.
 *
 * A directory that was removed has no parent, so nothing is put into it any more; its parent is
 * changed with its own lock held. Everything that can fail is done before the first change.
 */
#include "tree.h"

#include "../now.h"
#include "../values.h"

#include <errno.h>

enum { MOST_LINKS = 0x7fffffff };

void tree_changed(struct inode *directory, struct node_time now) {
    directory->modified = now;
    inode_changed(directory, now);
}

/* With the directory's lock: whether the name can be made. */
static k42_result can_add(struct inode *directory, const struct node_name *name) {
    if (!directory->parent)
        return -ENOENT;
    if (names_find(&directory->names, name))
        return -EEXIST;
    return names_reserve(&directory->names);
}

k42_result tree_add(struct inode *directory, const struct node_name *name, struct inode *inode) {
    struct entry *entry = entry_make(name, inode);
    if (!entry)
        return -ENOMEM;
    k42_lock(&directory->lock);
    k42_result result = can_add(directory, name);
    if (result == 0) {
        inode->links = 1;
        if (inode_is_directory(inode)) {
            inode->links = 2;
            inode_count_links(directory, directory->links + 1);
        }
        inode_named(inode, directory, entry);
        names_add(&directory->names, entry);
        tree_changed(directory, node_now());
    }
    k42_unlock(&directory->lock);
    if (result < 0)
        entry_free(entry);
    return result;
}

/* One name more, which shares the names' life; an inode that lost all its names is going. One that
 * never had any is held by who names it, so it can have another life. */
static k42_result add_link(struct inode *inode, struct inode *directory, struct entry *entry,
                           struct node_time now) {
    k42_result result = 0;
    k42_lock(&inode->lock);
    if (!inode->links && !(inode->nameable && inode_hold(inode)))
        result = -ENOENT;
    else if (inode->links == MOST_LINKS)
        result = -EMLINK;
    else
        inode_count_links(inode, inode->links + 1);
    if (result == 0) {
        inode_changed(inode, now);
        inode->nameable = false;
        if (!inode->entry)
            inode_named(inode, directory, entry);
    }
    k42_unlock(&inode->lock);
    return result;
}

k42_result tree_link(struct inode *directory, const struct node_name *name, struct inode *inode) {
    if (inode_is_directory(inode))
        return -EPERM;
    struct entry *entry = entry_make(name, inode);
    if (!entry)
        return -ENOMEM;
    struct node_time now = node_now();
    k42_lock(&directory->lock);
    k42_result result = can_add(directory, name);
    if (result == 0)
        result = add_link(inode, directory, entry, now);
    if (result == 0) {
        names_add(&directory->names, entry);
        tree_changed(directory, now);
    }
    k42_unlock(&directory->lock);
    if (result < 0)
        entry_free(entry);
    return result;
}

/* Looked up anew with the lock, as the name may have gone since it was found. */
static void note_name(struct inode *directory, const struct node_name *name) {
    k42_lock(&directory->lock);
    struct entry *entry = names_find(&directory->names, name);
    if (entry && !inode_is_directory(entry->inode)) {
        k42_lock(&entry->inode->lock);
        inode_named(entry->inode, directory, entry);
        k42_unlock(&entry->inode->lock);
    }
    k42_unlock(&directory->lock);
}

void tree_note_name(struct inode *directory, const struct node_name *name) {
    const struct entry *entry = names_find(&directory->names, name);
    const struct inode *inode = entry ? __atomic_load_n(&entry->inode, __ATOMIC_ACQUIRE) : NULL;
    if (inode && __atomic_load_n(&inode->entry, __ATOMIC_RELAXED) != entry)
        note_name(directory, name);
}

bool tree_may_take(const struct inode *directory, const struct inode *inode,
                   const struct credentials *who) {
    return !(directory->mode & MODE_STICKY) || who->fsuid == inode->uid ||
           who->fsuid == directory->uid || (who->effective >> CAPABILITY_OWNER & 1);
}

static k42_result can_remove(const struct inode *directory, const struct inode *inode,
                             bool is_directory, const struct credentials *who) {
    if (!tree_may_take(directory, inode, who))
        return -EPERM;
    if (inode_is_directory(inode) != is_directory)
        return is_directory ? -ENOTDIR : -EISDIR;
    return 0;
}

k42_result tree_remove(struct inode *directory, const struct node_name *name, bool is_directory,
                       const struct credentials *who) {
    struct node_time now = node_now();
    bool last = false;
    k42_lock(&directory->lock);
    struct entry *entry = names_find(&directory->names, name);
    struct inode *inode = entry ? entry->inode : NULL;
    k42_result result = entry ? can_remove(directory, inode, is_directory, who) : -ENOENT;
    if (result == 0) {
        k42_lock(&inode->lock);
        if (is_directory && inode->names.live) {
            result = -ENOTEMPTY;
        } else {
            if (is_directory) {
                __atomic_store_n(&inode->parent, NULL, __ATOMIC_RELEASE);
                inode_count_links(inode, 1);
                inode_count_links(directory, directory->links - 1);
            }
            last = inode_unnamed(inode, entry, now);
            names_remove(&directory->names, entry);
            tree_changed(directory, now);
        }
        k42_unlock(&inode->lock);
    }
    k42_unlock(&directory->lock);
    if (last)
        inode_drop(inode);
    return result;
}
