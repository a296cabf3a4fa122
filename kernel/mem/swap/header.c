/*
 * The first page of a swap file, as mkswap writes it: "SWAPSPACE2" at its end, version 1 with the
 * number of the last page at 1024, a list of bad pages from 1536 on. Whatever else is there is
 * refused.
 */
#include "swap.h"

#include <errno.h>

enum {
    AT_VERSION = 1024,
    AT_LAST_PAGE = 1028,
    AT_BAD_COUNT = 1032,
    AT_BAD = 1536,
    AT_MAGIC = SWAP_HEADER_BYTES - 10,
    BAD_MOST = (AT_MAGIC - AT_BAD) / 4,
};

static uint32_t number_at(const uint8_t *bytes) {
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
           (uint32_t)bytes[3] << 24;
}

static bool has_magic(const uint8_t *bytes) {
    static const char magic[10] = {'S', 'W', 'A', 'P', 'S', 'P', 'A', 'C', 'E', '2'};
    for (unsigned i = 0; i < sizeof magic; i++)
        if (bytes[AT_MAGIC + i] != (uint8_t)magic[i])
            return false;
    return true;
}

k42_result swap_header_read(const uint8_t bytes[SWAP_HEADER_BYTES], struct swap_header *header) {
    uint32_t last = number_at(bytes + AT_LAST_PAGE), bad = number_at(bytes + AT_BAD_COUNT);
    if (!has_magic(bytes) || number_at(bytes + AT_VERSION) != 1)
        return -EINVAL;
    if (!last || last == SWAP_PAGES_MAX || bad > BAD_MOST || bad > last)
        return -EINVAL;
    *header = (struct swap_header){.pages = last + 1, .bad_count = bad, .bad = bytes + AT_BAD};
    return 0;
}

uint32_t swap_header_bad(const struct swap_header *header, uint32_t number) {
    return number_at(header->bad + number * 4ul);
}
