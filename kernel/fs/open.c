/*
 * The name space as it is at boot: made once, by one thread, before there are programs.
 */
#include "open.h"

#include "../arch/x86_64/arch.h"
#include "../linux/files/proc.h"
#include "../mem/frame/frame.h"
#include "devices.h"
#include "mount.h"
#include "notify.h"
#include "procfs/procfs.h"
#include "ramfs/ramfs.h"
#include "runtime.h"
#include "types.h"
#include "values.h"

static const struct credentials all = {.effective = ~0ul};

/* The place of a folder of the root, made when it is not there. */
static k42_result folder(const char *text, uint32_t mode, struct place *place) {
    struct mount *first = mount_first();
    uint32_t length = (uint32_t)k42_text_length(text);
    struct node_new what = {.name = {text, length, node_hash(text, length)},
                            .mode = MODE_DIRECTORY | mode};
    struct k42_pair made = k42_call(first->root, create, &what);
    if (made.result == -EEXIST)
        made = k42_call(first->root, lookup, &what.name, &all);
    *place = (struct place){first, (node_ref)made.word};
    return made.result < 0 ? made.result : 0;
}

static k42_result open_root(void) {
    static const struct ramfs_options options = {
        .name = "rootfs", .type = 0x858458f6, .mode = 0755};
    struct inode *root;
    k42_result result = numbers_open();
    if (!result)
        result = ramfs_make_root(&options, &root);
    if (result < 0)
        return result;
    uint64_t begin = k42_platform_now_ns();
    size_t entries = 0;
    for (unsigned n = 0; n < boot_module_count; n++)
        entries += ramfs_fill(root, phys_to_virt(boot_modules[n].base), boot_modules[n].size);
    if (entries)
        k42_log("initial file system: %lu entries in %lu us", entries,
                (k42_platform_now_ns() - begin) / 1000);
    struct mount_new what = {.root = (node_ref)root->self, .type = "rootfs", .source = "rootfs"};
    return mount_add(NULL, &what, NULL);
}

static k42_result mount_at(const char *name, uint32_t mode, const struct mount_new *what) {
    struct place at;
    k42_result result = folder(name, mode, &at);
    return result < 0 ? result : mount_add(&at, what, NULL);
}

static k42_result open_dev(void) {
    struct mount_new what = {.type = "devtmpfs", .source = "devtmpfs"};
    k42_result result = devfs_root(&what.root);
    return result < 0 ? result : mount_at("dev", 0755, &what);
}

uint64_t memory_file_system_most(void) {
    struct frame_statistics statistics;
    frames_count(&statistics);
    return statistics.present / 2 * FRAME_SIZE;
}

static k42_result open_tmp(void) {
    const struct ramfs_options options = {.name = "tmpfs",
                                          .type = TMPFS_TYPE,
                                          .mode = MODE_STICKY | 0777,
                                          .most_bytes = memory_file_system_most()};
    struct mount_new what = {.type = "tmpfs", .source = "tmpfs"};
    k42_result result = ramfs_make(&options, &what.root);
    return result < 0 ? result : mount_at("tmp", MODE_STICKY | 0777, &what);
}

static k42_result open_proc(void) {
    struct mount_new what = {.type = "proc", .source = "proc"};
    k42_result result = proc_root(&what.root);
    return result < 0 ? result : mount_at("proc", 0555, &what);
}

/* What programs are used to find in /dev. */
static void link_dev(void) {
    static const char *const links[][2] = {{"fd", "/proc/self/fd"},
                                           {"stdin", "/proc/self/fd/0"},
                                           {"stdout", "/proc/self/fd/1"},
                                           {"stderr", "/proc/self/fd/2"}};
    node_ref root;
    if (devfs_root(&root) < 0)
        return;
    for (unsigned n = 0; n < sizeof links / sizeof *links; n++) {
        uint32_t length = (uint32_t)k42_text_length(links[n][0]);
        struct node_new what = {.name = {links[n][0], length, node_hash(links[n][0], length)},
                                .mode = MODE_LINK | 0777,
                                .target = links[n][1]};
        (void)!k42_call(root, create, &what).result;
    }
    (void)!k42_call(root, release);
}

/* As many watched nodes as there may be without lists getting long. */
static k42_result open_notices(void) {
    enum { FRAMES_FOR_ONE = 16 };
    struct frame_statistics statistics;
    frames_count(&statistics);
    return notify_open(statistics.present / FRAMES_FOR_ONE);
}

k42_result fs_open(void) {
    memory_devices_register();
    memory_file_systems_register();
    proc_register();
    proc_files_register();
    k42_result result = open_notices();
    if (result >= 0)
        result = open_root();
    if (result >= 0)
        result = open_dev();
    if (result >= 0)
        result = open_tmp();
    if (result >= 0)
        result = open_proc();
    if (result >= 0)
        link_dev();
    return result < 0 ? result : 0;
}
