/*
 * Inside the reader of components (image.h): what its files share.
 *
 *   image.c         header, segments, the whole
 *   image_tables.c  the dynamic part: where symbols and relocations are
 *   image_links.c   symbols and relocations: checked, looked up, carried out
 */
#ifndef KERNEL_COMPONENT_IMAGE_PARTS_H
#define KERNEL_COMPONENT_IMAGE_PARTS_H

#include "image.h"

enum { SYMBOL_SIZE = 24, RELOCATION_SIZE = 24 };

/* The check of one file: what went wrong first is what counts. */
struct check {
    struct component_image *image;
    char *why;
    size_t why_size;
};

/* -ENOEXEC. */
int component_refuse(const struct check *check, const char *reason);

/* The segment that has all these bytes, or NULL. */
const struct component_segment *component_segment_of(const struct component_image *image,
                                                     uint64_t address, uint64_t length);
/* Where the bytes of an address are in the file. False: not all of them are. */
bool component_in_file(const struct component_image *image, uint64_t address, uint64_t length,
                       uint64_t *offset);

/* Each 0 or -ENOEXEC: reads the dynamic part, `size` bytes at an address, into the image; checks
 * what it says. */
int component_read_dynamic(const struct check *check, uint64_t address, uint64_t size);
int component_check_links(const struct check *check);

#endif
