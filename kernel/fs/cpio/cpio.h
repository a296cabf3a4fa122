/*
 * Archives in the format of cpio's "newc": what an initial RAM file system comes as.
 *
 * A pure reader of bytes in memory, which it does not change: no allocation, no state but a cursor.
 * Everything it says lies within the bytes it was given. Several archives may stand behind one
 * another, with zeros between them.
 */
#ifndef KERNEL_CPIO_H
#define KERNEL_CPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cpio {
    const char *bytes;
    size_t size;
    size_t at;         /* of the next header */
    unsigned trailers; /* passed so far: numbers of files mean something between two of them */
    const char *wrong; /* why reading ended before the end, for people; NULL: it did not */
    size_t wrong_at;
};

struct cpio_entry {
    const char *name; /* not terminated; without leading slashes and "./" */
    size_t name_length;
    uint32_t number, mode, uid, gid, links;
    uint32_t modified;                     /* seconds */
    uint32_t major, minor;                 /* of the device it was on */
    uint32_t special_major, special_minor; /* that it is */
    const char *data;
    size_t size;
};

struct cpio cpio_begin(const void *bytes, size_t size);

/* The next entry; false at the end, or where something is wrong. Trailers are passed over. */
bool cpio_next(struct cpio *cpio, struct cpio_entry *entry);

#endif
