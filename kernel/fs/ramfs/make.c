/*
 * Making a ramfs; and the one that has no names, for nodes of pipes, sockets and memory files.
 */
#include "ramfs.h"

#include "../open_file.h"
#include "../values.h"
#include "runtime.h"

#include <errno.h>

void ramfs_keep(struct ramfs *fs) {
    __atomic_add_fetch(&fs->references, 1, __ATOMIC_RELAXED);
}

void ramfs_let_go(struct ramfs *fs) {
    if (__atomic_sub_fetch(&fs->references, 1, __ATOMIC_ACQ_REL))
        return;
    numbers_end(&fs->numbers);
    k42_platform_free(fs);
}

static struct ramfs *make(const struct ramfs_options *options) {
    struct ramfs *fs = k42_platform_alloc(sizeof(*fs));
    if (!fs)
        return NULL;
    *fs = (struct ramfs){
        .references = 1,
        .device = node_new_device(),
        .type = options->type,
        .name = options->name,
        .most_inodes = options->most_inodes,
        .most_pages = options->most_bytes / 4096,
    };
    return fs;
}

k42_result ramfs_make_root(const struct ramfs_options *options, struct inode **root) {
    struct ramfs *fs = make(options);
    if (!fs)
        return -ENOMEM;
    struct inode *inode = NULL;
    struct node_new what = {
        .mode = MODE_DIRECTORY | options->mode, .uid = options->uid, .gid = options->gid};
    k42_result result = inode_make(fs, &what, &inode);
    if (result >= 0) {
        inode->links = 2;
        inode->parent = inode;
        *root = inode;
    }
    ramfs_let_go(fs); /* from here on the inodes keep it */
    return result < 0 ? result : 0;
}

k42_result ramfs_make(const struct ramfs_options *options, node_ref *root) {
    struct inode *inode;
    k42_result result = ramfs_make_root(options, &inode);
    if (result == 0)
        *root = (node_ref)inode->self;
    return result;
}

static struct ramfs *pipes, *memory_files;
static const struct ramfs_options of_pipes = {.name = "pipefs", .type = 0x50495045};
static const struct ramfs_options of_memory_files = {.name = "tmpfs", .type = TMPFS_TYPE};

/* Made by the first to need it, and kept: of two, one goes. */
static struct ramfs *nameless(struct ramfs **kept, const struct ramfs_options *options) {
    struct ramfs *fs = __atomic_load_n(kept, __ATOMIC_ACQUIRE);
    if (fs)
        return fs;
    struct ramfs *made = make(options);
    if (made &&
        !__atomic_compare_exchange_n(kept, &fs, made, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
        ramfs_let_go(made);
        made = fs;
    }
    return made;
}

k42_result ramfs_make_memory_file(const struct node_new *what, const char *title, unsigned seals,
                                  k42_ref *node) {
    struct ramfs *fs = nameless(&memory_files, &of_memory_files);
    size_t size = k42_text_length(title) + 1;
    char *kept = k42_platform_alloc(size);
    struct inode *inode;
    k42_result result = fs && kept ? inode_make(fs, what, &inode) : -ENOMEM;
    if (result < 0) {
        k42_platform_free(kept);
        return result;
    }
    k42_copy_text(kept, size, title);
    inode->title = kept;
    inode->seals = seals;
    *node = inode->self;
    return 0;
}

k42_result ramfs_make_unnamed(const struct node_new *what, k42_ref *node) {
    struct ramfs *fs = nameless(&pipes, &of_pipes);
    struct inode *inode;
    k42_result result = fs ? inode_make(fs, what, &inode) : -ENOMEM;
    if (result < 0)
        return result;
    if ((what->mode & MODE_TYPE) != MODE_REGULAR)
        inode->links = 1; /* says Linux of what cannot have a name */
    *node = inode->self;
    return 0;
}

k42_result ramfs_make_pipe_node(k42_ref pipe, k42_ref *node, k42_ref **noted) {
    static const struct node_new what = {.mode = MODE_FIFO | 0600};
    struct ramfs *fs = nameless(&pipes, &of_pipes);
    struct inode *inode;
    k42_result result = fs ? inode_make(fs, &what, &inode) : -ENOMEM;
    if (result < 0)
        return result;
    inode->links = 1;
    __atomic_store_n(&inode->pipe, pipe, __ATOMIC_RELEASE);
    *noted = &inode->pipe;
    *node = inode->self;
    return 0;
}
