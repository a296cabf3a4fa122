/*
 * Fuzzes the reader of a swap file's first page. Whatever it accepts has room for pages, and a list
 * of bad ones that lies inside the page.
 */
#include "fuzz.h"
#include "swap.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct swap_header header;
    unsigned sum = 0;
    uint8_t *page = calloc(1, SWAP_HEADER_BYTES); /* where a sanitizer sees its end */
    if (!page)
        return 0;
    memcpy(page, data, size < SWAP_HEADER_BYTES ? size : SWAP_HEADER_BYTES);
    if (swap_header_read(page, &header) == 0) {
        expect(header.pages > 1, "a swap without pages");
        expect(header.bad_count < header.pages, "more bad pages than there are");
        for (uint32_t i = 0; i < header.bad_count; i++)
            sum += swap_header_bad(&header, i);
    }
    free(page);
    return sum == 1 ? 0 : 0;
}
