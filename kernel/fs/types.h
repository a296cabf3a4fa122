/*
 * File systems by name: what mount(2) can mount, and /proc/filesystems lists.
 */
#ifndef KERNEL_FS_TYPES_H
#define KERNEL_FS_TYPES_H

#include "node.h"

struct file_system_type {
    const char *name;
    bool has_device; /* mounted from a device's node */
    /*
     * Makes one, or finds it; its root, held once. `options` is the text behind -o, without what
     * all file systems have. Errors: those of mount(2). May wait.
     */
    k42_result (*make)(const char *source, const char *options, node_ref *root);
    struct file_system_type *next; /* the table's */
};

/* The record stays for ever. Any context. */
void file_system_register(struct file_system_type *type);

/* NULL: there is none. */
struct file_system_type *file_system_find(const char *name);
/* The next one, or with NULL the first. */
struct file_system_type *file_system_next(struct file_system_type *type);

/* The value of a number among options, decimal, or octal with `base` 8; unchanged if it is not
 * given. False: it is no number. */
bool file_system_number(const char *options, const char *name, unsigned base, uint64_t *number);

/* What a tmpfs holds unless its options say otherwise: half of memory, in bytes. open.c's. */
uint64_t memory_file_system_most(void);

/* tmpfs, ramfs, devtmpfs. */
void memory_file_systems_register(void);

#endif
