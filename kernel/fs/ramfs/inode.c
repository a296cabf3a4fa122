/*
 * Inodes: made, held, dropped, ended; and what every node can do whatever its type.
 *
 * The object is destroyed with the last life, and what it counts for in the file system is given
 * back. Its `fini`, a grace period later, ends the inode, and
 * takes the lives of whatever names are left in a directory (of a file system that was unmounted),
 * whose objects end in turn: however deep the tree, the depth of calls is the same.
 */
#include "ramfs.h"

#include "../claims.h"
#include "../notify.h"
#include "../now.h"
#include "../values.h"
#include "runtime.h"

#include <errno.h>
#include <string.h>

enum { SECONDS_A_DAY = 24 * 3600 };

static struct k42_class *class_of(const struct inode *inode) {
    switch (inode->mode & MODE_TYPE) {
    case MODE_DIRECTORY:
        return inode->names.listed ? &ramfs_directory_list : &ramfs_directory_hash;
    case MODE_REGULAR:
        return &ramfs_regular;
    case MODE_LINK:
        return &ramfs_link;
    default:
        return &ramfs_special;
    }
}

static k42_result set_target(struct inode *inode, const char *target) {
    size_t length = k42_text_length(target);
    inode->target = k42_platform_alloc(length + 1);
    if (!inode->target)
        return -ENOMEM;
    k42_copy_text(inode->target, length + 1, target);
    inode->target_length = (uint32_t)length;
    return 0;
}

/* Gives back what the type has. */
static void inode_free(struct inode *inode) {
    struct ramfs *fs = inode->fs;
    if ((inode->mode & MODE_TYPE) == MODE_LINK)
        k42_platform_free(inode->target);
    if ((inode->mode & MODE_TYPE) == MODE_REGULAR)
        regular_end(inode);
    if ((inode->mode & MODE_TYPE) == MODE_DIRECTORY)
        names_end(&inode->names);
    extended_end(inode->extended);
    if (inode->number)
        numbers_remove(&fs->numbers, inode->number);
    k42_platform_free(inode);
    ramfs_let_go(fs);
}

static void discharge(struct ramfs *fs) {
    __atomic_sub_fetch(&fs->inodes, 1, __ATOMIC_RELAXED);
}

static k42_result charge(struct ramfs *fs) {
    uint64_t inodes = __atomic_add_fetch(&fs->inodes, 1, __ATOMIC_RELAXED);
    if (fs->most_inodes && inodes > fs->most_inodes) {
        discharge(fs);
        return -ENOSPC;
    }
    return 0;
}

k42_result inode_make(struct ramfs *fs, const struct node_new *what, struct inode **made) {
    k42_result result = charge(fs);
    if (result < 0)
        return result;
    struct inode *inode = k42_platform_alloc(sizeof(*inode));
    if (!inode) {
        discharge(fs);
        return -ENOMEM;
    }
    ramfs_keep(fs);
    inode->fs = fs;
    inode->lives = 1;
    inode->mode = what->mode;
    inode->uid = what->uid;
    inode->gid = what->gid;
    inode->special = what->special;
    inode->born = inode->accessed = inode->modified = inode->changed = node_now();
    if ((inode->mode & MODE_TYPE) == MODE_LINK)
        result = set_target(inode, what->target);
    if ((inode->mode & MODE_TYPE) == MODE_DIRECTORY)
        inode->names.listed = !fs->filling;
    if ((inode->mode & MODE_TYPE) == MODE_REGULAR)
        inode->seals = regular_seals(fs);
    if (result >= 0)
        result = numbers_add(&fs->numbers, inode);
    if (result >= 0)
        result = k42_make(class_of(inode), inode, &inode->self);
    if (result < 0) {
        inode_free(inode);
        discharge(fs);
    } else {
        *made = inode;
    }
    return result;
}

bool inode_hold(struct inode *inode) {
    uint32_t lives = __atomic_load_n(&inode->lives, __ATOMIC_RELAXED);
    while (lives)
        if (__atomic_compare_exchange_n(&inode->lives, &lives, lives + 1, true, __ATOMIC_ACQ_REL,
                                        __ATOMIC_RELAXED))
            return true;
    return false;
}

/* Perhaps the life that is left is the hold of who watches it. Names that go with a directory are
 * dropped by who is not active. */
static void left(k42_ref node) {
    bool was_active = k42_active();
    if (!was_active)
        k42_enter();
    notify_left(node);
    if (!was_active)
        k42_exit();
}

void inode_drop(struct inode *inode) {
    k42_ref self = inode->self;
    bool has_name = __atomic_load_n(&inode->links, __ATOMIC_RELAXED);
    uint32_t lives = __atomic_sub_fetch(&inode->lives, 1, __ATOMIC_ACQ_REL);
    if (lives == 1 && !has_name && notify_any())
        left(self);
    if (lives)
        return;
    discharge(inode->fs);
    if ((inode->mode & MODE_TYPE) == MODE_REGULAR)
        regular_abandon(inode);
    (void)!k42_destroy(inode->self);
}

