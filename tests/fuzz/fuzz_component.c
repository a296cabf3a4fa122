/*
 * Fuzzes the reader of components: what it accepts is placed and relocated in memory of exactly its
 * size, and what is text stays as it was in the file.
 *
 * The signature, which keeps such files from the kernel, is left out here.
 */
#include "../../kernel/component/image.h"
#include "fuzz.h"

#include "text.h"

#include <string.h>

static uintptr_t resolve(const char *symbol, char *why, size_t why_size) {
    (void)why, (void)why_size;
    return strlen(symbol) + 1;
}

static void check_segments(const struct component_image *image) {
    uint64_t after = 0;
    for (unsigned i = 0; i < image->segments; i++) {
        const struct component_segment *segment = &image->segment[i];
        expect(segment->address >= after, "a segment overlaps the one before it");
        expect(!(segment->address % COMPONENT_PAGE), "a segment is not of whole pages");
        expect(segment->file_size <= segment->memory_size, "more in the file than in memory");
        expect(
            !((segment->protection & COMPONENT_WRITE) && (segment->protection & COMPONENT_EXECUTE)),
            "a segment is both written and executed");
        after = segment->address + segment->memory_size;
    }
    expect(after <= image->span && image->span <= COMPONENT_SIZE_MAX, "the span is too small");
}

static void check_text(const struct component_image *image, const uint8_t *memory) {
    for (unsigned i = 0; i < image->segments; i++) {
        const struct component_segment *segment = &image->segment[i];
        if (segment->protection & COMPONENT_EXECUTE)
            expect(!memcmp(memory + segment->address, image->bytes + segment->offset,
                           segment->file_size),
                   "text was changed");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct component_image image;
    char why[128] = "";
    int error = component_check(&image, data, size, why, sizeof why);
    expect(!error == !why[0], "refused without a reason, or accepted with one");
    if (error || image.span > 1 << 20)
        return 0;
    check_segments(&image);
    uint8_t *memory = calloc(1, image.span);
    if (memory && !component_resolve(&image, resolve, why, sizeof why)) {
        component_place(&image, memory, 0xffffffffc0000000ul, resolve);
        check_text(&image, memory);
    }
    free(memory);
    return 0;
}
