/*
 * Kernel memory on this machine: frames from what the loader left free, then heap, reserves and
 * the tables of the runtime, and the faults of the kernel that fill them.
 *
 * Boot modules stay where they are until somebody has read them and calls frames_release().
 *
 * Owns: nothing. Fails: with a panic that says what is missing, since nothing goes on without.
 */
#include "kernel_platform.h"

#include "../arch/x86_64/arch.h"
#include "../mem/frame/frame.h"
#include "../mem/heap/heap.h"
#include "../mem/reserve/reserve.h"
#include "../print.h"

static struct frame_range ranges[MEMORY_RANGES_MAX + BOOT_MODULES_MAX];

static size_t list_ranges(void) {
    size_t count = 0;
    for (unsigned i = 0; i < memory_range_count; i++)
        if (memory_ranges[i].size)
            ranges[count++] = (struct frame_range){memory_ranges[i].base,
                                                   memory_ranges[i].base + memory_ranges[i].size,
                                                   FRAME_RANGE_FREE};
    for (unsigned i = 0; i < boot_module_count; i++)
        ranges[count++] = (struct frame_range){
            boot_modules[i].base, boot_modules[i].base + boot_modules[i].size, FRAME_RANGE_KEPT};
    return count;
}

static uint64_t taken;

static uint64_t take_frame(void) {
    struct frame *frame;
    if (frame_allocate(0, NULL, &frame))
        return 0;
    __atomic_add_fetch(&taken, 1, __ATOMIC_RELAXED);
    return frame_physical(frame);
}

uint64_t platform_page_tables(void) {
    return __atomic_load_n(&taken, __ATOMIC_RELAXED);
}

/* What is the kernel's own and appears as it is touched. */
static bool touched(uintptr_t address, unsigned error) {
    return !(error & (FAULT_USER | FAULT_EXECUTE)) && reserve_fault(address, error & FAULT_WRITE);
}

void platform_memory_open(void) {
    if (frames_open(ranges, list_ranges()) || heap_open() || reserve_open())
        panic("boot: no memory for the kernel's allocators; give the machine more memory");
    page_table_frame = take_frame;
    kernel_fault = touched;
}
