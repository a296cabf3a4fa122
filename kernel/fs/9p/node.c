/*
 * Nodes of the 9P file system: one class for all types, since the server knows what can be done
 * with what.
 *
 * Owns: the inode, with the object that has its pointer. Permissions are those that the server
 * shows, checked here, since it knows no user but the one it runs as.
 */
#include "p9.h"

#include "../../mem/fcm/fcm.h"
#include "../claims.h"
#include "../devices.h"
#include "../now.h"
#include "../open_file.h"
#include "../values.h"
#include "mount_9p.h"
#include "runtime.h"

static struct k42_pair failed(k42_result result) {
    return (struct k42_pair){.result = result};
}

static bool is_root(const struct p9_inode *inode) {
    return inode == inode->fs->root;
}

static bool is_directory(const struct p9_inode *inode) {
    return inode->qid.type & P9_QID_DIRECTORY;
}

/* ---- holding ---- */

static k42_result node_hold(struct node *self) {
    struct p9_inode *inode = P9_INODE(self);
    if (!p9_hold(inode))
        return -K42_STALE;
    if (is_root(inode))
        __atomic_add_fetch(&inode->fs->holders, 1, __ATOMIC_RELAXED);
    return 0;
}

/* A file that was closed is written back at once; a root that nobody has ends its file system. */
static k42_result node_release(struct node *self) {
    struct p9_inode *inode = P9_INODE(self);
    struct p9_fs *fs = inode->fs;
    bool last = is_root(inode) && !__atomic_sub_fetch(&fs->holders, 1, __ATOMIC_ACQ_REL);
    if (last)
        k42_store_release(&fs->ending, true);
    bool soon = last || k42_load_relaxed(&inode->may_be_dirty);
    if (soon)
        __atomic_add_fetch(&fs->references, 1, __ATOMIC_RELAXED);
    p9_drop(inode);
    if (soon) {
        p9_write_soon(fs);
        p9_fs_drop(fs);
    }
    return 0;
}

/* ---- attributes ---- */

static k42_result node_attributes(struct node *self, struct node_attributes *attributes) {
    struct p9_inode *inode = P9_INODE(self);
    k42_result result = p9_get_attributes_of(inode, attributes);
    k42_ref fcm = k42_load_acquire(&inode->fcm);
    if (result < 0 || !fcm)
        return result;
    k42_result size = k42_call((fcm_ref)fcm, size);
    if (size >= 0)
        attributes->size = (uint64_t)size;
    return 0;
}

static k42_result set_size(struct p9_inode *inode, uint64_t size) {
    k42_result result = p9_get_open(inode, true);
    if (result >= 0)
        result = p9_get_pages(inode);
    return result < 0 ? result : k42_call((fcm_ref)inode->fcm, resize, size);
}

static k42_result node_set_attributes(struct node *self, unsigned which,
                                      const struct node_attributes *attributes) {
    struct p9_inode *inode = P9_INODE(self);
    if (inode->fs->flags & NODE_READ_ONLY)
        return -EROFS;
    if (inode->unlinked)
        return 0;
    if (which & NODE_SET_SIZE) {
        k42_result result = is_directory(inode) ? -EISDIR : set_size(inode, attributes->size);
        which &= ~(unsigned)NODE_SET_SIZE;
        if (result < 0 || !which)
            return result;
    }
    return p9_set(inode, which, attributes);
}

static k42_result node_touch(struct node *self, unsigned how) {
    if (how & NODE_TOUCH_WRITTEN) {
        struct p9_inode *inode = P9_INODE(self);
        p9_may_write(inode);
        k42_lock(&inode->lock);
        inode->attributes.modified = inode->attributes.changed = node_now();
        k42_unlock(&inode->lock);
    }
    return 0;
}

/* ---- names ---- */

static k42_result may_search(struct p9_inode *inode, const struct credentials *who) {
    struct node_attributes attributes;
    k42_result result = p9_get_attributes_of(inode, &attributes);
    if (result < 0)
        return result;
    return is_directory(inode) ? node_allows(&attributes, who, NODE_EXECUTE) : -ENOTDIR;
}

/* As the calling program's call is to see it. */
static k42_result find_name(struct p9_inode *directory, const struct node_name *name,
                            struct p9_inode **inode) {
    if (p9_before_change(directory, name, inode))
        return *inode ? 0 : -ENOENT;
    return p9_get_name(directory, name, inode);
}

static struct k42_pair found(const struct p9_inode *inode) {
    return (struct k42_pair){MODE_ENTRY_TYPE(inode->attributes.mode), (uintptr_t)inode->self};
}

