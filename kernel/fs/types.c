/*
 * The list of file systems, which only grows, and the reading of mount options.
 */
#include "types.h"

#include "devices.h"
#include "ramfs/ramfs.h"
#include "runtime.h"
#include "values.h"

#include <errno.h>

static struct file_system_type *first;

void file_system_register(struct file_system_type *type) {
    type->next = __atomic_load_n(&first, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&first, &type->next, type, false, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
}

struct file_system_type *file_system_next(struct file_system_type *type) {
    return type ? type->next : __atomic_load_n(&first, __ATOMIC_ACQUIRE);
}

struct file_system_type *file_system_find(const char *name) {
    struct file_system_type *type = file_system_next(NULL);
    while (type && !k42_text_equal(type->name, name))
        type = type->next;
    return type;
}

/* The value of NAME=VALUE among options with commas between them, or of NAME alone; copied. */
static bool mount_option(const char *options, const char *name, char *value, size_t size) {
    while (*options) {
        const char *at = name, *begin = options;
        while (*at && *begin == *at)
            at++, begin++;
        bool found = !*at && (*begin == '=' || *begin == ',' || !*begin);
        begin += *begin == '=';
        size_t length = 0;
        while (found && begin[length] && begin[length] != ',' && length + 1 < size) {
            value[length] = begin[length];
            length++;
        }
        if (found) {
            value[length] = 0;
            return true;
        }
        while (*options && *options++ != ',')
            ;
    }
    return false;
}

/* A number as options have it: decimal, or octal with `base` 8; k, m, g and % (of `whole`) behind
 * it count. False: it is none. */
static bool mount_number(const char *text, unsigned base, uint64_t whole, uint64_t *number) {
    uint64_t value = 0;
    if (*text < '0' || *text > '9')
        return false;
    for (; *text >= '0' && *text < (char)('0' + base); text++)
        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    unsigned shift = 0;
    switch (*text | 0x20) {
    case 'k':
        shift = 10;
        break;
    case 'm':
        shift = 20;
        break;
    case 'g':
        shift = 30;
        break;
    }
    if (shift)
        text++;
    if (value > ~0ul >> shift)
        return false;
    value <<= shift;
    if (*text == '%') {
        value = whole / 100 * value;
        text++;
    }
    *number = value;
    return !*text;
}

/* ---- those in memory ---- */

bool file_system_number(const char *options, const char *name, unsigned base, uint64_t *number) {
    char value[24];
    if (!mount_option(options, name, value, sizeof value))
        return true;
    return mount_number(value, base, 0, number);
}

static k42_result make_memory(const char *name, uint64_t type, uint64_t bytes, const char *options,
                              node_ref *root) {
    uint64_t mode = 01777, uid = 0, gid = 0, nodes = 0;
    if (!file_system_number(options, "mode", 8, &mode) ||
        !file_system_number(options, "uid", 10, &uid) ||
        !file_system_number(options, "gid", 10, &gid) ||
        !file_system_number(options, "size", 10, &bytes) ||
        !file_system_number(options, "nr_inodes", 10, &nodes) || mode > MODE_PERMISSIONS)
        return -EINVAL;
    struct ramfs_options made = {
        .name = name,
        .type = type,
        .most_inodes = nodes,
        .most_bytes = bytes,
        .mode = (uint32_t)mode,
        .uid = (uint32_t)uid,
        .gid = (uint32_t)gid,
    };
    return ramfs_make(&made, root);
}

static k42_result make_tmpfs(const char *source, const char *options, node_ref *root) {
    (void)source;
    return make_memory("tmpfs", TMPFS_TYPE, memory_file_system_most(), options, root);
}

static k42_result make_ramfs(const char *source, const char *options, node_ref *root) {
    (void)source;
    return make_memory("ramfs", 0x858458f6, 0, options, root);
}

static k42_result make_devtmpfs(const char *source, const char *options, node_ref *root) {
    (void)source, (void)options;
    return devfs_root(root);
}

void memory_file_systems_register(void) {
    static struct file_system_type types[] = {
        {.name = "ramfs", .make = make_ramfs},
        {.name = "devtmpfs", .make = make_devtmpfs},
        {.name = "tmpfs", .make = make_tmpfs},
    };
    for (unsigned n = 0; n < sizeof types / sizeof *types; n++)
        file_system_register(&types[n]);
}
