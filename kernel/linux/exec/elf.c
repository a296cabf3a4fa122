/*
 * The reader of ELF headers: see elf.h.
 */
#include "elf.h"

#include "../../elf64.h"

#include <errno.h>

enum { ALIGNMENT_MAX = 1 << 30 };

int elf_read_header(struct elf_program *program, const uint8_t *bytes, size_t size) {
    *program = (struct elf_program){0};
    if (size < ELF_HEADER_SIZE || !elf64_is_ours(bytes))
        return -ENOEXEC;
    uint16_t type = elf64_read16(bytes + 16), count = elf64_read16(bytes + 56);
    if (type != ELF64_TYPE_EXECUTABLE && type != ELF64_TYPE_SHARED)
        return -ENOEXEC;
    if (elf64_read16(bytes + 54) != ELF_PROGRAM_SIZE || !count || count > ELF_PROGRAMS_MAX)
        return -ENOEXEC;
    program->movable = type == ELF64_TYPE_SHARED;
    program->entry = elf64_read64(bytes + 24);
    program->table_offset = elf64_read64(bytes + 32);
    program->table_count = count;
    return program->table_offset > INT64_MAX - 65536 ? -ENOEXEC : 0;
}

static uint64_t page_of(uint64_t address) {
    return address & ~(ELF_PAGE - 1);
}

static unsigned protection_of(uint32_t flags) {
    return (flags & 4 ? ELF_READ : 0) | (flags & 2 ? ELF_WRITE : 0) | (flags & 1 ? ELF_EXECUTE : 0);
}

static int check_segment(const struct elf_program *program, const struct elf64_program *entry,
                         uint64_t end) {
    if (entry->file_size > entry->memory_size || entry->memory_size > end ||
        entry->address > end - entry->memory_size)
        return -EINVAL;
    if (page_of(entry->address + entry->memory_size + ELF_PAGE - 1) > end)
        return -ENOMEM;
    if ((entry->offset ^ entry->address) & (ELF_PAGE - 1))
        return -EINVAL;
    if (entry->offset > INT64_MAX - entry->file_size)
        return -EINVAL;
    if (program->segments == ELF_SEGMENTS_MAX)
        return -ENOMEM;
    if (program->segments && page_of(entry->address) < program->high)
        return -EINVAL; /* overlaps what is there, or lies before it */
    return 0;
}

static int add_segment(struct elf_program *program, const struct elf64_program *entry,
                       uint64_t end) {
    if (!entry->memory_size)
        return 0;
    int error = check_segment(program, entry, end);
    if (error)
        return error;
    if (!program->segments)
        program->low = page_of(entry->address);
    program->high = page_of(entry->address + entry->memory_size + ELF_PAGE - 1);
    if (entry->alignment > program->alignment && entry->alignment <= ALIGNMENT_MAX &&
        !(entry->alignment & (entry->alignment - 1)))
        program->alignment = entry->alignment;
    program->segment[program->segments++] = (struct elf_segment){
        .address = entry->address,
        .offset = entry->offset,
        .file_size = entry->file_size,
        .memory_size = entry->memory_size,
        .protection = protection_of(entry->flags),
    };
    return 0;
}

/* Two bytes at least, as Linux has it: a letter and a zero. The first one counts. */
static int set_interpreter(struct elf_program *program, const struct elf64_program *entry) {
    if (program->interpreter_size)
        return 0;
    if (entry->file_size < 2 || entry->file_size > ELF_INTERPRETER_MAX)
        return -ENOEXEC;
    if (entry->offset > INT64_MAX - ELF_INTERPRETER_MAX)
        return -EINVAL;
    program->interpreter_offset = entry->offset;
    program->interpreter_size = (uint32_t)entry->file_size;
    return 0;
}

static int take_entry(struct elf_program *program, const struct elf64_program *entry,
                      uint64_t end) {
    switch (entry->type) {
    case ELF64_PROGRAM_LOAD:
        return add_segment(program, entry, end);
    case ELF64_PROGRAM_INTERPRETER:
        return set_interpreter(program, entry);
    case ELF64_PROGRAM_GNU_STACK:
        program->stack = entry->flags & 1 ? ELF_STACK_EXECUTABLE : ELF_STACK_PLAIN;
        return 0;
    default:
        return 0;
    }
}

/* Where the segment that has them in the file puts them. */
static uint64_t find_table(const struct elf_program *program) {
    uint64_t size = (uint64_t)program->table_count * ELF_PROGRAM_SIZE;
    for (uint32_t i = 0; i < program->segments; i++) {
        const struct elf_segment *segment = &program->segment[i];
        if (program->table_offset >= segment->offset && size <= segment->file_size &&
            program->table_offset - segment->offset <= segment->file_size - size)
            return segment->address + (program->table_offset - segment->offset);
    }
    return 0;
}

int elf_read_segments(struct elf_program *program, const uint8_t *table, size_t size,
                      uint64_t end) {
    if (size < (size_t)program->table_count * ELF_PROGRAM_SIZE)
        return -ENOEXEC;
    program->alignment = ELF_PAGE;
    for (uint32_t i = 0; i < program->table_count; i++) {
        struct elf64_program entry = elf64_read_program(table + (size_t)i * ELF_PROGRAM_SIZE);
        int error = take_entry(program, &entry, end);
        if (error)
            return error;
    }
    program->table_address = find_table(program);
    return program->segments ? 0 : -EINVAL;
}