static struct k42_pair node_lookup(struct node *self, const struct node_name *name,
                                   const struct credentials *who) {
    struct p9_inode *directory = P9_INODE(self), *inode;
    k42_result result = may_search(directory, who);
    if (result < 0)
        return failed(result);
    if (name->length == 2 && name->text[0] == '.' && name->text[1] == '.') {
        struct p9_inode *parent = k42_load_acquire(&directory->parent);
        return found(parent ? parent : directory);
    }
    result = find_name(directory, name, &inode);
    return result < 0 ? failed(result) : found(inode);
}

static struct k42_pair node_create(struct node *self, const struct node_new *what) {
    struct p9_inode *directory = P9_INODE(self);
    if (!is_directory(directory))
        return failed(-ENOTDIR);
    if (directory->fs->flags & NODE_READ_ONLY)
        return failed(-EROFS);
    return p9_create(directory, what);
}

/* The inode of a ref, when it is of this file system: held. */
static k42_result same_fs(struct p9_fs *fs, k42_ref ref, struct p9_inode **inode) {
    struct node_attributes attributes;
    k42_result result = k42_call((node_ref)ref, attributes, &attributes);
    if (result < 0)
        return result;
    *inode = attributes.device == fs->device ? p9_inode_find(fs, attributes.number) : NULL;
    return *inode ? 0 : -EXDEV;
}

static k42_result node_link(struct node *self, const struct node_name *name, k42_ref node) {
    struct p9_inode *directory = P9_INODE(self), *inode;
    k42_result result =
        directory->fs->flags & NODE_READ_ONLY ? -EROFS : same_fs(directory->fs, node, &inode);
    if (result < 0)
        return result;
    result = p9_link(directory, name, inode);
    p9_drop(inode);
    return result;
}

/* In a sticky directory only the owner of either takes names away. */
static k42_result may_take_away(struct p9_inode *directory, const struct node_name *name,
                                const struct credentials *who) {
    struct p9_inode *inode;
    if (directory->fs->flags & NODE_READ_ONLY)
        return -EROFS;
    if (!(directory->attributes.mode & MODE_STICKY) || !who ||
        who->fsuid == directory->attributes.uid || (who->effective & 1ul << CAPABILITY_OWNER))
        return 0;
    k42_result result = find_name(directory, name, &inode);
    if (result < 0)
        return result;
    return who->fsuid == inode->attributes.uid ? 0 : -EPERM;
}

static k42_result node_unlink(struct node *self, const struct node_name *name, unsigned directory,
                              const struct credentials *who) {
    k42_result result = may_take_away(P9_INODE(self), name, who);
    return result < 0 ? result : p9_unlink(P9_INODE(self), name, directory);
}

static k42_result node_rename(struct node *self, const struct node_name *name, k42_ref to,
                              const struct node_name *new_name, unsigned flags,
                              const struct credentials *who) {
    struct p9_inode *from = P9_INODE(self), *target;
    if (flags)
        return -EINVAL;
    k42_result result = may_take_away(from, name, who);
    if (result >= 0)
        result = same_fs(from->fs, to, &target);
    if (result < 0)
        return result;
    result = p9_rename(from, name, target, new_name);
    p9_drop(target);
    return result;
}

static struct k42_pair node_name(struct node *self, char *text, size_t size) {
    struct p9_inode *inode = P9_INODE(self);
    struct k42_pair answer = failed(-ENOENT);
    k42_lock(&inode->lock);
    if (inode->parent)
        answer.word = (uintptr_t)inode->parent->self;
    if (inode->parent && inode->name && inode->name_length <= size && !inode->unlinked) {
        __builtin_memcpy(text, inode->name, inode->name_length);
        answer = (struct k42_pair){inode->name_length, (uintptr_t)inode->parent->self};
    }
    k42_unlock(&inode->lock);
    return answer;
}

static k42_result node_target(struct node *self, char *text, size_t size) {
    struct p9_inode *inode = P9_INODE(self);
    return inode->qid.type & P9_QID_LINK ? p9_get_target(inode, text, size) : -EINVAL;
}

static k42_result node_list(struct node *self, uint64_t cursor, struct node_listing *listing) {
    struct p9_inode *inode = P9_INODE(self);
    return is_directory(inode) ? p9_get_list(inode, cursor, listing) : -ENOTDIR;
}

/* ---- contents ---- */

static k42_result get_cache(struct p9_inode *inode, bool writes) {
    if ((inode->attributes.mode & MODE_TYPE) != MODE_REGULAR)
        return -ENODEV;
    k42_result result = p9_get_open(inode, writes);
    return result < 0 ? result : p9_get_pages(inode);
}

