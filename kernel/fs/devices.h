/*
 * Devices by number: who opens which, and under which name it stands in /dev.
 *
 * A driver registers a device once, with a record of its own that stays; files are opened through
 * it from any node of that number, in whatever file system. Those with a name appear in every
 * devtmpfs, also if they come later.
 */
#ifndef KERNEL_FS_DEVICES_H
#define KERNEL_FS_DEVICES_H

#include "node.h"

struct device;

/* Opens one for a node, as node.open(); the file, with one hold, in the word. */
typedef struct k42_pair (*device_opener)(struct device *device, uint32_t minor, k42_ref node,
                                         unsigned flags);

struct device {
    const char *name; /* in /dev; one folder may be before it ("net/tun"); NULL: none */
    bool block;       /* otherwise character */
    uint32_t major, minor;
    uint32_t count; /* of minors from there, 0 as 1; a name is given to the first alone */
    uint32_t mode;  /* permissions of the name */
    device_opener open;
    void *context;
    struct device *next; /* the table's */
};

/* A number as in st_rdev, and its parts. */
static inline uint64_t device_number(uint32_t major, uint32_t minor) {
    return (uint64_t)(major & 0xfff) << 8 | (minor & 0xff) | (uint64_t)(minor & ~0xffu) << 12;
}
static inline uint32_t device_major(uint64_t number) {
    return number >> 8 & 0xfff;
}
static inline uint32_t device_minor(uint64_t number) {
    return (number & 0xff) | (number >> 12 & 0xfff00);
}

/* From now on the device can be opened. Active callers. */
void device_register(struct device *device);

/* Opens whatever has that number. Errors: -ENXIO, those of the opener. */
struct k42_pair device_open(bool block, uint64_t number, k42_ref node, unsigned flags);

/* The devtmpfs, made when it is first asked for: its root, held once more. Errors: -ENOMEM. */
K42_MUST_CHECK
k42_result devfs_root(node_ref *root);

/* null, zero, full, random and urandom. */
void memory_devices_register(void);

#endif
