/*
 * Where loaded components are: whole pages above the kernel's image, each writable or executable
 * but never both.
 */
#ifndef KERNEL_COMPONENT_MEMORY_H
#define KERNEL_COMPONENT_MEMORY_H

#include "image.h"

struct component_memory;

/*
 * Makes room for an image: zeroed pages, writable for now, at addresses of its own. NULL: no
 * memory.
 */
struct component_memory *component_memory_make(const struct component_image *image);
uintptr_t component_memory_base(const struct component_memory *memory);
/* From now on every page is what its segment says. */
void component_memory_protect(struct component_memory *memory);
/* Gives everything back. Nobody is or will be inside. NULL: nothing. */
void component_memory_free(struct component_memory *memory);

#endif
