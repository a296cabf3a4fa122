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
#include "image_parts.h"

#include "../elf64.h"
#include "runtime.h"

#include <errno.h>

enum { PROGRAMS_MAX = 16 };

int component_refuse(const struct check *check, const char *reason) {
    k42_copy_text(check->why, check->why_size, reason);
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
        return component_refuse(check, "it has too many segments");
    if ((segment.protection & COMPONENT_WRITE) && (segment.protection & COMPONENT_EXECUTE))
        return component_refuse(check, "a segment is both written and executed");
    if (!elf64_within(segment.offset, segment.file_size, image->size))
        return component_refuse(check,
                                "a segment lies beyond the end of the file: it is cut short");
    if (segment.file_size > segment.memory_size ||
        !elf64_within(segment.address, segment.memory_size, COMPONENT_SIZE_MAX))
        return component_refuse(check, "a segment is larger than components may be");
    if (segment.address % COMPONENT_PAGE || segment.address < image->span)
        return component_refuse(check, "segments are not pages of their own, in order");
    image->segment[image->segments++] = segment;
    image->span = page_end(segment.address + segment.memory_size);
    return 0;
}

const struct component_segment *component_segment_of(const struct component_image *image,
                                                     uint64_t address, uint64_t length) {
    for (unsigned i = 0; i < image->segments; i++) {
        const struct component_segment *segment = &image->segment[i];
        if (address >= segment->address &&
            elf64_within(address - segment->address, length, segment->memory_size))
            return segment;
    }
    return NULL;
}

bool component_in_file(const struct component_image *image, uint64_t address, uint64_t length,
                       uint64_t *offset) {
    const struct component_segment *segment = component_segment_of(image, address, length);
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
        return component_refuse(check, "it is larger than components may be");
    if (size < ELF64_HEADER_SIZE || elf64_read32(bytes) != 0x464c457f)
        return component_refuse(check, "it is not a component: no ELF file");
    if (bytes[4] != 2 || bytes[5] != 1 || elf64_read16(bytes + 18) != ELF64_MACHINE_X86_64)
        return component_refuse(check, "it was made for another machine");
    if (elf64_read16(bytes + 16) != ELF64_TYPE_SHARED)
        return component_refuse(check, "it is not a component: './k42 build FILE.c' makes one");
    uint64_t offset = elf64_read64(bytes + 32);
    *count = elf64_read16(bytes + 56);
    if (elf64_read16(bytes + 54) != ELF64_PROGRAM_SIZE || !*count || *count > PROGRAMS_MAX ||
        !elf64_within(offset, (uint64_t)*count * ELF64_PROGRAM_SIZE, size))
        return component_refuse(check, "its table of segments is damaged");
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
            error = component_refuse(check, "it is a program");
            break;
        case ELF64_PROGRAM_THREAD_LOCAL:
            error = component_refuse(check, "it has thread-local variables");
            break;
        }
    }
    if (!error && !check->image->segments)
        error = component_refuse(check, "it has no segments");
    return error;
}

/* ---- the whole ---- */

int component_check(struct component_image *image, const uint8_t *bytes, size_t size, char *why,
                    size_t why_size) {
    struct check check = {image, why, why_size};
    const uint8_t *programs = NULL;
    unsigned count = 0;
    uint64_t address = 0, length;
    *image = (struct component_image){.bytes = bytes, .size = size};
    int error = check_header(&check, &programs, &count);
    if (!error)
        error = check_programs(&check, programs, count, &address, &length);
    if (!error)
        error = component_read_dynamic(&check, address, length);
    return error ? error : component_check_links(&check);
}
