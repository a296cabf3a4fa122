/*
 * Reads a kernel's ELF file as a loader that speaks PVH does. Compiled for the host too.
 */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#define KERNEL_IMAGE_SEGMENTS 8

struct kernel_image {
    uint32_t entry; /* physical, in 32 bits */
    unsigned count;
    struct kernel_segment {
        uint64_t physical;   /* where it goes: above 1 MiB, below 4 GiB */
        size_t offset, size; /* of its bytes in the file */
        size_t zero;         /* bytes of zeroes behind them */
    } segments[KERNEL_IMAGE_SEGMENTS];
};

/*
 * 0; -ENOEXEC: the bytes are no 64-bit kernel with a PVH note whose parts lie inside the file and,
 * apart from each other, between 1 MiB and 4 GiB. Then `image` is undefined.
 */
int kernel_image_read(const void *bytes, size_t size, struct kernel_image *image);

#endif