void inode_named(struct inode *inode, struct inode *directory, struct entry *entry) {
    __atomic_store_n(&inode->entry, NULL, __ATOMIC_RELEASE);
    __atomic_store_n(&inode->parent, directory, __ATOMIC_RELEASE);
    __atomic_store_n(&inode->directory, directory->number, __ATOMIC_RELAXED);
    __atomic_store_n(&inode->entry, entry, __ATOMIC_RELEASE);
}

bool inode_unnamed(struct inode *inode, const struct entry *entry, struct node_time now) {
    inode_changed(inode, now);
    if (inode->entry == entry)
        __atomic_store_n(&inode->entry, NULL, __ATOMIC_RELEASE);
    inode_count_links(inode, inode->links - 1);
    return inode->links == 0;
}

/* The names that went with their directory; nobody can look any more. */
static void drop_names(struct inode *inode) {
    uint32_t slot = 0;
    for (struct entry *entry; (entry = names_next(&inode->names, &slot)); slot++) {
        struct inode *child = entry->inode;
        k42_lock(&child->lock);
        if ((child->mode & MODE_TYPE) == MODE_DIRECTORY) {
            inode_count_links(child, 1);
            __atomic_store_n(&child->parent, NULL, __ATOMIC_RELEASE);
        }
        bool last = inode_unnamed(child, entry, child->changed);
        k42_unlock(&child->lock);
        entry_defer_free(entry);
        if (last)
            inode_drop(child);
    }
}

void ramfs_node_fini(struct k42_root *root) {
    struct inode *inode = body_of_root(root);
    if (!inode)
        return;
    if ((inode->mode & MODE_TYPE) == MODE_DIRECTORY)
        drop_names(inode);
    inode_free(inode);
}

/* ---- methods ---- */

k42_result ramfs_describe(struct k42_object *self, char *text, size_t size) {
    struct inode *inode = INODE(self);
    return (k42_result)k42_format_text(text, size, "%s inode %lu, mode %x, %u links, %u lives",
                                       inode->fs->name, inode->number, inode->mode, inode->links,
                                       inode->lives);
}

k42_result ramfs_hold(struct node *self) {
    return inode_hold(INODE(self)) ? 0 : -K42_STALE;
}

k42_result ramfs_release(struct node *self) {
    inode_drop(INODE(self));
    return 0;
}

k42_result ramfs_attributes(struct node *self, struct node_attributes *attributes) {
    struct inode *inode = INODE(self);
    uint64_t size = inode->special, pages = 0;
    switch (__atomic_load_n(&inode->mode, __ATOMIC_RELAXED) & MODE_TYPE) {
    case MODE_REGULAR:
        size = regular_size(inode, &pages);
        break;
    case MODE_DIRECTORY:
        size = 20ul * (2 + __atomic_load_n(&inode->names.live, __ATOMIC_RELAXED));
        break;
    case MODE_LINK:
        size = inode->target_length;
        break;
    default:
        size = 0;
    }
    k42_lock(&inode->lock);
    *attributes = (struct node_attributes){
        .device = inode->fs->device,
        .number = inode->number,
        .mode = inode->mode,
        .links = inode->links,
        .uid = inode->uid,
        .gid = inode->gid,
        .special = inode->special,
        .size = size,
        .blocks = pages * 8,
        .block_size = 4096,
        .mount_flags = inode->fs->flags,
        .accessed = inode->accessed,
        .modified = inode->modified,
        .changed = inode->changed,
        .born = inode->born,
    };
    k42_unlock(&inode->lock);
    return 0;
}

static void lose_set_id(struct inode *inode) {
    if (inode->mode & (MODE_SET_UID | MODE_SET_GID))
        __atomic_store_n(&inode->mode, inode->mode & ~node_lost_by_writing(inode->mode, inode->gid),
                         __ATOMIC_RELAXED);
}

static bool keeps_execute(const struct inode *inode) {
    return (inode->mode & MODE_TYPE) == MODE_REGULAR && regular_keeps_execute(inode);
}

k42_result ramfs_set_attributes(struct node *self, unsigned which,
                                const struct node_attributes *attributes) {
    struct inode *inode = INODE(self);
    if (which & NODE_SET_MODE && (inode->mode ^ attributes->mode) & MODE_EXECUTES &&
        keeps_execute(inode))
        return -EPERM;
    if (which & NODE_SET_SIZE) {
        k42_result result = regular_resize(inode, attributes->size);
        if (result < 0)
            return result;
    }
    struct node_time now = node_now();
    k42_lock(&inode->lock);
    if (which & NODE_SET_SIZE)
        lose_set_id(inode);
    if (which & NODE_SET_MODE)
        __atomic_store_n(&inode->mode,
                         (inode->mode & MODE_TYPE) | (attributes->mode & MODE_PERMISSIONS),
                         __ATOMIC_RELAXED);
    if (which & NODE_SET_UID)
        __atomic_store_n(&inode->uid, attributes->uid, __ATOMIC_RELAXED);
    if (which & NODE_SET_GID)
        __atomic_store_n(&inode->gid, attributes->gid, __ATOMIC_RELAXED);
    if (which & NODE_SET_ACCESSED)
        inode->accessed = attributes->accessed;
    if (which & NODE_SET_ACCESSED_NOW)
        inode->accessed = now;
    if (which & NODE_SET_MODIFIED)
        inode->modified = attributes->modified;
    if (which & (NODE_SET_MODIFIED_NOW | NODE_SET_SIZE))
        inode->modified = now;
    inode_changed(inode, now);
    k42_unlock(&inode->lock);
    return 0;
}

