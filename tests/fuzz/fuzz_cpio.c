/*
 * Fuzzes the kernel's reader of cpio archives: whatever the bytes, what it says lies within them,
 * it comes to an end, and says why when that is not the end of the bytes.
 */
#include "cpio.h"
#include "fuzz.h"

#include <string.h>

static int lies_within(const char *part, size_t part_size, const char *whole, size_t size) {
    return part >= whole && part <= whole + size && part_size <= size - (size_t)(part - whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *bytes = malloc(size ? size : 1);
    if (!bytes)
        abort();
    memcpy(bytes, data, size);
    struct cpio cpio = cpio_begin(bytes, size);
    struct cpio_entry entry;
    unsigned sum = 0;
    size_t before = 0, entries = 0;
    while (cpio_next(&cpio, &entry)) {
        expect(lies_within(entry.name, entry.name_length, bytes, size), "a name lies outside");
        expect(lies_within(entry.data, entry.size, bytes, size), "data lies outside");
        expect(!memchr(entry.name, 0, entry.name_length), "a name has a zero in it");
        expect(cpio.at > before && cpio.at <= size, "reading does not come on");
        before = cpio.at;
        for (size_t n = 0; n < entry.name_length; n++)
            sum += (unsigned char)entry.name[n];
        for (size_t n = 0; n < entry.size; n++)
            sum += (unsigned char)entry.data[n];
        entries++;
    }
    expect(cpio.wrong || cpio.at == size, "reading ended before the end without a reason");
    expect(entries <= size / 110, "there are more entries than headers");
    free(bytes);
    expect(sum != ~0u, "no archive has that sum");
    return 0;
}
