/*
 * Memory that devices read and write: zeroed, whole pages, physically in one piece, not moved.
 * Made and freed by threads only.
 */
#ifndef KERNEL_DMA_H
#define KERNEL_DMA_H

#include <stddef.h>
#include <stdint.h>

/* NULL: no memory. */
void *dma_allocate(size_t bytes, uint64_t *physical);
void dma_free(void *memory);

/* What this CPU wrote there is seen by devices before it reads what stands behind. Any context. */
void dma_fence(void);

#endif
