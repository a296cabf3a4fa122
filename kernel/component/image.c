/*
 * The reader of components: see image.h.
 *
 * What is asked of a file, each with a reason to refuse it:
 *
 *   header        ELF64, x86-64, shared object
 *   segments      whole pages, in order, apart, within the file; never both written and executed
 *   dynamic part  relocations and symbols only: no other libraries, no thread-local variables, no
 *                 calls at the end (the ledger ends what a component has)
 *   relocations   of four kinds, into constants and data, never into text
 *   symbols       named; those of its own are inside of it
 *   starts        functions in its text
 */
#include "image.h"

#include "../elf64.h"
#include "runtime.h"

#include <errno.h>

enum {
    PROGRAMS_MAX = 16,
    DYNAMIC_SIZE = 16,
    SYMBOL_SIZE = 24,
    RELOCATION_SIZE = 24,
    RELOCATE_ABSOLUTE = 1, /* R_X86_64_64 */
    RELOCATE_GLOBAL = 6,   /* R_X86_64_GLOB_DAT */
    RELOCATE_JUMP = 7,     /* R_X86_64_JUMP_SLOT */
    RELOCATE_RELATIVE = 8,
    TYPE_FUNCTION_CHOSEN = 10, /* STT_GNU_IFUNC */
    TYPE_THREAD_LOCAL = 6,
};

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

/* The check of one file: what went wrong first is what counts. */
struct check {
    struct component_image *image;
    char *why;
    size_t why_size;
};

static int refuse(const struct check *check, const char *reason) {
    k42_copy_text(check->why, check->why_size, reason);
    return -ENOEXEC;
}

static int refuse_symbol(const struct check *check, const char *name, const char *reason) {
    k42_format_text(check->why, check->why_size, "symbol %s is %s", name, reason);
    return -ENOEXEC;
}

/* ---- segments ---- */

static uint64_t page_end(uint64_t address) {
    return (address + COMPONENT_PAGE - 1) & ~(COMPONENT_PAGE - 1);
}

static int add_segment(const struct check *check, const struct elf64_program *program) {
    struct component_image *image = check->image;
    struct component_segment segment = {
        .address = program->address,
        .offset = program->offset,
        .file_size = program->file_size,
        .memory_size = program->memory_size,
        .protection = program->flags & (COMPONENT_EXECUTE | COMPONENT_WRITE | COMPONENT_READ),
    };
    if (!segment.memory_size)
        return 0;
    if (image->segments == COMPONENT_SEGMENTS_MAX)
        return refuse(check, "it has too many segments");
    if ((segment.protection & COMPONENT_WRITE) && (segment.protection & COMPONENT_EXECUTE))
        return refuse(check, "a segment is both written and executed");
    if (!elf64_within(segment.offset, segment.file_size, image->size))
        return refuse(check, "a segment lies beyond the end of the file: it is cut short");
    if (segment.file_size > segment.memory_size ||
        !elf64_within(segment.address, segment.memory_size, COMPONENT_SIZE_MAX))
        return refuse(check, "a segment is larger than components may be");
    if (segment.address % COMPONENT_PAGE || segment.address < image->span)
        return refuse(check, "segments are not pages of their own, in order");
    image->segment[image->segments++] = segment;
    image->span = page_end(segment.address + segment.memory_size);
    return 0;
}

static const struct component_segment *segment_of(const struct component_image *image,
                                                  uint64_t address, uint64_t length) {
    for (unsigned i = 0; i < image->segments; i++) {
        const struct component_segment *segment = &image->segment[i];
        if (address >= segment->address &&
            elf64_within(address - segment->address, length, segment->memory_size))
            return segment;
    }
    return NULL;
}

/* Where the bytes of an address are in the file. False: not all of them are. */
static bool in_file(const struct component_image *image, uint64_t address, uint64_t length,
                    uint64_t *offset) {
    const struct component_segment *segment = segment_of(image, address, length);
    if (!segment || !elf64_within(address - segment->address, length, segment->file_size))
        return false;
    *offset = segment->offset + (address - segment->address);
    return true;
}

/* ---- the header ---- */

