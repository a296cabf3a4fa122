/*
 * Address space that takes memory as it is touched, by the kernel's page-fault hook.
 *
 * Two CPUs may touch a page at once: both fill a frame, one maps it, the other gives his back. A
 * page is taken away only by who owns the range: the entry first, then every CPU's memory of it,
 * then the frame. Addresses are not used twice; there are 1 TiB of them.
 *
 * Owns: the list of ranges, which only grows at the front. Fails: NULL when the addresses are used
 * up; a touch when there is no frame is a panic, by the fault that nobody resolves.
 */
#include "memory.h"

#include "runtime.h"

#include <errno.h>

#define RESERVES     (KERNEL_HEAP + KERNEL_HEAP_SIZE / 4)
#define RESERVES_END (KERNEL_HEAP + KERNEL_HEAP_SIZE / 2)

static struct platform_range *ranges;
static uintptr_t next_address = RESERVES;

static struct platform_range *range_of(uintptr_t address) {
    struct platform_range *range = __atomic_load_n(&ranges, __ATOMIC_ACQUIRE);
    while (range && (address < range->start || address >= range->end))
        range = range->next;
    return range;
}

static bool touched(uintptr_t address, unsigned error) {
    struct platform_range *range = range_of(address);
    if (!range || error & (FAULT_PRESENT | FAULT_USER | FAULT_EXECUTE))
        return false;
    uint64_t frame = platform_frame_take();
    if (!frame)
        return false;
    uintptr_t page = address & ~(FRAME_SIZE - 1);
    range->fill(page, phys_to_virt(frame));
    int result = kernel_map(page, frame, KERNEL_WRITE);
    if (result)
        platform_frame_give(frame);
    return !result || result == -EEXIST;
}

void platform_range_add(struct platform_range *range) {
    range->next = __atomic_load_n(&ranges, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&ranges, &range->next, range, true, __ATOMIC_RELEASE,
                                        __ATOMIC_RELAXED))
        ;
}

/* Frames wait in a list, by their first words, until no CPU reaches them by the old address. */
void platform_range_drop(uintptr_t start, uintptr_t end) {
    enum { TOGETHER = 32 };
    for (uintptr_t page = start; page < end;) {
        uint64_t frames[TOGETHER];
        unsigned count = 0;
        uintptr_t first = page;
        for (; page < end && count < TOGETHER; page += FRAME_SIZE) {
            uint64_t frame = kernel_unmap(page);
            if (frame != KERNEL_NOTHING)
                frames[count++] = frame;
        }
        if (count)
            tlb_flush_all(first, (page - first) / FRAME_SIZE);
        for (unsigned i = 0; i < count; i++)
            platform_frame_give(frames[i]);
    }
}

static void fill_zero(uintptr_t page, void *memory) {
    (void)page;
    __builtin_memset(memory, 0, FRAME_SIZE);
}

static struct platform_range zeroes = {RESERVES, RESERVES_END, fill_zero, NULL};

void *k42_platform_reserve(size_t bytes) {
    size_t whole = (bytes + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1);
    uintptr_t at = __atomic_fetch_add(&next_address, whole, __ATOMIC_RELAXED);
    return whole >= bytes && at + whole <= RESERVES_END ? (void *)at : NULL;
}

void k42_platform_unreserve(void *reserved, size_t bytes) {
    uintptr_t start = (uintptr_t)reserved;
    platform_range_drop(start, (start + bytes + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1));
}

void platform_reserves_open(void) {
    platform_range_add(&zeroes);
    kernel_fault = touched;
}
