/*
 * From ELF headers to mappings. Text and data are mapped from the file's page cache, privately;
 * what lies behind a segment's bytes in its last page is zeroed, and whole pages of zeros follow.
 *
 * Where things lie: a program that may lie anywhere some way up in the lower half, with its break
 * behind it; its interpreter far above. Both at random, as much as on Linux.
 */
#include "image.h"

#include "../../arch/x86_64/user_copy.h"
#include "../../copy.h"
#include "../../mem/heap/heap.h"
#include "../../sched/wait.h"

#include <errno.h>
#include <k42/k42.h>

#define PAGE_MASK          (ELF_PAGE - 1)
#define PROGRAM_BASE       0x555555554000ul
#define PROGRAM_SPREAD     0xffffffful /* pages: 1 TiB */
#define INTERPRETER_TOP    0x7ff000000000ul
#define INTERPRETER_SPREAD 0x3fffffful /* pages: 256 GiB */
#define BREAK_SPREAD       0x1fffu     /* pages: 32 MiB */

/* ---- headers ---- */

static k42_result read_table(struct image_file *file, k42_result otherwise) {
    struct elf_program *elf = &file->elf;
    if (elf_read_header(elf, file->head, file->head_size) < 0)
        return otherwise;
    size_t size = (size_t)elf->table_count * ELF_PROGRAM_SIZE;
    if (elf->table_offset + size <= file->head_size)
        return elf_read_segments(elf, file->head + elf->table_offset, size, USER_END);
    uint8_t *table = heap_allocate(size);
    if (!table)
        return -ENOMEM;
    k42_result result = image_read(file, elf->table_offset, table, size);
    result = result < 0 ? otherwise : elf_read_segments(elf, table, size, USER_END);
    heap_free(table);
    return result;
}

static k42_result open_interpreter(struct image *image) {
    const struct elf_program *elf = &image->program.elf;
    char *name = heap_allocate(ELF_INTERPRETER_MAX);
    if (!name)
        return -ENOMEM;
    k42_result result =
        image_read(&image->program, elf->interpreter_offset, name, elf->interpreter_size);
    if (result >= 0 && name[elf->interpreter_size - 1])
        result = -ENOEXEC;
    if (result >= 0)
        result = image_open(&image->interpreter, -100 /* AT_FDCWD */, name, PATH_FOLLOW);
    heap_free(name);
    if (result >= 0 && image->interpreter.head_size < ELF_HEADER_SIZE)
        result = -EIO;
    if (result >= 0)
        result = read_table(&image->interpreter, -ELIBBAD);
    return result;
}

k42_result image_read_program(struct image *image) {
    k42_result result = read_table(&image->program, -ENOEXEC);
    if (result >= 0 && image->program.elf.interpreter_size)
        result = open_interpreter(image);
    return result;
}

/* ---- mappings ---- */

static k42_result map_now(struct image *image, const struct space_request *request) {
    return k42_call(image->space, map, request).result;
}

k42_result image_map_range(struct image *image, const struct space_request *request) {
    k42_result result;
    WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, map_now(image, request));
    return result;
}

k42_result image_write(struct image *image, uint64_t to, const void *from, size_t size) {
    struct copy copy = copy_of_kernel((void *)(uintptr_t)from, size);
    while (copy.left) {
        k42_result result;
        uint64_t at = to + (size - copy.left);
        WAIT_CALL(result, WAIT_FOREVER, WAIT_KILLABLE, k42_call(image->space, poke, at, &copy, 1));
        if (result <= 0)
            return result < 0 ? result : -EFAULT;
    }
    return 0;
}

static k42_result zero_tail(struct image *image, uint64_t from) {
    static const uint8_t zeros[ELF_PAGE];
    return image_write(image, from, zeros, ELF_PAGE - (from & PAGE_MASK));
}

