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

/*
 * Where both sides write one word and read the other's. An emulator that runs all CPUs in one
 * thread has its devices in threads beside it, and QEMU before 8.0 omits barriers then, locked
 * instructions included: a notice or an interrupt was lost once in some ten thousand requests, and
 * the request waited for ever. Saying again that interrupts of every priority are welcome, which
 * they always are, takes a lock of the emulator's, counting instructions or not, and a lock is a
 * barrier of the host's; on a processor it is some tens of cycles.
 */
void dma_fence(void) {
    __asm__ volatile("mfence; movq %0, %%cr8" ::"r"(0ul) : "memory");
}
