/*
 * The table of devices, and devtmpfs: a ramfs with a node for each device that has a name.
 *
 * The table is a list that only grows; readers take no lock. There are a few dozen entries, and a
 * device is opened rarely compared with what is done to it then.
 */
#include "devices.h"

#include "ramfs/ramfs.h"
#include "runtime.h"
#include "values.h"

#include <errno.h>

static struct {
    struct k42_lock lock;
    struct device *first;
    node_ref root; /* of the devtmpfs; NULL: nobody has asked yet */
} devices;

static const struct credentials all = {.effective = ~0ul};

static struct node_name name_of(const char *text, size_t length) {
    return (struct node_name){text, (uint32_t)length, node_hash(text, (uint32_t)length)};
}

/* The folder that a name is in, made when it is not there; the name becomes what is behind it. */
static node_ref folder_of(node_ref root, const char **name) {
    const char *slash = *name;
    while (*slash && *slash != '/')
        slash++;
    if (!*slash)
        return root;
    struct node_new folder = {.name = name_of(*name, (size_t)(slash - *name)),
                              .mode = MODE_DIRECTORY | 0755};
    struct k42_pair made = k42_call(root, create, &folder);
    if (made.result == -EEXIST)
        made = k42_call(root, lookup, &folder.name, &all);
    *name = slash + 1;
    return made.result < 0 ? root : (node_ref)made.word;
}

static void add_node(node_ref root, const struct device *device) {
    const char *name = device->name;
    if (!name)
        return;
    node_ref folder = folder_of(root, &name);
    struct node_new what = {
        .name = name_of(name, k42_text_length(name)),
        .mode = (device->block ? MODE_BLOCK : MODE_CHARACTER) | device->mode,
        .special = device_number(device->major, device->minor),
    };
    struct k42_pair made = k42_call(folder, create, &what);
    if (made.result < 0 && made.result != -EEXIST)
        k42_log("/dev/%s could not be made: %s", device->name, k42_error_name(made.result));
}

void device_register(struct device *device) {
    k42_lock(&devices.lock);
    device->next = devices.first;
    __atomic_store_n(&devices.first, device, __ATOMIC_RELEASE);
    node_ref root = devices.root;
    k42_unlock(&devices.lock);
    if (root)
        add_node(root, device);
}

struct k42_pair device_open(bool block, uint64_t number, k42_ref node, unsigned flags) {
    uint32_t major = device_major(number), minor = device_minor(number);
    struct device *device = __atomic_load_n(&devices.first, __ATOMIC_ACQUIRE);
    for (; device; device = device->next)
        if (device->block == block && device->major == major &&
            minor - device->minor < (device->count ? device->count : 1))
            return device->open(device, minor, node, flags);
    return (struct k42_pair){.result = -ENXIO};
}

/* Two who ask first make one each, and one goes. A device that is registered meanwhile is put in
 * by both, which is one too many and does no harm. */
k42_result devfs_root(node_ref *root) {
    static const struct ramfs_options options = {
        .name = "devtmpfs", .type = TMPFS_TYPE, .mode = 0755};
    node_ref present = __atomic_load_n(&devices.root, __ATOMIC_ACQUIRE);
    if (!present) {
        node_ref made;
        k42_result result = ramfs_make(&options, &made);
        if (result < 0)
            return result;
        k42_lock(&devices.lock);
        present = devices.root;
        if (!present)
            __atomic_store_n(&devices.root, made, __ATOMIC_RELEASE);
        struct device *device = devices.first;
        k42_unlock(&devices.lock);
        if (present) {
            (void)k42_call(made, release);
        } else {
            present = made;
            for (; device; device = device->next)
                add_node(present, device);
        }
    }
    k42_result result = k42_call(present, hold);
    *root = present;
    return result;
}
