/*
 * The class of ramfs's regular files.
 *
 * A file gets its page cache when somebody first wants to see or change its bytes; until then it is
 * empty, or what its source says. Two who want it first make one each, and one of them goes.
 *
 * Seals are the page cache's. As on Linux files of a tmpfs have them, and begin with the one
 * against further ones, and those of a ramfs have none; a memory file begins as its maker says.
 */
#include "../open_file.h"
#include "../values.h"
#include "pages.h"
#include "ramfs.h"
#include "runtime.h"

#include "../../mem/fcm/fcm.h"

#include <errno.h>

static fcm_ref present_cache(const struct inode *inode) {
    return (fcm_ref)__atomic_load_n(&inode->fcm, __ATOMIC_ACQUIRE);
}

static k42_result cache_of(struct inode *inode, fcm_ref *fcm) {
    *fcm = present_cache(inode);
    if (*fcm)
        return 0;
    k42_ref made, none = K42_NULL_REF;
    uint64_t *room;
    k42_result result = pages_make(inode->fs, &inode->source, inode->seals, &made, &room);
    if (result < 0)
        return result;
    if (!__atomic_compare_exchange_n(&inode->fcm, &none, made, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE)) {
        (void)!k42_destroy(made);
        made = none;
    } else {
        __atomic_store_n(&inode->room, room, __ATOMIC_RELEASE);
    }
    *fcm = (fcm_ref)made;
    return 0;
}

unsigned regular_seals(const struct ramfs *fs) {
    return fs->type == TMPFS_TYPE ? FCM_SEAL_SEAL : PAGES_UNSEALED;
}

bool regular_keeps_execute(const struct inode *inode) {
    fcm_ref fcm = present_cache(inode);
    k42_result seals = fcm ? k42_call(fcm, seal, 0u) : inode->seals;
    return seals >= 0 && seals & FCM_SEAL_EXECUTE;
}

uint64_t regular_size(struct inode *inode, uint64_t *pages) {
    fcm_ref fcm = present_cache(inode);
    *pages = (inode->source.size + 4095) / 4096;
    if (!fcm)
        return inode->source.size;
    struct fcm_usage usage;
    if (k42_call(fcm, usage, &usage) >= 0)
        *pages = usage.present;
    k42_result size = k42_call(fcm, size);
    return size < 0 ? 0 : (uint64_t)size;
}

k42_result regular_resize(struct inode *inode, uint64_t size) {
    fcm_ref fcm;
    if ((inode->mode & MODE_TYPE) == MODE_DIRECTORY)
        return -EISDIR;
    if ((inode->mode & MODE_TYPE) != MODE_REGULAR)
        return -EINVAL;
    if (size == 0 && !present_cache(inode) && !inode->source.size)
        return 0;
    k42_result result = cache_of(inode, &fcm);
    return result < 0 ? result : k42_call(fcm, resize, size);
}

/* Without a page cache, or with one that has only just come, there is none to give back: whoever
 * writes holds the file first. */
void regular_abandon(struct inode *inode) {
    uint64_t *room = __atomic_load_n(&inode->room, __ATOMIC_ACQUIRE);
    if (room)
        pages_abandon(inode->fs, room);
}

void regular_end(struct inode *inode) {
    if (inode->fcm)
        (void)!k42_destroy(inode->fcm);
    k42_platform_free(inode->title);
}

static struct k42_pair regular_cache(struct node *self) {
    fcm_ref fcm;
    k42_result result = cache_of(INODE(self), &fcm);
    return (struct k42_pair){result, result < 0 ? 0 : (uintptr_t)fcm};
}

static struct k42_pair regular_open(struct node *self, unsigned flags) {
    struct k42_pair cache = regular_cache(self);
    if (cache.result < 0)
        return cache;
    return open_cached(INODE(self)->self, (k42_ref)cache.word, flags);
}

static const struct node_ops regular_ops = {
    RAMFS_METHODS,        NODE_NO_DIRECTORY,      .target = node_no_target,
    .open = regular_open, .cache = regular_cache,
};

static const struct k42_format regular_format = {"node.ramfs.regular", 1, 1};
static const struct k42_transfer regular_transfers[] = BODY_TRANSFERS(regular_format);

K42_CLASS(ramfs_regular) = {
    .name = "node.ramfs.regular",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &regular_ops,
    .fini = ramfs_node_fini,
    .transfers = regular_transfers,
};
