/*
 * An open directory of the 9P file system: as any other, but for sync, which has everything that
 * was written to the file system written back. So sync(2), which asks the roots, reaches the files.
 */
#include "p9.h"

#include "../open_file.h"

struct directory {
    struct opened opened; /* holds the node, and so the file system */
    struct p9_fs *fs;
};

static k42_result directory_sync(struct file *self, unsigned data) {
    (void)data;
    return p9_sync_all(((struct directory *)BODY(self))->fs);
}

static const struct file_ops directory_ops = {
    OPENED_METHODS,
    OPEN_DIRECTORY_METHODS,
    .sync = directory_sync,
};

static const struct k42_format directory_format = {"file.9p.directory", 1, 1};
static const struct k42_transfer directory_transfers[] = BODY_TRANSFERS(directory_format);

K42_CLASS(p9_directory) = {
    .name = "file.9p.directory",
    .interface = &file_interface,
    .version = 1,
    .traits = "behind=9p",
    BODY_LAYOUT,
    .ops = &directory_ops,
    .fini = opened_fini,
    .transfers = directory_transfers,
};

static k42_result set_up(struct opened *opened, void *fs) {
    k42_container(opened, struct directory, opened)->fs = fs;
    return 0;
}

struct k42_pair p9_open_directory(struct p9_inode *inode, unsigned flags) {
    return opened_make(&p9_directory, sizeof(struct directory), inode->self, flags, set_up,
                       inode->fs);
}
