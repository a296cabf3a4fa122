/*
 * The heap: which class serves a size, and blocks too large for a slab.
 *
 * Classes are 16 bytes apart up to 128 and then four to each doubling. Larger blocks are frames of
 * their own, a power of two of them.
 *
 * Fails: with NULL.
 */
#include "heaps.h"

#include <errno.h>

static const uint16_t class_sizes[] = {16,  32,   48,   64,   80,   96,   112,  128, 160,
                                       192, 224,  256,  320,  384,  448,  512,  640, 768,
                                       896, 1024, 1280, 1536, 1792, 2048, 2560, 3072};
#define CLASSES (sizeof(class_sizes) / sizeof(class_sizes[0]))

static const char *const class_names[] = {
    "heap-16",   "heap-32",   "heap-48",   "heap-64",   "heap-80",  "heap-96",   "heap-112",
    "heap-128",  "heap-160",  "heap-192",  "heap-224",  "heap-256", "heap-320",  "heap-384",
    "heap-448",  "heap-512",  "heap-640",  "heap-768",  "heap-896", "heap-1024", "heap-1280",
    "heap-1536", "heap-1792", "heap-2048", "heap-2560", "heap-3072"};
_Static_assert(sizeof(class_names) / sizeof(class_names[0]) == CLASSES, "each class has a name");

static struct heap_cache classes[CLASSES];
static uint8_t class_of[HEAP_LARGEST_IN_SLAB / 16 + 1]; /* by size / 16, rounded up */
static uint64_t large_blocks, large_frames;

static unsigned order_for(size_t size) {
    size_t frames = (size + FRAME_BYTES - 1) / FRAME_BYTES;
    return frames <= 1 ? 0 : 64 - (unsigned)__builtin_clzl(frames - 1);
}

static void map_sizes(void) {
    unsigned class_ = 0;
    for (unsigned i = 0; i < sizeof(class_of); i++) {
        if (i * 16 > class_sizes[class_])
            class_++;
        class_of[i] = (uint8_t)class_;
    }
}

int heap_open(void) {
    struct frame *frame;
    size_t one = sizeof(struct heap_part) * machine_cpu_count();
    unsigned order = order_for(one * CLASSES);
    if (frame_allocate(order, NULL, &frame))
        return -ENOMEM;
    char *parts = frame_memory(frame);
    __builtin_memset(parts, 0, one * CLASSES);
    map_sizes();
    for (unsigned i = 0; i < CLASSES; i++) {
        cache_shape(&classes[i], class_names[i], class_sizes[i], class_sizes[i] % 64 ? 16 : 64);
        classes[i].parts = (struct heap_part *)(parts + i * one);
        caches_add(&classes[i]);
    }
    return 0;
}

/* ---- large blocks ---- */

static void *allocate_large(size_t size) {
    struct frame *frame;
    if (size > FRAME_BYTES << FRAME_ORDER_MAX)
        return NULL;
    unsigned order = order_for(size);
    if (frame_allocate(order, NULL, &frame))
        return NULL;
    frame->user[0] = HEAP_LARGE;
    __atomic_add_fetch(&large_blocks, 1, __ATOMIC_RELAXED);
    __atomic_add_fetch(&large_frames, 1ul << order, __ATOMIC_RELAXED);
    return frame_memory(frame);
}

static void free_large(struct frame *frame, const void *block) {
    block_check_large(frame, block);
    unsigned order = frame_order(frame);
    __atomic_sub_fetch(&large_blocks, 1, __ATOMIC_RELAXED);
    __atomic_sub_fetch(&large_frames, 1ul << order, __ATOMIC_RELAXED);
    frame->user[0] = 0;
    frame_free(frame, order);
}

void heap_large_usage(struct heap_usage *usage) {
    *usage = (struct heap_usage){.name = "heap-large",
                                 .used = __atomic_load_n(&large_blocks, __ATOMIC_RELAXED),
                                 .frames = __atomic_load_n(&large_frames, __ATOMIC_RELAXED)};
}

/* ---- any block ---- */

static bool (*refuser)(void);

void heap_set_refuser(bool (*refuses)(void)) {
    __atomic_store_n(&refuser, refuses, __ATOMIC_RELEASE);
}

static bool is_refused(void) {
    bool (*refuses)(void) = __atomic_load_n(&refuser, __ATOMIC_ACQUIRE);
    return __builtin_expect(refuses != NULL, 0) && refuses();
}

void *heap_allocate(size_t size) {
    if (is_refused())
        return NULL;
    if (size > HEAP_LARGEST_IN_SLAB)
        return allocate_large(size);
    struct heap_cache *cache = &classes[class_of[(size + 15) / 16]];
    void *block = part_allocate(cache);
    if (block)
        block_begin_use(cache, block, size);
    return block;
}

void *heap_allocate_zeroed(size_t size) {
    void *block = heap_allocate(size);
    if (block)
        __builtin_memset(block, 0, size);
    return block;
}

void *heap_allocate_padded(size_t size) {
    return heap_allocate(
        size > SIZE_MAX - HEAP_LINE ? size : (size + HEAP_LINE - 1) & ~(size_t)(HEAP_LINE - 1));
}

void *heap_cache_allocate(struct heap_cache *cache) {
    void *block = part_allocate(cache);
    if (block)
        block_begin_use(cache, block, cache->size);
    return block;
}

void *heap_cache_allocate_zeroed(struct heap_cache *cache) {
    void *block = heap_cache_allocate(cache);
    if (block)
        __builtin_memset(block, 0, cache->size);
    return block;
}

void heap_free(void *block) {
    if (!block)
        return;
    struct frame *frame = frame_at(machine_physical(block));
    if (frame->user[0] == HEAP_LARGE) {
        free_large(frame, block);
        return;
    }
    struct slab *slab = (struct slab *)frame->user[0];
    block_check_free(slab, block);
    block_end_use(slab->cache, block);
    part_free(slab, block);
}

size_t heap_size(const void *block) {
    const struct frame *frame = frame_at(machine_physical(block));
    if (frame->user[0] == HEAP_LARGE)
        return FRAME_BYTES << frame_order(frame);
    return slab_of(block)->cache->size;
}
