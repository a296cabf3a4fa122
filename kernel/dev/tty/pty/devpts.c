/*
 * devpts: the file system of pseudo-terminals, and the devices by which they are opened.
 *
 * Each mount is one of its own, with numbers of its own, as Linux has it since 4.7. Options are
 * mode, uid, gid (of terminals), ptmxmode and max; newinstance says what is so anyway. A node of
 * ptmx's number that is in no devpts opens a master of the first there is.
 *
 * No locks. Without memory at boot there are no pseudo-terminals, which is said.
 */
#include "devpts.h"

#include "../../../fs/devices.h"
#include "../../../fs/mount.h"
#include "../../../fs/ramfs/ramfs.h"
#include "../../../fs/types.h"
#include "../../../fs/values.h"
#include "../../../mem/heap/heap.h"
#include "../../../print.h"
#include "../tty_file.h"
#include "runtime.h"

#include <errno.h>

enum { MAJOR_CONSOLES = 5, MINOR_PTMX = 2, TERMINALS = 1 << 20 };

static struct node_name name_of(const char *text) {
    uint32_t length = (uint32_t)k42_text_length(text);
    return (struct node_name){text, length, node_hash(text, length)};
}

/* ---- opening ---- */

static struct k42_pair open_master(struct device *device, uint32_t minor, k42_ref node,
                                   unsigned flags) {
    (void)device, (void)minor;
    struct devpts *devpts = devpts_of(node);
    struct pty *pty;
    if (!devpts)
        devpts = devpts_first();
    k42_result result = devpts ? pty_make(devpts, &pty) : -ENODEV;
    return result < 0 ? (struct k42_pair){.result = result} : pty_open_master(pty, node, flags);
}

static struct k42_pair open_terminal(struct device *device, uint32_t minor, k42_ref node,
                                     unsigned flags) {
    (void)device;
    struct devpts *devpts = devpts_of(node);
    struct pty *pty = devpts ? pty_find(devpts, minor) : NULL;
    if (!pty)
        return (struct k42_pair){.result = -EIO};
    return tty_open(&(struct tty_line){.terminal = pty->terminal, .pty = pty}, node, flags);
}

/* ---- making ---- */

struct options {
    uint64_t mode, uid, gid, master_mode, most;
};

static bool read_options(const char *text, struct options *options) {
    static const uint64_t none = ~0ul;
    *options = (struct options){.mode = 0600, .uid = none, .gid = none, .most = PTY_MOST};
    return file_system_number(text, "mode", 8, &options->mode) &&
           file_system_number(text, "uid", 10, &options->uid) &&
           file_system_number(text, "gid", 10, &options->gid) &&
           file_system_number(text, "ptmxmode", 8, &options->master_mode) &&
           file_system_number(text, "max", 10, &options->most) &&
           options->mode <= MODE_PERMISSIONS && options->master_mode <= MODE_PERMISSIONS &&
           options->most <= PTY_MOST;
}

static k42_result add_master(struct devpts *devpts, uint32_t mode) {
    struct node_new what = {.name = name_of("ptmx"),
                            .mode = MODE_CHARACTER | mode,
                            .special = device_number(MAJOR_CONSOLES, MINOR_PTMX)};
    struct node_attributes attributes;
    struct k42_pair made = k42_call(devpts->root, create, &what);
    k42_result result = made.result;
    if (result >= 0)
        result = k42_call(devpts->root, attributes, &attributes);
    devpts->device = attributes.device;
    return result;
}

static k42_result make_devpts(const char *source, const char *text, node_ref *root) {
    static const struct ramfs_options files = {.name = "devpts", .type = 0x1cd1, .mode = 0755};
    struct options options;
    (void)source;
    if (!read_options(text, &options))
        return -EINVAL;
    struct devpts *devpts = heap_allocate_zeroed(sizeof *devpts);
    if (!devpts)
        return -ENOMEM;
    devpts->mode = (uint32_t)options.mode;
    devpts->most = (uint32_t)options.most;
    devpts->uid = (uint32_t)options.uid;
    devpts->gid = (uint32_t)options.gid;
    devpts->sets_uid = options.uid != ~0ul;
    devpts->sets_gid = options.gid != ~0ul;
    k42_result result = ramfs_make(&files, &devpts->root);
    if (result >= 0) {
        result = add_master(devpts, (uint32_t)options.master_mode);
        if (result < 0)
            (void)!k42_call(devpts->root, release);
    }
    if (result < 0) {
        heap_free(devpts);
        return result;
    }
    *root = devpts->root;
    devpts_list(devpts);
    return 0;
}

/* ---- at boot ---- */

/* What is called `name` in a directory, made if it is not there. */
static k42_result enter(struct place *place, struct node_new *what) {
    static const struct credentials anybody = {.effective = ~0ul};
    struct k42_pair made = k42_call(place->node, create, what);
    if (made.result == -EEXIST)
        made = k42_call(place->node, lookup, &what->name, &anybody);
    if (made.result < 0)
        return made.result;
    place->node = (node_ref)made.word;
    mount_descend(place);
    return 0;
}

/* /dev/ptmx is a link, so that whatever is mounted before /dev/pts is what it opens. */
static k42_result mount_one(void) {
    struct place place = {mount_first(), mount_first()->root};
    struct node_new dev = {.name = name_of("dev"), .mode = MODE_DIRECTORY | 0755};
    struct node_new pts = {.name = name_of("pts"), .mode = MODE_DIRECTORY | 0755};
    struct node_new link = {
        .name = name_of("ptmx"), .mode = MODE_LINK | 0777, .target = "pts/ptmx"};
    struct mount_new what = {.type = "devpts", .source = "devpts"};
    k42_result result = enter(&place, &dev);
    if (result >= 0)
        result = k42_call(place.node, create, &link).result;
    if (result >= 0 || result == -EEXIST)
        result = enter(&place, &pts);
    if (result >= 0)
        result = make_devpts("devpts", "gid=5,mode=620,ptmxmode=666", &what.root);
    if (result < 0)
        return result;
    result = mount_add(&place, &what, NULL);
    if (result < 0)
        (void)!k42_call(what.root, release);
    return result;
}

void ptys_open(void) {
    static struct file_system_type type = {.name = "devpts", .make = make_devpts};
    static struct device master = {
        .major = MAJOR_CONSOLES, .minor = MINOR_PTMX, .open = open_master};
    static struct device terminals = {
        .major = DEVPTS_TERMINALS, .count = TERMINALS, .open = open_terminal};
    file_system_register(&type);
    device_register(&master);
    device_register(&terminals);
    k42_result result = mount_one();
    if (result < 0)
        print("there are no pseudo-terminals: %s", k42_error_name(result));
}
