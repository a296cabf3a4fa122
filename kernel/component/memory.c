/*
 * The pages of loaded components: see memory.h.
 *
 * Addresses are taken first fit among those in use, of which there are as many as components, with
 * an unmapped page behind each. The direct map shows the same frames, writable and never
 * executable, as it does all memory.
 *
 * Owns: the addresses from COMPONENT_AREA on, and the list of who has them, under its lock. Frames
 * are the kernel's. Not from interrupt handlers. Fails: no memory, and then nothing is left.
 */
#include "memory.h"

#include "../arch/x86_64/arch.h"
#include "../mem/frame/frame.h"
#include "../mem/heap/heap.h"

#include <k42/lock.h>

#define AREA_END (COMPONENT_AREA + (512ul << 20))

struct component_memory {
    struct component_memory *next; /* by address */
    uintptr_t base, size;
    unsigned segments;
    struct component_segment segment[COMPONENT_SEGMENTS_MAX];
    struct frame *frames[]; /* of each page; NULL: none */
};

static struct k42_lock lock;
static struct component_memory *first;

static bool take_addresses(struct component_memory *memory) {
    uintptr_t at = COMPONENT_AREA;
    struct component_memory **link = &first;
    k42_lock(&lock);
    while (*link && (*link)->base - at < memory->size + FRAME_SIZE) {
        at = (*link)->base + (*link)->size + FRAME_SIZE;
        link = &(*link)->next;
    }
    bool fits = at + memory->size + FRAME_SIZE <= AREA_END;
    if (fits) {
        memory->base = at;
        memory->next = *link;
        *link = memory;
    }
    k42_unlock(&lock);
    return fits;
}

static void give_addresses(struct component_memory *memory) {
    struct component_memory **link = &first;
    k42_lock(&lock);
    while (*link != memory)
        link = &(*link)->next;
    *link = memory->next;
    k42_unlock(&lock);
}

typedef bool (*visit_fn)(struct component_memory *memory, uintptr_t address, unsigned flags);

/* Calls for each page of each segment, until one says no. */
static bool each_page(struct component_memory *memory, visit_fn visit) {
    for (unsigned i = 0; i < memory->segments; i++) {
        const struct component_segment *segment = &memory->segment[i];
        unsigned flags = (segment->protection & COMPONENT_WRITE ? KERNEL_WRITE : 0u) |
                         (segment->protection & COMPONENT_EXECUTE ? KERNEL_EXECUTE : 0u);
        for (uint64_t at = 0; at < segment->memory_size; at += FRAME_SIZE)
            if (!visit(memory, memory->base + segment->address + at, flags))
                return false;
    }
    return true;
}

static struct frame **frame_of(struct component_memory *memory, uintptr_t address) {
    return &memory->frames[(address - memory->base) / FRAME_SIZE];
}

static bool map_page(struct component_memory *memory, uintptr_t address, unsigned flags) {
    struct frame **frame = frame_of(memory, address);
    (void)flags;
    return !frame_allocate_zeroed(NULL, frame) &&
           !kernel_map(address, frame_physical(*frame), KERNEL_WRITE);
}

static bool protect_page(struct component_memory *memory, uintptr_t address, unsigned flags) {
    (void)memory;
    return !kernel_protect(address, flags);
}

static bool unmap_page(struct component_memory *memory, uintptr_t address, unsigned flags) {
    (void)memory;
    (void)flags;
    (void)kernel_unmap(address);
    return true;
}

static bool free_page(struct component_memory *memory, uintptr_t address, unsigned flags) {
    struct frame *frame = *frame_of(memory, address);
    (void)flags;
    if (frame)
        frame_free(frame, 0);
    return true;
}

static void flush(const struct component_memory *memory) {
    tlb_flush_all(memory->base, memory->size / FRAME_SIZE);
}

struct component_memory *component_memory_make(const struct component_image *image) {
    size_t pages = image->span / FRAME_SIZE;
    struct component_memory *memory =
        heap_allocate_zeroed(sizeof *memory + pages * sizeof memory->frames[0]);
    if (!memory)
        return NULL;
    memory->size = image->span;
    memory->segments = image->segments;
    __builtin_memcpy(memory->segment, image->segment, sizeof memory->segment);
    if (!take_addresses(memory)) {
        heap_free(memory);
        return NULL;
    }
    if (!each_page(memory, map_page)) {
        component_memory_free(memory);
        return NULL;
    }
    return memory;
}

uintptr_t component_memory_base(const struct component_memory *memory) {
    return memory->base;
}

void component_memory_protect(struct component_memory *memory) {
    each_page(memory, protect_page);
    flush(memory);
}

/* No frame is anybody else's before every CPU has forgotten where it was. */
void component_memory_free(struct component_memory *memory) {
    if (!memory)
        return;
    each_page(memory, unmap_page);
    flush(memory);
    each_page(memory, free_page);
    give_addresses(memory);
    heap_free(memory);
}
