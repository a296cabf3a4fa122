/*
 * What every reader of ELF files for this machine knows: where bytes are read, by memcpy from
 * wherever they lie, so that neither alignment nor the compiler's idea of aliasing matters (both
 * sides are little-endian); numbers of the format.
 */
#ifndef KERNEL_ELF64_H
#define KERNEL_ELF64_H

#include <stdbool.h>
#include <stdint.h>

enum {
    ELF64_HEADER_SIZE = 64,
    ELF64_PROGRAM_SIZE = 56,
    ELF64_TYPE_EXECUTABLE = 2,
    ELF64_TYPE_SHARED = 3,
    ELF64_MACHINE_X86_64 = 62,
    ELF64_PROGRAM_LOAD = 1,
    ELF64_PROGRAM_DYNAMIC = 2,
    ELF64_PROGRAM_INTERPRETER = 3,
    ELF64_PROGRAM_THREAD_LOCAL = 7,
    ELF64_PROGRAM_GNU_STACK = 0x6474e551,
};

static inline uint16_t elf64_read16(const uint8_t *at) {
    uint16_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t elf64_read32(const uint8_t *at) {
    uint32_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t elf64_read64(const uint8_t *at) {
    uint64_t value;
    __builtin_memcpy(&value, at, sizeof value);
    return value;
}

/* Whether that many bytes lie before the end. */
static inline bool elf64_within(uint64_t at, uint64_t length, uint64_t end) {
    return at <= end && length <= end - at;
}

/* Whether a header's bytes say: 64 bits, little-endian, this machine. */
static inline bool elf64_is_ours(const uint8_t *header) {
    return elf64_read32(header) == 0x464c457f && header[4] == 2 && header[5] == 1 &&
           elf64_read16(header + 18) == ELF64_MACHINE_X86_64;
}

/* One program header. */
struct elf64_program {
    uint32_t type, flags;
    uint64_t offset, address, file_size, memory_size, alignment;
};

static inline struct elf64_program elf64_read_program(const uint8_t *at) {
    return (struct elf64_program){
        .type = elf64_read32(at),
        .flags = elf64_read32(at + 4),
        .offset = elf64_read64(at + 8),
        .address = elf64_read64(at + 16),
        .file_size = elf64_read64(at + 32),
        .memory_size = elf64_read64(at + 40),
        .alignment = elf64_read64(at + 48),
    };
}

#endif
