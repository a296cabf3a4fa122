/*
 * Memory on a Linux host: small pieces from the C library, large sparse ones from the kernel.
 *
 * No state of its own. Fails with NULL only.
 */
#include <stdlib.h>
#include <sys/mman.h>

#include "host.h"

_Static_assert(_Alignof(max_align_t) >= 16, "calloc must align to 16 bytes");

void *k42_platform_alloc(size_t bytes) {
    return calloc(1, bytes);
}

void k42_platform_free(void *memory) {
    free(memory);
}

void *k42_platform_reserve(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    /* A huge page would take 2 MiB for the first byte touched. Refusal costs memory only. */
    (void)madvise(memory, bytes, MADV_NOHUGEPAGE);
    return memory;
}

void k42_platform_unreserve(void *memory, size_t bytes) {
    munmap(memory, bytes);
}
