/*
 * A program on its way into memory: the files it is made of, the space it gets, where it begins.
 *
 * Everything is made in a space of its own while the old program stays as it is; so whatever goes
 * wrong is an error of execve(), and only what cannot fail comes after.
 */
#ifndef KERNEL_IMAGE_H
#define KERNEL_IMAGE_H

#include "../../fs/file.h"
#include "../../fs/node.h"
#include "../../fs/path.h"
#include "../../mem/space/space.h"
#include "../files/descriptors.h"
#include "arguments.h"
#include "elf.h"
#include "script.h"

#define IMAGE_HEAD 1024 /* bytes of a file that are read at once; most headers fit */

/* An executable file: open, its first bytes read. */
struct image_file {
    file_ref file; /* held; or null */
    struct node_attributes attributes;
    uint32_t head_size;
    uint8_t head[IMAGE_HEAD];
    struct elf_program elf;
};

struct image {
    struct image_file program, interpreter;
    struct arguments arguments;
    descriptors_ref descriptors; /* to be its own from then on; null: it has its own already */
    char path[4096];             /* as it was called, for AT_EXECFN */
    char name[16];               /* its last component */
    char before[4096]; /* the script or interpreter that is read by the next interpreter */
    struct script script;
    unsigned scripts; /* how many interpreters deep */

    space_ref space;
    struct charge *charge; /* what its memory is charged to; NULL: the machine */
    uint64_t program_base, interpreter_base;
    uint64_t entry; /* where it begins: the interpreter's, if there is one */
    uint64_t stack;
    uint64_t top;       /* new mappings are placed below */
    uint64_t stack_top; /* its end */
    uint64_t vdso;      /* where its image begins */
    struct space_marks marks;
    struct credentials *credentials; /* what it will run as */
    bool secure;                     /* AT_SECURE: with more rights than who called it */
    bool exact;                      /* ADDR_NO_RANDOMIZE */
    unsigned random_left;            /* words of these, which were drawn together */
    uint64_t random[4];
};

/* open.c: opens a file that the calling task may execute, and reads its head. Errors: those of
 * paths, -EACCES, -ENOEXEC. */
K42_MUST_CHECK
k42_result image_open(struct image_file *file, int directory, const char *path, unsigned flags);
void image_close(struct image_file *file);
/* Reads exactly that much of a file. Errors: -EIO when it ends before. */
K42_MUST_CHECK
k42_result image_read(const struct image_file *file, uint64_t offset, void *to, size_t size);

/* map.c: reads program headers, maps program and interpreter into the space. */
K42_MUST_CHECK
k42_result image_read_program(struct image *image);
K42_MUST_CHECK
k42_result image_map(struct image *image);

/* stack.c: chooses where the stack ends, with room for the vDSO above. */
void image_place_stack(struct image *image);
/* The stack with arguments, environment and auxiliary vector. */
K42_MUST_CHECK
k42_result image_make_stack(struct image *image, uint64_t limit);

/* A mapping in the new space. Errors: those of space.map. */
K42_MUST_CHECK
k42_result image_map_range(struct image *image, const struct space_request *request);

/* Bytes into the new space. Errors: -EFAULT, -ENOMEM. */
K42_MUST_CHECK
k42_result image_write(struct image *image, uint64_t to, const void *from, size_t size);

/* A random word; 0 where the program wants exact addresses. */
uint64_t image_random(struct image *image);

#endif
