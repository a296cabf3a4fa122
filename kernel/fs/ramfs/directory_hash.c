/*
 * A directory of ramfs with any number of names, found by hash.
 *
 * Taking over from a list wants a table, which is made before calls are held up, for twice as many
 * names as there were then. When more have come than it takes, the swap is begun anew.
 *
 * Locking: as ramfs.h says. Format: node.ramfs.directory. Fails as node.h says.
 */
#include "directory.h"

struct hash {
    struct body_object object;
    struct cells *table; /* for a directory that is being taken over */
};

static struct hash *hash_of(struct k42_root *root) {
    return k42_container(root, struct hash, object.root);
}

static struct k42_pair hash_lookup(struct node *self, const struct node_name *name,
                                   const struct credentials *who) {
    return directory_lookup_with(self, name, who, names_find_hashed);
}

static k42_result prepare(struct k42_root *to, struct k42_state *state) {
    struct hash *hash = hash_of(to);
    names_table_free(hash->table);
    hash->table = names_table_make((uint32_t)state->measured);
    return hash->table ? 0 : -ENOMEM;
}

static k42_result import(struct k42_root *to, struct k42_state *state, unsigned part) {
    struct inode *inode = (struct inode *)state->word[0];
    struct hash *hash = hash_of(to);
    k42_lock(&inode->lock);
    k42_result result = inode->names.listed ? names_hash(&inode->names, hash->table) : 1;
    if (result == 0)
        hash->table = NULL; /* the directory's now */
    if (result >= 0)
        __atomic_store_n(&inode->names.changing, false, __ATOMIC_RELAXED);
    k42_unlock(&inode->lock);
    return result < 0 ? result : body_import(to, state, part);
}

static void hash_fini(struct k42_root *root) {
    names_table_free(hash_of(root)->table);
    ramfs_node_fini(root);
}

static const struct node_ops hash_ops = {DIRECTORY_METHODS, .lookup = hash_lookup};

static const struct k42_transfer hash_transfers[] = {
    {.format = &ramfs_directory_format,
     .measure = directory_measure,
     .prepare = prepare,
     .export_state = body_export,
     .import_state = import,
     .handed_over = body_handed_over},
    {0},
};

K42_CLASS(ramfs_directory_hash) = {
    .name = "node.ramfs.directory.hash",
    .interface = &node_interface,
    .version = 1,
    .traits = "type=directory names=many",
    .kind = &k42_single,
    .root_size = sizeof(struct hash),
    .rep_offset = offsetof(struct hash, object.rep),
    .init = body_init,
    .ops = &hash_ops,
    .fini = hash_fini,
    .transfers = hash_transfers,
};
