/*
 * Fuzzes the readers of what is to be executed: ELF headers and scripts' first lines.
 *
 * The bytes are a file. What the reader accepts must be such that it can be mapped without any
 * further look at the numbers: within a program's addresses, in order, not overlapping by pages,
 * with offsets that fit.
 */
#include "../../kernel/linux/exec/elf.h"
#include "../../kernel/linux/exec/script.h"
#include "fuzz.h"

#include <string.h>

#define END 0x7ffffffff000ul

static void check_segment(const struct elf_segment *segment, uint64_t after) {
    uint64_t page = segment->address & ~(ELF_PAGE - 1);
    expect(page >= after, "a segment overlaps the one before it");
    expect(segment->memory_size && segment->file_size <= segment->memory_size,
           "a segment has more in the file than in memory");
    expect(segment->address < END && segment->memory_size <= END - segment->address,
           "a segment lies outside of programs");
    expect(!((segment->address ^ segment->offset) & (ELF_PAGE - 1)),
           "a segment cannot be mapped by pages");
    expect(segment->offset + segment->file_size <= INT64_MAX, "a segment's offset wraps around");
}

static void read_program(const uint8_t *data, size_t size) {
    struct elf_program program;
    if (elf_read_header(&program, data, size))
        return;
    expect(program.table_count && program.table_count <= ELF_PROGRAMS_MAX, "a table too long");
    if (program.table_offset > size)
        return;
    if (elf_read_segments(&program, data + program.table_offset, size - program.table_offset, END))
        return;
    expect(program.segments && program.segments <= ELF_SEGMENTS_MAX, "too many segments");
    uint64_t after = program.low;
    for (uint32_t i = 0; i < program.segments; i++) {
        const struct elf_segment *segment = &program.segment[i];
        check_segment(segment, after);
        after = (segment->address + segment->memory_size + ELF_PAGE - 1) & ~(ELF_PAGE - 1);
    }
    expect(program.high == after && program.high <= END, "the span is not that of the segments");
    expect(!(program.alignment & (program.alignment - 1)) && program.alignment >= ELF_PAGE,
           "an alignment that is none");
    expect(program.interpreter_size <= ELF_INTERPRETER_MAX, "an interpreter's name too long");
}

static void read_script(const uint8_t *data, size_t size) {
    struct script script;
    memset(&script, 0x55, sizeof script);
    if (script_read(&script, (const char *)data, size))
        return;
    expect(script.interpreter[0] && strlen(script.interpreter) < SCRIPT_LINE,
           "a script without an interpreter");
    expect(strlen(script.argument) < SCRIPT_LINE, "an argument too long");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        abort();
    memcpy(copy, data, size);
    read_program(copy, size);
    read_script(copy, size);
    free(copy);
    return 0;
}
