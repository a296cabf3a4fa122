/*
 * Mounts by descriptor: what the files of these calls share. Active callers.
 */
#ifndef KERNEL_LINUX_MOUNT_TREES_H
#define KERNEL_LINUX_MOUNT_TREES_H

#include "files.h"

/* MOUNT_ATTR_... */
enum {
    MOUNT_ATTRIBUTE_ACCESSED = 0x70, /* which times of reading are kept: one of the next three */
    MOUNT_ATTRIBUTE_RELATIVE = 0,
    MOUNT_ATTRIBUTE_NO_ACCESSED = 0x10,
    MOUNT_ATTRIBUTE_STRICT = 0x20,
    MOUNT_ATTRIBUTES = 0x2000ff, /* all but mapped ids */
};

/* Whether they are some that there are. */
static inline bool mount_attributes_valid(uint64_t attributes) {
    uint64_t accessed = attributes & MOUNT_ATTRIBUTE_ACCESSED;
    return !(attributes & ~(uint64_t)MOUNT_ATTRIBUTES) &&
           (accessed == MOUNT_ATTRIBUTE_RELATIVE || accessed == MOUNT_ATTRIBUTE_NO_ACCESSED ||
            accessed == MOUNT_ATTRIBUTE_STRICT);
}

/* What of them a mount here has. */
static inline unsigned mount_attribute_flags(uint64_t attributes) {
    return (attributes & 1 ? NODE_READ_ONLY : 0u) | (attributes & 2 ? NODE_NO_SETUID : 0u) |
           (attributes & 4 ? NODE_NO_DEVICES : 0u) | (attributes & 8 ? NODE_NO_EXECUTE : 0u);
}

/* Opens a place as O_PATH does. 0, or what making a file fails with. */
K42_MUST_CHECK
k42_result mount_tree_open(const struct place *place, file_ref *file);

/* A mount that stands nowhere yet, opened so; the root's hold becomes the mount's. */
K42_MUST_CHECK
k42_result mount_tree_make(const struct mount_new *what, file_ref *file);

#endif
