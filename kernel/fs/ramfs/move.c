/*
 * Names moved, replaced and exchanged: renameat2.
 *
 * Between two directories one move at a time is made in a file system (fs->moving), so no
 * directory's parent changes while it is asked whether one lies below another. The new name leads
 * to the moved file before the old name goes, so at each moment there is at least one of them.
 */
#include "tree.h"

#include "../now.h"
#include "../values.h"

#include <errno.h>

static bool lies_below(const struct inode *inode, const struct inode *above) {
    for (;;) {
        if (inode == above)
            return true;
        const struct inode *parent = __atomic_load_n(&inode->parent, __ATOMIC_ACQUIRE);
        if (!parent || parent == inode)
            return false;
        inode = parent;
    }
}

static void lock_both(const struct tree_move *move) {
    struct inode *first = move->from, *second = move->to;
    if (first == second) {
        k42_lock(&first->lock);
        return;
    }
    k42_lock(&first->fs->moving);
    if (lies_below(first, second) || (!lies_below(second, first) && second < first)) {
        first = move->to;
        second = move->from;
    }
    k42_lock(&first->lock);
    k42_lock(&second->lock);
}

static void unlock_both(const struct tree_move *move) {
    k42_unlock(&move->from->lock);
    if (move->from == move->to)
        return;
    k42_unlock(&move->to->lock);
    k42_unlock(&move->from->fs->moving);
}

/* What is at the two names. */
struct found {
    struct entry *old, *new;
    struct inode *moved, *other; /* other: at the new name, or NULL */
};

/* Whether a directory would come to lie within itself. */
static bool is_loop(const struct tree_move *move, const struct found *found) {
    if (inode_is_directory(found->moved) && lies_below(move->to, found->moved))
        return true;
    return (move->flags & RENAME_SWAP) && inode_is_directory(found->other) &&
           lies_below(move->from, found->other);
}

static k42_result can_replace(const struct tree_move *move, const struct found *found) {
    if (!tree_may_take(move->to, found->other, move->who))
        return -EPERM;
    if (move->flags & RENAME_SWAP)
        return 0;
    if (inode_is_directory(found->moved) != inode_is_directory(found->other))
        return inode_is_directory(found->moved) ? -ENOTDIR : -EISDIR;
    return 0;
}

static k42_result find_both(const struct tree_move *move, struct found *found) {
    found->old = names_find(&move->from->names, move->name);
    found->new = names_find(&move->to->names, move->new_name);
    found->moved = found->old ? found->old->inode : NULL;
    found->other = found->new ? found->new->inode : NULL;
    if (!found->old || !move->to->parent || (!found->new && (move->flags & RENAME_SWAP)))
        return -ENOENT;
    if (found->new && (move->flags & RENAME_KEEP))
        return -EEXIST;
    if (is_loop(move, found))
        return -EINVAL;
    /* The directory that the name is in is not empty. */
    if (found->other && !(move->flags & RENAME_SWAP) && inode_is_directory(found->other) &&
        lies_below(move->from, found->other))
        return -ENOTEMPTY;
    if (found->moved == found->other)
        return 0;
    if (!tree_may_take(move->from, found->moved, move->who))
        return -EPERM;
    return found->other ? can_replace(move, found) : 0;
}

/* A directory has come from one directory to another; or just another name. */
static void arrive(struct inode *inode, struct inode *from, struct inode *to, struct entry *entry,
                   struct node_time now) {
    k42_lock(&inode->lock);
    inode_changed(inode, now);
    inode_named(inode, to, entry);
    if (inode_is_directory(inode) && from != to) {
        inode_count_links(from, from->links - 1);
        inode_count_links(to, to->links + 1);
    }
    k42_unlock(&inode->lock);
}

/* Takes the new name from who has it; 1 when its names' life is over with that. -ENOTEMPTY. */
static k42_result displace(const struct tree_move *move, const struct found *found,
                           struct node_time now) {
    struct inode *other = found->other;
    k42_result result = 0;
    k42_lock(&other->lock);
    if (inode_is_directory(other)) {
        if (other->names.live) {
            result = -ENOTEMPTY;
        } else {
            __atomic_store_n(&other->parent, NULL, __ATOMIC_RELEASE);
            inode_count_links(other, 1);
            inode_count_links(move->to, move->to->links - 1);
        }
    }
    if (result == 0)
        result = inode_unnamed(other, found->new, now);
    k42_unlock(&other->lock);
    return result;
}

static void swap_names(const struct tree_move *move, const struct found *found,
                       struct node_time now) {
    __atomic_store_n(&found->new->inode, found->moved, __ATOMIC_RELEASE);
    __atomic_store_n(&found->old->inode, found->other, __ATOMIC_RELEASE);
    arrive(found->moved, move->from, move->to, found->new, now);
    arrive(found->other, move->to, move->from, found->old, now);
}

/* `entry` is for the new name if nobody has it; NULL afterwards when it was used. */
static k42_result make_move(const struct tree_move *move, struct entry **entry,
                            struct inode **gone) {
    struct found found;
    struct node_time now = node_now();
    k42_result result = find_both(move, &found);
    if (result < 0 || found.moved == found.other)
        return result;
    if (!found.other) {
        result = names_reserve(&move->to->names);
        if (result < 0)
            return result;
        found.new = *entry;
        found.new->inode = found.moved;
        names_add(&move->to->names, found.new);
        *entry = NULL;
    } else if (move->flags & RENAME_SWAP) {
        swap_names(move, &found, now);
    } else {
        result = displace(move, &found, now);
        if (result < 0)
            return result;
        *gone = result ? found.other : NULL;
        __atomic_store_n(&found.new->inode, found.moved, __ATOMIC_RELEASE);
    }
    if (!(move->flags & RENAME_SWAP)) {
        arrive(found.moved, move->from, move->to, found.new, now);
        names_remove(&move->from->names, found.old);
    }
    tree_changed(move->from, now);
    tree_changed(move->to, now);
    return 0;
}

k42_result tree_move(const struct tree_move *move) {
    struct inode *gone = NULL;
    if ((move->flags & ~(unsigned)(RENAME_KEEP | RENAME_SWAP)) ||
        (move->flags & (RENAME_KEEP | RENAME_SWAP)) == (RENAME_KEEP | RENAME_SWAP))
        return -EINVAL;
    struct entry *entry = entry_make(move->new_name, NULL);
    if (!entry)
        return -ENOMEM;
    lock_both(move);
    k42_result result = make_move(move, &entry, &gone);
    unlock_both(move);
    if (entry)
        entry_free(entry);
    if (gone)
        inode_drop(gone);
    return result;
}
