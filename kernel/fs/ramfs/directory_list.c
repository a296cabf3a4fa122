/*
 * A directory of ramfs with few names, which it looks through. It has no table, so it is cheaper to
 * make and smaller than a hashed one.
 *
 * Locking: as ramfs.h says. Format: node.ramfs.directory. Fails as node.h says.
 */
#include "directory.h"

static struct k42_pair list_lookup(struct node *self, const struct node_name *name,
                                   const struct credentials *who) {
    return directory_lookup_with(self, name, who, names_find_listed);
}

/* One that was hashed gives its table up. */
static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct inode *inode = (struct inode *)state->word[0];
    k42_lock(&inode->lock);
    if (!inode->names.listed)
        names_list(&inode->names);
    __atomic_store_n(&inode->names.changing, false, __ATOMIC_RELAXED);
    k42_unlock(&inode->lock);
    return body_import(to, state, part);
}

static const struct node_ops list_ops = {DIRECTORY_METHODS, .lookup = list_lookup};

static const struct k42_transfer list_transfers[] = {
    {.format = &ramfs_directory_format,
     .measure = directory_measure,
     .export_state = body_export,
     .import_state = import,
     .handed_over = body_handed_over},
    {0},
};

K42_CLASS(ramfs_directory_list) = {
    .name = "node.ramfs.directory.list",
    .interface = &node_interface,
    .version = 1,
    .traits = "type=directory names=few",
    BODY_LAYOUT,
    .ops = &list_ops,
    .fini = ramfs_node_fini,
    .transfers = list_transfers,
};
