/*
 * The class of ramfs's symbolic links: a text that never changes.
 */
#include "../open_file.h"
#include "ramfs.h"

#include <errno.h>
#include <string.h>

static k42_result link_target(struct node *self, char *text, size_t size) {
    struct inode *inode = INODE(self);
    size_t length = inode->target_length < size ? inode->target_length : size;
    memcpy(text, inode->target, length);
    return (k42_result)length;
}

static struct k42_pair link_open(struct node *self, unsigned flags) {
    (void)self, (void)flags;
    return (struct k42_pair){.result = -ELOOP};
}

static const struct node_ops link_ops = {
    RAMFS_METHODS,     NODE_NO_DIRECTORY,      .target = link_target,
    .open = link_open, .cache = node_no_cache,
};

static const struct k42_format link_format = {"node.ramfs.link", 1, 1};
static const struct k42_transfer link_transfers[] = BODY_TRANSFERS(link_format);

K42_CLASS(ramfs_link) = {
    .name = "node.ramfs.link",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &link_ops,
    .fini = ramfs_node_fini,
    .transfers = link_transfers,
};