static int check_header(const struct check *check, const uint8_t **programs, unsigned *count) {
    const uint8_t *bytes = check->image->bytes;
    size_t size = check->image->size;
    if (size > COMPONENT_SIZE_MAX)
        return refuse(check, "it is larger than components may be");
    if (size < ELF64_HEADER_SIZE || elf64_read32(bytes) != 0x464c457f)
        return refuse(check, "it is not a component: no ELF file");
    if (bytes[4] != 2 || bytes[5] != 1 || elf64_read16(bytes + 18) != ELF64_MACHINE_X86_64)
        return refuse(check, "it was made for another machine");
    if (elf64_read16(bytes + 16) != ELF64_TYPE_SHARED)
        return refuse(check, "it is not a component: './k42 build FILE.c' makes one");
    uint64_t offset = elf64_read64(bytes + 32);
    *count = elf64_read16(bytes + 56);
    if (elf64_read16(bytes + 54) != ELF64_PROGRAM_SIZE || !*count || *count > PROGRAMS_MAX ||
        !elf64_within(offset, (uint64_t)*count * ELF64_PROGRAM_SIZE, size))
        return refuse(check, "its table of segments is damaged");
    *programs = bytes + offset;
    return 0;
}

/* All segments, and where the dynamic part is. */
static int check_programs(const struct check *check, const uint8_t *programs, unsigned count,
                          uint64_t *dynamic, uint64_t *size) {
    int error = 0;
    *size = 0;
    for (unsigned i = 0; i < count && !error; i++) {
        struct elf64_program program =
            elf64_read_program(programs + (size_t)i * ELF64_PROGRAM_SIZE);
        switch (program.type) {
        case ELF64_PROGRAM_LOAD:
            error = add_segment(check, &program);
            break;
        case ELF64_PROGRAM_DYNAMIC:
            *dynamic = program.address;
            *size = program.file_size;
            break;
        case ELF64_PROGRAM_INTERPRETER:
            error = refuse(check, "it is a program");
            break;
        case ELF64_PROGRAM_THREAD_LOCAL:
            error = refuse(check, "it has thread-local variables");
            break;
        }
    }
    if (!error && !check->image->segments)
        error = refuse(check, "it has no segments");
    return error;
}

/* ---- the dynamic part ---- */

/* What its entries say, as addresses. */
struct dynamic {
    uint64_t relocations, relocations_size, symbols, strings, strings_size, hash, start, start_size;
};

static int note_entry(const struct check *check, struct dynamic *dynamic, uint64_t tag,
                      uint64_t value) {
    switch (tag) {
    case TAG_HASH:
        dynamic->hash = value;
        return 0;
    case TAG_STRINGS:
        dynamic->strings = value;
        return 0;
    case TAG_STRINGS_SIZE:
        dynamic->strings_size = value;
        return 0;
    case TAG_SYMBOLS:
        dynamic->symbols = value;
        return 0;
    case TAG_RELOCATIONS:
        dynamic->relocations = value;
        return 0;
    case TAG_RELOCATIONS_SIZE:
        dynamic->relocations_size = value;
        return 0;
    case TAG_START:
        dynamic->start = value;
        return 0;
    case TAG_START_SIZE:
        dynamic->start_size = value;
        return 0;
    case TAG_SYMBOL_SIZE:
        return value == SYMBOL_SIZE ? 0 : refuse(check, "its symbols are of no known form");
    case TAG_RELOCATION_SIZE:
        return value == RELOCATION_SIZE ? 0 : refuse(check, "its relocations are of no known form");
    case TAG_NEEDED:
        return refuse(check, "it needs another library");
    case TAG_FLAGS:
        return value & FLAG_TEXT_RELOCATIONS ? refuse(check, "its text is to be relocated") : 0;
    case TAG_SYMBOLIC:
    case TAG_FLAGS_1:
    case TAG_RELATIVE_COUNT:
        return 0;
    default:
        return refuse(check, "its dynamic part asks for what components do not have");
    }
}

