/*
 * memfd_secret: memory that is reached by mapping it, by whoever has the descriptor, and in no
 * other way. Nobody reads it by its file, nor as the memory of another program or of his own by
 * /proc, ptrace or process_vm_readv: its mappings say so (SPACE_SECRET). It stays in memory, and
 * counts as locked.
 *
 * It has a size once. The kernel sees it where a program has it copied, as on Linux; that its own
 * map of all memory has it not, as there, cannot be had with the pages of ramfs.
 *
 * Data: the pages, constant. Format: file.secret, by pointer. Fails: -EINVAL, -ESPIPE.
 */
#include "files.h"

#include "../../fs/open_file.h"
#include "../../fs/ramfs/ramfs.h"
#include "../../mem/fcm/fcm.h"
#include "../../mem/space/space.h"

struct secret {
    struct opened opened;
    fcm_ref fcm; /* the node's */
};

#define SECRET(self) k42_container(OPENED(self), struct secret, opened)

static k42_result no_bytes(struct file *self, int64_t offset, struct copy *copy) {
    (void)self, (void)copy;
    return offset == FILE_CURRENT ? -EINVAL : -ESPIPE;
}

static k42_result no_room(struct file *self, unsigned mode, uint64_t offset, uint64_t length) {
    (void)self, (void)mode, (void)offset, (void)length;
    return -EOPNOTSUPP;
}

static k42_result secret_control(struct file *self, unsigned request, uintptr_t argument) {
    (void)self, (void)argument;
    return request == FILE_KIND ? FILE_OF_SECRET : -ENOTTY;
}

static k42_result secret_map(struct file *self, struct file_map *map) {
    *map = (struct file_map){.fcm = (k42_ref)SECRET(self)->fcm,
                             .most = SPACE_READ | SPACE_WRITE,
                             .flags = SPACE_SECRET | SPACE_LOCKED | SPACE_ON_FAULT};
    return 0;
}

/* Two that give it one at once: whichever. */
static k42_result secret_resize(struct file *self, uint64_t size) {
    fcm_ref fcm = SECRET(self)->fcm;
    k42_result now = k42_call(fcm, size);
    if (now)
        return now < 0 ? now : -EINVAL;
    return k42_call(fcm, resize, size);
}

static const struct file_ops secret_ops = {
    OPENED_METHODS,       .read = no_bytes,        .write = no_bytes,         .seek = file_no_seek,
    .list = file_no_list, .poll = file_ready,      .control = secret_control, .map = secret_map,
    .sync = file_no_sync, .resize = secret_resize, .allocate = no_room,
};

static const struct k42_format secret_format = {"file.secret", 1, 1};
static const struct k42_transfer secret_transfers[] = BODY_TRANSFERS(secret_format);

K42_CLASS(file_secret) = {
    .name = "file.secret",
    .interface = &file_interface,
    .version = 1,
    BODY_LAYOUT,
    .ops = &secret_ops,
    .fini = opened_fini,
    .transfers = secret_transfers,
};

static k42_result set_up(struct opened *opened, void *context) {
    k42_container(opened, struct secret, opened)->fcm = *(const fcm_ref *)context;
    return 0;
}

LINUX_CALL(447, memfd_secret, unsigned flags) {
    const struct credentials *who = task_self()->credentials;
    struct node_new what = {.mode = MODE_REGULAR | 0600, .uid = who->fsuid, .gid = who->fsgid};
    k42_ref node;
    if (flags & ~(unsigned)OPEN_CLOSE_ON_EXEC)
        return -EINVAL;
    k42_result result = ramfs_make_unnamed(&what, &node);
    if (result < 0)
        return result;
    struct k42_pair file = k42_call((node_ref)node, cache);
    fcm_ref fcm = (fcm_ref)file.word;
    if (file.result >= 0)
        file = opened_make(&file_secret, sizeof(struct secret), node, OPEN_READ_WRITE | OPEN_LARGE,
                           set_up, &fcm);
    (void)!k42_call((node_ref)node, release);
    return file.result < 0 ? file.result : files_add((file_ref)file.word, flags);
}
