/*
 * The memory that the object runtime asks of its platform: the kernel's heap.
 */
#include "../../../core/platform.h"
#include "heap.h"

void *k42_platform_alloc(size_t bytes) {
    return heap_allocate_zeroed(bytes);
}

void k42_platform_free(void *memory) {
    heap_free(memory);
}