static int read_dynamic(const struct check *check, uint64_t address, uint64_t size,
                        struct dynamic *dynamic) {
    const struct component_image *image = check->image;
    uint64_t offset;
    *dynamic = (struct dynamic){0};
    if (!size)
        return refuse(check, "it has no dynamic part");
    if (!in_file(image, address, size, &offset))
        return refuse(check, "its dynamic part is damaged");
    for (; size >= DYNAMIC_SIZE; offset += DYNAMIC_SIZE, size -= DYNAMIC_SIZE) {
        uint64_t tag = elf64_read64(image->bytes + offset);
        if (tag == TAG_END)
            return 0;
        int error = note_entry(check, dynamic, tag, elf64_read64(image->bytes + offset + 8));
        if (error)
            return error;
    }
    return refuse(check, "its dynamic part has no end");
}

/* The hash table says how many symbols there are. */
static bool find_tables(struct component_image *image, const struct dynamic *dynamic) {
    uint64_t hash;
    if (!in_file(image, dynamic->hash, 8, &hash))
        return false;
    image->symbols.count = elf64_read32(image->bytes + hash + 4);
    image->strings.count = dynamic->strings_size;
    image->relocations.count = dynamic->relocations_size / RELOCATION_SIZE;
    image->start = dynamic->start;
    image->starts = dynamic->start_size / 8;
    return in_file(image, dynamic->symbols, image->symbols.count * SYMBOL_SIZE,
                   &image->symbols.offset) &&
           in_file(image, dynamic->strings, dynamic->strings_size, &image->strings.offset) &&
           (!image->relocations.count ||
            in_file(image, dynamic->relocations, dynamic->relocations_size,
                    &image->relocations.offset));
}

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

static int check_symbols(const struct check *check) {
    const struct component_image *image = check->image;
    const uint8_t *strings = image->bytes + image->strings.offset;
    if (!image->strings.count || strings[image->strings.count - 1])
        return refuse(check, "its names have no end");
    for (uint64_t i = 1; i < image->symbols.count; i++) {
        const uint8_t *at = image->bytes + image->symbols.offset + i * SYMBOL_SIZE;
        if (elf64_read32(at) >= image->strings.count)
            return refuse(check, "a symbol's name is damaged");
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
        const struct component_segment *segment = segment_of(image, relocation.address, 8);
        if (!segment)
            return refuse(check, "a relocation is not inside");
        if (segment->protection & COMPONENT_EXECUTE)
            return refuse(check, "its text is to be relocated");
        if (relocation.symbol >= image->symbols.count && relocation.symbol)
            return refuse(check, "a relocation's symbol is none");
        if (relocation.type == RELOCATE_RELATIVE
                ? relocation.addend > image->span
                : relocation.type != RELOCATE_ABSOLUTE && relocation.type != RELOCATE_GLOBAL &&
                      relocation.type != RELOCATE_JUMP)
            return refuse(check, "a relocation is of no known kind");
    }
    return 0;
}

static bool is_text(const struct component_image *image, uint64_t address) {
    const struct component_segment *segment = segment_of(image, address, 1);
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
        return refuse(check, "it has too many functions to start with");
    for (uint64_t i = 0; i < image->starts; i++)
        if (image->start > image->span || !starts_in_text(image, image->start + i * 8))
            return refuse(check, "a function to start with is not in its text");
    return 0;
}

/* ---- the whole ---- */

int component_check(struct component_image *image, const uint8_t *bytes, size_t size, char *why,
                    size_t why_size) {
    struct check check = {image, why, why_size};
    const uint8_t *programs = NULL;
    unsigned count = 0;
    uint64_t address = 0, length;
    struct dynamic dynamic;
    *image = (struct component_image){.bytes = bytes, .size = size};
    int error = check_header(&check, &programs, &count);
    if (!error)
        error = check_programs(&check, programs, count, &address, &length);
    if (!error)
        error = read_dynamic(&check, address, length, &dynamic);
    if (!error && !find_tables(image, &dynamic))
        error = refuse(&check, "its tables of symbols and relocations are damaged");
    if (!error)
        error = check_symbols(&check);
    if (!error)
        error = check_relocations(&check);
    return error ? error : check_starts(&check);
}

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