static bool is_before(struct node_time a, struct node_time b) {
    return a.seconds < b.seconds || (a.seconds == b.seconds && a.nanoseconds <= b.nanoseconds);
}

/* Reading sets the time when it was not yet read since it was changed, or a day ago: Linux's
 * `relatime`. Readers that have nothing to set share the inode's cache line and write nothing. */
static void read_now(struct inode *inode, struct node_time now) {
    inode->accessed = now;
    if (!is_before(now, inode->modified) && !is_before(now, inode->changed))
        __atomic_store_n(&inode->read_until, now.seconds + SECONDS_A_DAY, __ATOMIC_RELAXED);
}

k42_result ramfs_touch(struct node *self, unsigned how) {
    struct inode *inode = INODE(self);
    struct node_time now = node_now();
    if (how == NODE_TOUCH_READ &&
        now.seconds < __atomic_load_n(&inode->read_until, __ATOMIC_RELAXED))
        return 0;
    k42_lock(&inode->lock);
    if (how & NODE_TOUCH_READ)
        read_now(inode, now);
    if (how & NODE_TOUCH_WRITTEN) {
        inode->modified = now;
        inode_changed(inode, now);
        lose_set_id(inode);
    }
    k42_unlock(&inode->lock);
    return 0;
}

/* What is in no directory may have a title. Where it was last; what has gone there meanwhile is not
 * found by its number. */
static struct k42_pair no_name(struct inode *inode, char *text, size_t size) {
    const char *title = (inode->mode & MODE_TYPE) == MODE_REGULAR ? inode->title : NULL;
    if (title && k42_text_length(title) <= size) {
        memcpy(text, title, k42_text_length(title));
        return (struct k42_pair){.result = (k42_result)k42_text_length(title)};
    }
    uint64_t number = __atomic_load_n(&inode->directory, __ATOMIC_RELAXED);
    const struct inode *directory = number ? numbers_find(&inode->fs->numbers, number) : NULL;
    return (struct k42_pair){-ENOENT, directory ? (uintptr_t)directory->self : 0};
}

/* The directory is read first, and believed if the name is still the same afterwards. */
struct k42_pair ramfs_name(struct node *self, char *text, size_t size) {
    struct inode *inode = INODE(self);
    struct entry *entry;
    struct inode *parent;
    do {
        entry = __atomic_load_n(&inode->entry, __ATOMIC_ACQUIRE);
        parent = __atomic_load_n(&inode->parent, __ATOMIC_ACQUIRE);
    } while (entry != __atomic_load_n(&inode->entry, __ATOMIC_ACQUIRE));
    if (!entry || !parent || entry->length > size)
        return no_name(inode, text, size);
    memcpy(text, entry->text, entry->length);
    return (struct k42_pair){entry->length, (uintptr_t)parent->self};
}

k42_result ramfs_file_system(struct node *self, struct node_file_system *counts) {
    struct ramfs *fs = INODE(self)->fs;
    uint64_t inodes = __atomic_load_n(&fs->inodes, __ATOMIC_RELAXED);
    uint64_t pages = __atomic_load_n(&fs->pages, __ATOMIC_RELAXED);
    *counts = (struct node_file_system){
        .type = fs->type,
        .blocks = fs->most_pages,
        .blocks_free = fs->most_pages > pages ? fs->most_pages - pages : 0,
        .nodes = fs->most_inodes,
        .nodes_free = fs->most_inodes > inodes ? fs->most_inodes - inodes : 0,
        .block_size = 4096,
        .flags = fs->flags,
    };
    k42_copy_text(counts->name, sizeof counts->name, fs->name);
    return 0;
}

/* A number is given once, so what has gone has none. One that is going is stale when it is used. */
struct k42_pair ramfs_by_number(struct node *self, uint64_t number) {
    struct inode *inode = number ? numbers_find(&INODE(self)->fs->numbers, number) : NULL;
    if (!inode)
        return (struct k42_pair){.result = -ESTALE};
    return (struct k42_pair){0, (uintptr_t)inode->self};
}

k42_result ramfs_claim(struct node *self, unsigned claim) {
    return claims_add(&INODE(self)->claims, claim);
}

k42_result ramfs_unclaim(struct node *self, unsigned claim) {
    claims_remove(&INODE(self)->claims, claim);
    return 0;
}

k42_result ramfs_claims(struct node *self, struct node_claims *claims) {
    claims_look(&INODE(self)->claims, claims);
    return 0;
}
