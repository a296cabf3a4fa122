/*
 * Memory that devices read and write: zeroed, whole pages, physically in one piece, not moved.
 * Threads only.
 */
#ifndef KERNEL_DMA_H
#define KERNEL_DMA_H

#include <stddef.h>
#include <stdint.h>

/* NULL: no memory. */
void *dma_allocate(size_t bytes, uint64_t *physical);
void dma_free(void *memory);

#endif
