/*
 * The reader of components: from the bytes of a file to what is to be mapped where, and the
 * relocations that make it run there.
 *
 * A component is a shared object of ELF64 whose segments are whole pages of text, constants and
 * data. Which other files are such, but not for us, stands in image.c.
 *
 * Pure: no state, no memory but the caller's, nothing of the kernel, so the host tests and fuzzes
 * it. All is checked by component_check(), before anything is changed: relocating what it accepted
 * writes only where the component's own constants and data are.
 */
#ifndef KERNEL_COMPONENT_IMAGE_H
#define KERNEL_COMPONENT_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMPONENT_PAGE         4096ul
#define COMPONENT_SIZE_MAX     (16ul << 20) /* of the file, and of what it takes in memory */
#define COMPONENT_SEGMENTS_MAX 8u

enum component_protection { COMPONENT_EXECUTE = 1, COMPONENT_WRITE = 2, COMPONENT_READ = 4 };

/* Addresses are the file's own, from 0: where it is loaded is added to them. */
struct component_segment {
    uint64_t address; /* whole pages, by rising address, not overlapping */
    uint64_t offset, file_size;
    uint64_t memory_size; /* at least as many; zeros follow */
    unsigned protection;
};

struct component_table {
    uint64_t offset, count; /* in the file; how many entries, or bytes */
};

struct component_image {
    const uint8_t *bytes;
    size_t size;
    uint64_t span; /* bytes of memory from address 0 on: whole pages */
    unsigned segments;
    struct component_segment segment[COMPONENT_SEGMENTS_MAX];
    struct component_table relocations, symbols, strings;
    uint64_t start; /* address of the table of functions to be called first */
    uint64_t starts;
};

/*
 * Reads and checks a file. 0, or -ENOEXEC and a sentence in `why` that continues "NAME is
 * refused:". The bytes must stay as they are while the image is used.
 */
int component_check(struct component_image *image, const uint8_t *bytes, size_t size, char *why,
                    size_t why_size);

/* What the kernel offers under a name: its address; or 0 and a sentence in `why`. */
typedef uintptr_t (*component_resolve_fn)(const char *symbol, char *why, size_t why_size);

/*
 * Looks up every symbol that the component wants. 0, or -ENOENT with `why`.
 */
int component_resolve(const struct component_image *image, component_resolve_fn resolve, char *why,
                      size_t why_size);

/*
 * Copies the segments to `memory`, image->span zeroed bytes, and relocates them to run at `base`.
 * All that image wants must resolve.
 */
void component_place(const struct component_image *image, uint8_t *memory, uintptr_t base,
                     component_resolve_fn resolve);

#endif
