/*
 * The reader of ELF headers: from bytes of a file to what is to be mapped where.
 *
 * Pure: no state, no memory but the caller's, nothing of the kernel, so the host tests and fuzzes
 * it. Whatever it accepts can be mapped without further checks of numbers: addresses are within a
 * program's half, sums do not wrap around, offsets and addresses agree within a page.
 *
 * Errors are those that Linux's execve() gives: -ENOEXEC, not a program of this machine; -EINVAL
 * and -ENOMEM, segments that cannot be laid out.
 */
#ifndef KERNEL_ELF_H
#define KERNEL_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_HEADER_SIZE     64u
#define ELF_PROGRAM_SIZE    56u
#define ELF_PROGRAMS_MAX    (65536u / ELF_PROGRAM_SIZE)
#define ELF_SEGMENTS_MAX    32u
#define ELF_INTERPRETER_MAX 4096u
#define ELF_PAGE            4096ul

enum elf_protection { ELF_READ = 1, ELF_WRITE = 2, ELF_EXECUTE = 4 }; /* PROT_READ and so on */

enum elf_stack { ELF_STACK_DEFAULT, ELF_STACK_PLAIN, ELF_STACK_EXECUTABLE };

/* One PT_LOAD. Addresses are the file's own; a base is added to them where `movable`. */
struct elf_segment {
    uint64_t address;     /* first byte; not aligned */
    uint64_t offset;      /* in the file; the same as `address` within a page */
    uint64_t file_size;   /* bytes of the file */
    uint64_t memory_size; /* at least as many; zeros follow */
    unsigned protection;
};

struct elf_program {
    bool movable; /* ET_DYN: may lie anywhere */
    uint64_t entry;
    uint64_t table_offset; /* of the program headers */
    uint32_t table_count;
    uint64_t table_address; /* where they are in memory: AT_PHDR; 0: nowhere */
    uint64_t interpreter_offset;
    uint32_t interpreter_size; /* with its terminating zero; 0: there is none */
    enum elf_stack stack;
    uint64_t low, high; /* whole pages: what all segments span */
    uint64_t alignment; /* the largest a segment asks for: a power of two, a page or more */
    uint32_t segments;
    struct elf_segment segment[ELF_SEGMENTS_MAX]; /* by rising address, not overlapping in pages */
};

/* Reads the first ELF_HEADER_SIZE bytes: where the program headers are, how many. 0 or -ENOEXEC. */
int elf_read_header(struct elf_program *program, const uint8_t *bytes, size_t size);

/*
 * Reads the program headers, `table_count` of them in `size` bytes, into a program whose header
 * was read. `end` is the first address programs do not have. 0, -ENOEXEC, -EINVAL, -ENOMEM.
 */
int elf_read_segments(struct elf_program *program, const uint8_t *table, size_t size, uint64_t end);

#endif
