/*
 * The parts of a kernel's ELF file that a loader looks at: what is loaded where, and the note that
 * says where it is entered. Nothing in the file is believed before it was compared with the file's
 * size. Owns nothing.
 */
#include "kernel_image.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>

#define LOWEST      0x100000ul
#define REACHED     0x100000000ul
#define HEADERS_MAX 64
#define PVH_ENTRY   18 /* the kind of Xen's note */

struct file {
    const char *bytes;
    size_t size;
};

static bool lies_inside(const struct file *file, uint64_t offset, uint64_t size) {
    return offset <= file->size && size <= file->size - offset;
}

static bool header_ok(const struct file *file, Elf64_Ehdr *header) {
    if (!lies_inside(file, 0, sizeof *header))
        return false;
    __builtin_memcpy(header, file->bytes, sizeof *header);
    return !__builtin_memcmp(header->e_ident, ELFMAG, SELFMAG) &&
           header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_machine == EM_X86_64 &&
           header->e_phentsize == sizeof(Elf64_Phdr) && header->e_phnum <= HEADERS_MAX &&
           lies_inside(file, header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr));
}

static bool segments_apart(const struct kernel_segment *a, const struct kernel_segment *b) {
    return a->physical + a->size + a->zero <= b->physical ||
           b->physical + b->size + b->zero <= a->physical;
}

static bool add_segment(const struct file *file, const Elf64_Phdr *header,
                        struct kernel_image *image) {
    if (!header->p_memsz)
        return true;
    if (image->count == KERNEL_IMAGE_SEGMENTS || header->p_filesz > header->p_memsz ||
        !lies_inside(file, header->p_offset, header->p_filesz) || header->p_paddr < LOWEST ||
        header->p_memsz > REACHED || header->p_paddr > REACHED - header->p_memsz)
        return false;
    struct kernel_segment *segment = &image->segments[image->count];
    *segment = (struct kernel_segment){header->p_paddr, header->p_offset, header->p_filesz,
                                       header->p_memsz - header->p_filesz};
    for (unsigned i = 0; i < image->count; i++)
        if (!segments_apart(&image->segments[i], segment))
            return false;
    image->count++;
    return true;
}

static uint64_t padded(uint32_t size) {
    return ((uint64_t)size + 3) & ~3ul;
}

/* Looks through the notes at an offset for the entry. */
static void find_entry(const struct file *file, uint64_t at, uint64_t size, uint32_t *entry) {
    Elf64_Nhdr note;
    if (!lies_inside(file, at, size))
        return;
    for (uint64_t end = at + size; end - at >= sizeof note;) {
        __builtin_memcpy(&note, file->bytes + at, sizeof note);
        uint64_t name = at + sizeof note, value = name + padded(note.n_namesz);
        uint64_t next = value + padded(note.n_descsz);
        if (next > end)
            return;
        if (note.n_type == PVH_ENTRY && note.n_namesz == 4 && note.n_descsz >= sizeof *entry &&
            !__builtin_memcmp(file->bytes + name, "Xen", 4))
            __builtin_memcpy(entry, file->bytes + value, sizeof *entry);
        at = next;
    }
}

static bool is_loaded(const struct kernel_image *image, uint32_t address) {
    for (unsigned i = 0; i < image->count; i++)
        if (address >= image->segments[i].physical &&
            address - image->segments[i].physical < image->segments[i].size)
            return true;
    return false;
}

int kernel_image_read(const void *bytes, size_t size, struct kernel_image *image) {
    struct file file = {bytes, size};
    Elf64_Ehdr header;
    image->entry = image->count = 0;
    if (!header_ok(&file, &header))
        return -ENOEXEC;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr part;
        __builtin_memcpy(&part, file.bytes + header.e_phoff + i * sizeof part, sizeof part);
        if (part.p_type == PT_LOAD && !add_segment(&file, &part, image))
            return -ENOEXEC;
        if (part.p_type == PT_NOTE)
            find_entry(&file, part.p_offset, part.p_filesz, &image->entry);
    }
    return is_loaded(image, image->entry) ? 0 : -ENOEXEC;
}
