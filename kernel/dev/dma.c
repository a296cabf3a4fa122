/*
 * Memory for devices: blocks of frames, seen in the direct map, charged to the kernel. Owns
 * nothing.
 */
#include "dma.h"

#include "../arch/x86_64/arch.h"
#include "../mem/frame/frame.h"
#include "runtime.h"

void *dma_allocate(size_t bytes, uint64_t *physical) {
    unsigned order = 0;
    struct frame *frame;
    while (order <= FRAME_ORDER_MAX && (FRAME_BYTES << order) < bytes)
        order++;
    if (frame_allocate(order, NULL, &frame))
        return NULL;
    *physical = frame_physical(frame);
    return __builtin_memset(frame_memory(frame), 0, FRAME_BYTES << order);
}

void dma_free(void *memory) {
    if (!memory)
        return;
    struct frame *frame = frame_at(virt_to_phys(memory));
    frame_free(frame, frame_order(frame));
}
