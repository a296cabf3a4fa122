/*
 * A component small enough to be written down: a page each of text, constants and data, which wants
 * one symbol of the kernel's. Tests and the fuzzer's corpus change it.
 */
#ifndef COMPONENT_SAMPLE_H
#define COMPONENT_SAMPLE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

enum { SAMPLE_TEXT = 0, SAMPLE_CONSTANTS = 0x1000, SAMPLE_DATA = 0x2000 };
enum { SAMPLE_WANTED = 1, SAMPLE_OWN, SAMPLE_SYMBOLS };
enum { SAMPLE_RELATIVE, SAMPLE_START, SAMPLE_ABSOLUTE, SAMPLE_GLOBAL, SAMPLE_RELOCATIONS };

struct sample_constants {
    uint64_t start[1];
    uint64_t table[2];
    Elf64_Sym symbols[SAMPLE_SYMBOLS];
    char strings[48];
    uint32_t hash[2 + 1 + SAMPLE_SYMBOLS];
    Elf64_Rela relocations[SAMPLE_RELOCATIONS];
    Elf64_Dyn dynamic[16];
};

struct sample {
    Elf64_Ehdr header;
    Elf64_Phdr programs[4];
    uint8_t text[32];
    struct sample_constants constants;
    uint64_t data[2];
};

#define SAMPLE_AT(member) (SAMPLE_CONSTANTS + offsetof(struct sample_constants, member))

static inline Elf64_Phdr sample_segment(uint32_t flags, uint64_t offset, uint64_t address,
                                        uint64_t size) {
    return (Elf64_Phdr){.p_type = PT_LOAD,
                        .p_flags = flags,
                        .p_offset = offset,
                        .p_vaddr = address,
                        .p_filesz = size,
                        .p_memsz = size,
                        .p_align = 0x1000};
}

static inline struct sample_constants sample_constants(void) {
    return (struct sample_constants){
        .symbols = {[SAMPLE_WANTED] = {.st_name = 1,
                                       .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC)},
                    [SAMPLE_OWN] = {.st_name = 24,
                                    .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT),
                                    .st_shndx = 3,
                                    .st_value = SAMPLE_DATA}},
        .strings = "\0k42_create.01234567\0\0\0\0own",
        .hash = {1, SAMPLE_SYMBOLS},
        .relocations =
            {[SAMPLE_RELATIVE] = {SAMPLE_DATA, ELF64_R_INFO(0, R_X86_64_RELATIVE), SAMPLE_TEXT + 8},
             [SAMPLE_START] = {SAMPLE_AT(start), ELF64_R_INFO(0, R_X86_64_RELATIVE), SAMPLE_TEXT},
             [SAMPLE_ABSOLUTE] = {SAMPLE_AT(table[0]), ELF64_R_INFO(SAMPLE_OWN, R_X86_64_64), 4},
             [SAMPLE_GLOBAL] = {SAMPLE_AT(table[1]), ELF64_R_INFO(SAMPLE_WANTED, R_X86_64_GLOB_DAT),
                                0}},
        .dynamic = {{DT_HASH, {SAMPLE_AT(hash)}},
                    {DT_STRTAB, {SAMPLE_AT(strings)}},
                    {DT_STRSZ, {sizeof((struct sample_constants *)0)->strings}},
                    {DT_SYMTAB, {SAMPLE_AT(symbols)}},
                    {DT_SYMENT, {sizeof(Elf64_Sym)}},
                    {DT_RELA, {SAMPLE_AT(relocations)}},
                    {DT_RELASZ, {sizeof((struct sample_constants *)0)->relocations}},
                    {DT_RELAENT, {sizeof(Elf64_Rela)}},
                    {DT_INIT_ARRAY, {SAMPLE_AT(start)}},
                    {DT_INIT_ARRAYSZ, {8}},
                    {DT_FLAGS, {DF_BIND_NOW}},
                    {DT_NULL, {0}}},
    };
}

static inline struct sample sample(void) {
    return (struct sample){
        .header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                   .e_type = ET_DYN,
                   .e_machine = EM_X86_64,
                   .e_version = EV_CURRENT,
                   .e_phoff = offsetof(struct sample, programs),
                   .e_ehsize = sizeof(Elf64_Ehdr),
                   .e_phentsize = sizeof(Elf64_Phdr),
                   .e_phnum = 4},
        .programs = {sample_segment(PF_R | PF_X, offsetof(struct sample, text), SAMPLE_TEXT, 32),
                     sample_segment(PF_R, offsetof(struct sample, constants), SAMPLE_CONSTANTS,
                                    sizeof(struct sample_constants)),
                     sample_segment(PF_R | PF_W, offsetof(struct sample, data), SAMPLE_DATA, 16),
                     {.p_type = PT_DYNAMIC,
                      .p_flags = PF_R,
                      .p_vaddr = SAMPLE_AT(dynamic),
                      .p_filesz = sizeof((struct sample_constants *)0)->dynamic}},
        .constants = sample_constants(),
        .data = {0, 77},
    };
}

#endif
