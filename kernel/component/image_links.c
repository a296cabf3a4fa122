/*
 * Symbols and relocations of a component, and the functions that it begins with: checked, looked
 * up, carried out. See image.h.
 */
#include "image_parts.h"

#include "../elf64.h"
#include "runtime.h"

#include <errno.h>

enum {
    RELOCATE_ABSOLUTE = 1, /* R_X86_64_64 */
    RELOCATE_GLOBAL = 6,   /* R_X86_64_GLOB_DAT */
    RELOCATE_JUMP = 7,     /* R_X86_64_JUMP_SLOT */
    RELOCATE_RELATIVE = 8,
    TYPE_FUNCTION_CHOSEN = 10, /* STT_GNU_IFUNC */
    TYPE_THREAD_LOCAL = 6,
};

/* ---- symbols ---- */

struct symbol {
    const char *name;
    unsigned type;
    uint16_t section; /* 0: somebody else's */
    uint64_t value;
};

static struct symbol read_symbol(const struct component_image *image, uint64_t index) {
    const uint8_t *at = image->bytes + image->symbols.offset + index * SYMBOL_SIZE;
    return (struct symbol){
        .name = (const char *)image->bytes + image->strings.offset + elf64_read32(at),
        .type = at[4] & 15,
        .section = elf64_read16(at + 6),
        .value = elf64_read64(at + 8),
    };
}

static int refuse_symbol(const struct check *check, const char *name, const char *reason) {
    k42_format_text(check->why, check->why_size, "symbol %s is %s", name, reason);
    return -ENOEXEC;
}

static int check_symbols(const struct check *check) {
    const struct component_image *image = check->image;
    const uint8_t *strings = image->bytes + image->strings.offset;
    if (!image->strings.count || strings[image->strings.count - 1])
        return component_refuse(check, "its names have no end");
    for (uint64_t i = 1; i < image->symbols.count; i++) {
        const uint8_t *at = image->bytes + image->symbols.offset + i * SYMBOL_SIZE;
        if (elf64_read32(at) >= image->strings.count)
            return component_refuse(check, "a symbol's name is damaged");
        struct symbol symbol = read_symbol(image, i);
        if (symbol.type == TYPE_FUNCTION_CHOSEN || symbol.type == TYPE_THREAD_LOCAL)
            return refuse_symbol(check, symbol.name, "of a kind that components do not have");
        if (symbol.section && symbol.value > image->span)
            return refuse_symbol(check, symbol.name, "not inside");
    }
    return 0;
}

/* ---- relocations ---- */

struct relocation {
    uint64_t address, addend;
    uint32_t type, symbol;
};

static struct relocation read_relocation(const struct component_image *image, uint64_t index) {
    const uint8_t *at = image->bytes + image->relocations.offset + index * RELOCATION_SIZE;
    return (struct relocation){
        .address = elf64_read64(at),
        .type = elf64_read32(at + 8),
        .symbol = elf64_read32(at + 12),
        .addend = elf64_read64(at + 16),
    };
}

static int check_relocations(const struct check *check) {
    const struct component_image *image = check->image;
    for (uint64_t i = 0; i < image->relocations.count; i++) {
        struct relocation relocation = read_relocation(image, i);
        const struct component_segment *segment =
            component_segment_of(image, relocation.address, 8);
        if (!segment)
            return component_refuse(check, "a relocation is not inside");
        if (segment->protection & COMPONENT_EXECUTE)
            return component_refuse(check, "its text is to be relocated");
        if (relocation.symbol >= image->symbols.count && relocation.symbol)
            return component_refuse(check, "a relocation's symbol is none");
        if (relocation.type == RELOCATE_RELATIVE
                ? relocation.addend > image->span
                : relocation.type != RELOCATE_ABSOLUTE && relocation.type != RELOCATE_GLOBAL &&
                      relocation.type != RELOCATE_JUMP)
            return component_refuse(check, "a relocation is of no known kind");
    }
    return 0;
}

static bool is_text(const struct component_image *image, uint64_t address) {
    const struct component_segment *segment = component_segment_of(image, address, 1);
    return segment && (segment->protection & COMPONENT_EXECUTE);
}

/* Whether the entry at an address is made a function of its own by exactly one relocation. */
static bool starts_in_text(const struct component_image *image, uint64_t address) {
    bool found = false;
    for (uint64_t i = 0; i < image->relocations.count; i++) {
        struct relocation relocation = read_relocation(image, i);
        if (relocation.address + 8 <= address || relocation.address >= address + 8)
            continue;
        if (found || relocation.address != address || relocation.type != RELOCATE_RELATIVE ||
            !is_text(image, relocation.addend))
            return false;
        found = true;
    }
    return found;
}

#define STARTS_MAX 64u

static int check_starts(const struct check *check) {
    const struct component_image *image = check->image;
    if (image->starts > STARTS_MAX)
        return component_refuse(check, "it has too many functions to start with");
    for (uint64_t i = 0; i < image->starts; i++)
        if (image->start > image->span || !starts_in_text(image, image->start + i * 8))
            return component_refuse(check, "a function to start with is not in its text");
    return 0;
}

int component_check_links(const struct check *check) {
    int error = check_symbols(check);
    if (!error)
        error = check_relocations(check);
    return error ? error : check_starts(check);
}

/* ---- carrying out ---- */

int component_resolve(const struct component_image *image, component_resolve_fn resolve, char *why,
                      size_t why_size) {
    for (uint64_t i = 1; i < image->symbols.count; i++) {
        struct symbol symbol = read_symbol(image, i);
        if (!symbol.section && !resolve(symbol.name, why, why_size))
            return -ENOENT;
    }
    return 0;
}

static uint64_t value_of(const struct component_image *image, const struct relocation *relocation,
                         uintptr_t base, component_resolve_fn resolve) {
    if (relocation->type == RELOCATE_RELATIVE)
        return base + relocation->addend;
    uint64_t value = 0;
    if (relocation->symbol) {
        struct symbol symbol = read_symbol(image, relocation->symbol);
        value = symbol.section ? base + symbol.value : resolve(symbol.name, NULL, 0);
    }
    return value + (relocation->type == RELOCATE_ABSOLUTE ? relocation->addend : 0);
}

void component_place(const struct component_image *image, uint8_t *memory, uintptr_t base,
                     component_resolve_fn resolve) {
    for (unsigned i = 0; i < image->segments; i++) {
        const struct component_segment *segment = &image->segment[i];
        __builtin_memcpy(memory + segment->address, image->bytes + segment->offset,
                         segment->file_size);
    }
    for (uint64_t i = 0; i < image->relocations.count; i++) {
        struct relocation relocation = read_relocation(image, i);
        uint64_t value = value_of(image, &relocation, base, resolve);
        __builtin_memcpy(memory + relocation.address, &value, sizeof value);
    }
}
