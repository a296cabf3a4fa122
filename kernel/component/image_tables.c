/*
 * The dynamic part of a component: where its symbols and relocations are. See image.h.
 */
#include "image_parts.h"

#include "../elf64.h"

enum { DYNAMIC_SIZE = 16 };

/* Tags of the dynamic part. */
enum {
    TAG_END = 0,
    TAG_NEEDED = 1,
    TAG_HASH = 4,
    TAG_STRINGS = 5,
    TAG_SYMBOLS = 6,
    TAG_RELOCATIONS = 7,
    TAG_RELOCATIONS_SIZE = 8,
    TAG_RELOCATION_SIZE = 9,
    TAG_STRINGS_SIZE = 10,
    TAG_SYMBOL_SIZE = 11,
    TAG_SYMBOLIC = 16,
    TAG_START = 25,
    TAG_START_SIZE = 27,
    TAG_FLAGS = 30,
    TAG_FLAGS_1 = 0x6ffffffb,
    TAG_RELATIVE_COUNT = 0x6ffffff9,
    FLAG_TEXT_RELOCATIONS = 4,
};

/* What its entries say, as addresses. */
struct dynamic {
    uint64_t relocations, relocations_size, symbols, strings, strings_size, hash, start, start_size;
};

/* Where an entry's value is kept; NULL: it is looked at, and not kept. */
static uint64_t *place_of(struct dynamic *dynamic, uint64_t tag) {
    switch (tag) {
    case TAG_HASH:
        return &dynamic->hash;
    case TAG_STRINGS:
        return &dynamic->strings;
    case TAG_STRINGS_SIZE:
        return &dynamic->strings_size;
    case TAG_SYMBOLS:
        return &dynamic->symbols;
    case TAG_RELOCATIONS:
        return &dynamic->relocations;
    case TAG_RELOCATIONS_SIZE:
        return &dynamic->relocations_size;
    case TAG_START:
        return &dynamic->start;
    case TAG_START_SIZE:
        return &dynamic->start_size;
    default:
        return NULL;
    }
}

static int note_entry(const struct check *check, struct dynamic *dynamic, uint64_t tag,
                      uint64_t value) {
    uint64_t *place = place_of(dynamic, tag);
    if (place) {
        *place = value;
        return 0;
    }
    switch (tag) {
    case TAG_SYMBOL_SIZE:
        return value == SYMBOL_SIZE ? 0
                                    : component_refuse(check, "its symbols are of no known form");
    case TAG_RELOCATION_SIZE:
        return value == RELOCATION_SIZE
                   ? 0
                   : component_refuse(check, "its relocations are of no known form");
    case TAG_NEEDED:
        return component_refuse(check, "it needs another library");
    case TAG_FLAGS:
        return value & FLAG_TEXT_RELOCATIONS
                   ? component_refuse(check, "its text is to be relocated")
                   : 0;
    case TAG_SYMBOLIC:
    case TAG_FLAGS_1:
    case TAG_RELATIVE_COUNT:
        return 0;
    default:
        return component_refuse(check, "its dynamic part asks for what components do not have");
    }
}

static int read_entries(const struct check *check, uint64_t address, uint64_t size,
                        struct dynamic *dynamic) {
    const struct component_image *image = check->image;
    uint64_t offset;
    *dynamic = (struct dynamic){0};
    if (!size)
        return component_refuse(check, "it has no dynamic part");
    if (!component_in_file(image, address, size, &offset))
        return component_refuse(check, "its dynamic part is damaged");
    for (; size >= DYNAMIC_SIZE; offset += DYNAMIC_SIZE, size -= DYNAMIC_SIZE) {
        uint64_t tag = elf64_read64(image->bytes + offset);
        if (tag == TAG_END)
            return 0;
        int error = note_entry(check, dynamic, tag, elf64_read64(image->bytes + offset + 8));
        if (error)
            return error;
    }
    return component_refuse(check, "its dynamic part has no end");
}

/* The hash table says how many symbols there are. */
static bool find_tables(struct component_image *image, const struct dynamic *dynamic) {
    uint64_t hash;
    if (!component_in_file(image, dynamic->hash, 8, &hash))
        return false;
    image->symbols.count = elf64_read32(image->bytes + hash + 4);
    image->strings.count = dynamic->strings_size;
    image->relocations.count = dynamic->relocations_size / RELOCATION_SIZE;
    image->start = dynamic->start;
    image->starts = dynamic->start_size / 8;
    return component_in_file(image, dynamic->symbols, image->symbols.count * SYMBOL_SIZE,
                             &image->symbols.offset) &&
           component_in_file(image, dynamic->strings, dynamic->strings_size,
                             &image->strings.offset) &&
           (!image->relocations.count ||
            component_in_file(image, dynamic->relocations, dynamic->relocations_size,
                              &image->relocations.offset));
}

int component_read_dynamic(const struct check *check, uint64_t address, uint64_t size) {
    struct dynamic dynamic;
    int error = read_entries(check, address, size, &dynamic);
    if (!error && !find_tables(check->image, &dynamic))
        error = component_refuse(check, "its tables of symbols and relocations are damaged");
    return error;
}
