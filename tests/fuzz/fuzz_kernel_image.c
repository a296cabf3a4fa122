/*
 * Fuzzes the reader of kernel files: the bytes are the file.
 *
 * Whatever it takes must lie inside the file, apart from each other and where a loader may put it,
 * and the entry must be in a part that is loaded. Every byte that would be copied is read, so that
 * a sanitizer sees it.
 */
#include "fuzz.h"
#include "kernel_image.h"

#include <string.h>

static unsigned sum_segment(const struct kernel_segment *segment, const uint8_t *file,
                            size_t size) {
    unsigned sum = 0;
    expect(segment->offset <= size && segment->size <= size - segment->offset,
           "a part lies outside the file");
    expect(segment->physical >= 0x100000 &&
               segment->physical + segment->size + segment->zero <= 0x100000000,
           "a part goes where it must not");
    for (size_t i = 0; i < segment->size; i++)
        sum += file[segment->offset + i];
    return sum;
}

static void look_at(const struct kernel_image *image, const uint8_t *file, size_t size) {
    int entered = 0;
    expect(image->count > 0 && image->count <= KERNEL_IMAGE_SEGMENTS, "a number of parts");
    for (unsigned i = 0; i < image->count; i++) {
        const struct kernel_segment *one = &image->segments[i];
        sum_segment(one, file, size);
        entered |= image->entry >= one->physical && image->entry < one->physical + one->size;
        for (unsigned j = 0; j < i; j++) {
            const struct kernel_segment *other = &image->segments[j];
            expect(one->physical + one->size + one->zero <= other->physical ||
                       other->physical + other->size + other->zero <= one->physical,
                   "parts overlap");
        }
    }
    expect(entered, "it is entered where nothing is loaded");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct kernel_image image;
    /* A copy of just this size, so that a byte too far is seen. */
    uint8_t *file = malloc(size ? size : 1);
    if (!file)
        abort();
    memcpy(file, data, size);
    if (!kernel_image_read(file, size, &image))
        look_at(&image, file, size);
    free(file);
    return 0;
}
