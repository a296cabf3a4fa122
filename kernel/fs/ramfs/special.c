/*
 * The class of ramfs's FIFOs, devices and sockets: names for what is somewhere else.
 *
 * A device is opened by whoever registered its number. A FIFO's pipe is made by the first to open
 * it and found by the others through the node's number (pipe/fifo.c). A socket's name is bound by
 * its own part, and opening it is an error.
 */
#include "../devices.h"
#include "../open_file.h"
#include "../pipe/pipe.h"
#include "../values.h"
#include "ramfs.h"

#include <errno.h>

static struct k42_pair special_open(struct node *self, unsigned flags) {
    struct inode *inode = INODE(self);
    switch (inode->mode & MODE_TYPE) {
    case MODE_CHARACTER:
    case MODE_BLOCK:
        return device_open((inode->mode & MODE_TYPE) == MODE_BLOCK, inode->special, inode->self,
                           flags);
    case MODE_FIFO:
        return fifo_open(&inode->pipe, inode->self, flags);
    default:
        return (struct k42_pair){.result = -ENXIO};
    }
}

static const struct node_ops special_ops = {
    RAMFS_METHODS,        NODE_NO_DIRECTORY,      .target = node_no_target,
    .open = special_open, .cache = node_no_cache,
};

static const struct k42_format special_format = {"node.ramfs.special", 1, 1};
static const struct k42_transfer special_transfers[] = BODY_TRANSFERS(special_format);

K42_CLASS(ramfs_special) = {
    .name = "node.ramfs.special",
    .interface = &node_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &special_ops,
    .fini = ramfs_node_fini,
    .transfers = special_transfers,
};
