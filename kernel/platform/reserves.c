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

enum { TOGETHER = 32 };

struct drop {
    uintptr_t start, end;
    unsigned count;
    uint64_t frames[TOGETHER];
};

static void drop_here(void *argument) {
    struct drop *drop = argument;
    for (uintptr_t page = drop->start; page < drop->end; page += FRAME_SIZE) {
        uint64_t frame = kernel_unmap(page);
        if (frame != KERNEL_NOTHING)
            drop->frames[drop->count++] = frame;
    }
    tlb_flush_local(drop->start, (drop->end - drop->start) / FRAME_SIZE);
}

/* Frames are given back when no CPU reaches them by the old address any more. */
void platform_range_drop(unsigned cpu, uintptr_t start, uintptr_t end) {
    while (start < end) {
        struct drop drop = {.start = start, .end = start + TOGETHER * FRAME_SIZE};
        if (drop.end > end)
            drop.end = end;
        cpu_call(cpu, drop_here, &drop);
        if (drop.count)
            tlb_flush_all(start, (drop.end - start) / FRAME_SIZE);
        for (unsigned i = 0; i < drop.count; i++)
            platform_frame_give(drop.frames[i]);
        start = drop.end;
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
    platform_range_drop(0, start, (start + bytes + FRAME_SIZE - 1) & ~(FRAME_SIZE - 1));
}

void platform_reserves_open(void) {
    platform_range_add(&zeroes);
    kernel_fault = touched;
}