/* The pages that come from the file. */
static k42_result map_file_part(struct image *image, const struct image_file *file,
                                const struct elf_segment *segment, uint64_t base,
                                const struct file_map *how) {
    uint64_t start = (base + segment->address) & ~PAGE_MASK;
    uint64_t end = base + segment->address + segment->file_size;
    struct space_request request = {
        .address = start,
        .length = ((end + PAGE_MASK) & ~PAGE_MASK) - start,
        .protection = segment->protection,
        .most = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE,
        .flags = SPACE_FIXED,
        .fcm = how->fcm,
        .first = how->first + segment->offset / ELF_PAGE,
        .file = (k42_ref)file->file,
    };
    k42_result result = image_map_range(image, &request);
    bool tail = segment->memory_size > segment->file_size && (end & PAGE_MASK);
    if (result >= 0 && tail && (segment->protection & ELF_WRITE))
        result = zero_tail(image, end);
    return result;
}

static k42_result map_zeros(struct image *image, const struct elf_segment *segment, uint64_t base) {
    uint64_t start = base + segment->address + segment->file_size;
    uint64_t end = base + segment->address + segment->memory_size;
    start = segment->file_size ? (start + PAGE_MASK) & ~PAGE_MASK : start & ~PAGE_MASK;
    end = (end + PAGE_MASK) & ~PAGE_MASK;
    struct space_request request = {
        .address = start,
        .length = end - start,
        .protection = segment->protection,
        .most = SPACE_READ | SPACE_WRITE | SPACE_EXECUTE,
        .flags = SPACE_FIXED,
    };
    return start < end ? image_map_range(image, &request) : 0;
}

static k42_result map_segments(struct image *image, const struct image_file *file, uint64_t base) {
    struct file_map how;
    k42_result result = k42_call(file->file, map, &how);
    for (uint32_t i = 0; i < file->elf.segments && result >= 0; i++) {
        const struct elf_segment *segment = &file->elf.segment[i];
        if (segment->file_size)
            result = map_file_part(image, file, segment, base, &how);
        if (result >= 0)
            result = map_zeros(image, segment, base);
    }
    return result;
}

/* ---- where ---- */

static uint64_t spread(struct image *image, uint64_t pages) {
    return (image_random(image) & pages) * ELF_PAGE;
}

static uint64_t base_of(const struct elf_program *elf, uint64_t wanted) {
    return elf->movable ? (wanted & -elf->alignment) - (elf->low & -elf->alignment) : 0;
}

static void mark(struct image *image) {
    const struct elf_program *elf = &image->program.elf;
    struct space_marks *marks = &image->marks;
    uint64_t base = image->program_base;
    marks->code_start = ~0ul;
    for (uint32_t i = 0; i < elf->segments; i++) {
        const struct elf_segment *segment = &elf->segment[i];
        uint64_t start = base + segment->address, end = start + segment->file_size;
        if (segment->protection & ELF_EXECUTE) {
            marks->code_start = start < marks->code_start ? start : marks->code_start;
            marks->code_end = end > marks->code_end ? end : marks->code_end;
        }
        marks->data_start = start;
        marks->data_end = end;
    }
    uint64_t after = base + elf->high + spread(image, BREAK_SPREAD);
    marks->break_start = marks->break_end = after;
}

k42_result image_map(struct image *image) {
    const struct elf_program *elf = &image->program.elf;
    image->program_base = base_of(elf, PROGRAM_BASE + spread(image, PROGRAM_SPREAD));
    image->entry = image->program_base + elf->entry;
    mark(image);
    k42_result result = map_segments(image, &image->program, image->program_base);
    if (result < 0 || !elf->interpreter_size)
        return result;
    const struct elf_program *interpreter = &image->interpreter.elf;
    uint64_t size = interpreter->high - interpreter->low;
    if (size > INTERPRETER_TOP / 2)
        return -ENOMEM;
    image->interpreter_base =
        base_of(interpreter, INTERPRETER_TOP - size - spread(image, INTERPRETER_SPREAD));
    image->entry = image->interpreter_base + interpreter->entry;
    return map_segments(image, &image->interpreter, image->interpreter_base);
}