/* What there is does not wait for the server, nor for its news: who looks changes nothing. */
static struct k42_pair node_cache(struct node *self) {
    struct p9_inode *inode = P9_INODE(self);
    k42_result result = k42_load_acquire(&inode->fcm) ? 0 : get_cache(inode, false);
    return result < 0 ? failed(result) : (struct k42_pair){0, (uintptr_t)inode->fcm};
}

static struct k42_pair open_special(struct p9_inode *inode, unsigned flags) {
    uint32_t type = inode->attributes.mode & MODE_TYPE;
    if (type != MODE_CHARACTER && type != MODE_BLOCK)
        return failed(-ENXIO);
    return device_open(type == MODE_BLOCK, inode->attributes.special, inode->self, flags);
}

static struct k42_pair node_open(struct node *self, unsigned flags) {
    struct p9_inode *inode = P9_INODE(self);
    bool writes = open_writes(flags);
    if (flags & OPEN_PATH)
        return open_path(inode->self, flags);
    if (writes && (inode->fs->flags & NODE_READ_ONLY))
        return failed(-EROFS);
    if (is_directory(inode)) {
        k42_result result = writes ? -EISDIR : p9_get_open(inode, false);
        return result < 0 ? failed(result) : p9_open_directory(inode, flags);
    }
    if ((inode->attributes.mode & MODE_TYPE) != MODE_REGULAR)
        return open_special(inode, flags);
    k42_result result = get_cache(inode, writes);
    if (result < 0)
        return failed(result);
    if (writes)
        p9_may_write(inode);
    return open_cached(inode->self, inode->fcm, flags);
}

static k42_result node_claim(struct node *self, unsigned claim) {
    return claims_add(&P9_INODE(self)->claims, claim);
}

static k42_result node_unclaim(struct node *self, unsigned claim) {
    claims_remove(&P9_INODE(self)->claims, claim);
    return 0;
}

static k42_result node_claims(struct node *self, struct node_claims *claims) {
    claims_look(&P9_INODE(self)->claims, claims);
    return 0;
}

static k42_result node_file_system(struct node *self, struct node_file_system *counts) {
    struct p9_inode *inode = P9_INODE(self);
    struct p9_counts known;
    k42_result result = p9_get_counts_of(inode, &known);
    if (result < 0)
        return result;
    *counts = (struct node_file_system){
        .type = P9_MAGIC,
        .blocks = known.blocks,
        .blocks_free = known.blocks_available,
        .nodes = known.files,
        .nodes_free = known.files_free,
        .block_size = known.block_size,
        .flags = inode->fs->flags,
        .name = "9p",
    };
    return 0;
}

static k42_result node_describe(struct k42_object *self, char *text, size_t size) {
    struct p9_inode *inode = P9_INODE(self);
    return (k42_result)k42_format_text(text, size, "file %lu of %s, %u lives%s", inode->qid.path,
                                       inode->fs->tag, inode->lives,
                                       inode->fcm ? ", with pages" : "");
}

static void node_fini(struct k42_root *root) {
    struct p9_inode *inode = body_of_root(root);
    if (!inode)
        return;
    k42_enter(); /* the server is told */
    p9_inode_end(inode);
    k42_exit();
}

static const struct node_ops node_ops = {
    .object.describe = node_describe,
    .hold = node_hold,
    .release = node_release,
    .attributes = node_attributes,
    .set_attributes = node_set_attributes,
    .lookup = node_lookup,
    .create = node_create,
    .link = node_link,
    .unlink = node_unlink,
    .rename = node_rename,
    .target = node_target,
    .list = node_list,
    .open = node_open,
    .cache = node_cache,
    .file_system = node_file_system,
    .touch = node_touch,
    .jump = node_no_jump,
    .name = node_name,
    .get_extended = node_no_get_extended,
    .by_number = node_no_by_number,
    .set_extended = node_no_set_extended,
    .claim = node_claim,
    .unclaim = node_unclaim,
    .claims = node_claims,
};

static const struct k42_format node_format = {"node.9p", 1, 1};
static const struct k42_transfer node_transfers[] = BODY_TRANSFERS(node_format);

K42_CLASS(p9_node) = {
    .name = "node.9p",
    .interface = &node_interface,
    .version = 1,
    .traits = "behind=9p",
    BODY_LAYOUT,
    .ops = &node_ops,
    .fini = node_fini,
    .transfers = node_transfers,
};
