/*
 * Memory for devices, from the kernel's own: blocks of it lie in the direct map, hence are
 * physically in one piece. Owns nothing.
 */
#include "dma.h"

#include "../arch/x86_64/arch.h"
#include "runtime.h"

/* What a block's first page, of which nobody sees anything, begins with. */
struct origin {
    void *block;
};

void *dma_allocate(size_t bytes, uint64_t *physical) {
    char *block = k42_platform_alloc(bytes + 2 * FRAME_SIZE);
    if (!block)
        return NULL;
    char *memory = (char *)(((uintptr_t)block + 2 * FRAME_SIZE - 1) & ~(FRAME_SIZE - 1));
    ((struct origin *)(void *)memory)[-1].block = block;
    *physical = virt_to_phys(memory);
    return memory;
}

void dma_free(void *memory) {
    if (memory)
        k42_platform_free(((struct origin *)memory)[-1].block);
}
