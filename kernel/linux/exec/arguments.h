/*
 * Arguments and environment on their way from one program to the next: copied out of the old one,
 * written to the new one's stack.
 *
 * Texts are kept one behind the other, terminated, in blocks. Limits are Linux's: one text has less
 * than 128 KiB, all together a quarter of the stack's limit.
 */
#ifndef KERNEL_ARGUMENTS_H
#define KERNEL_ARGUMENTS_H

#include <k42/base.h>
#include <stdbool.h>

#define ARGUMENT_MAX   131072u
#define ARGUMENT_BLOCK 3072u

struct argument_block {
    struct argument_block *next;
    uint32_t used;
    char text[ARGUMENT_BLOCK - 16];
};

/* A list of texts. Zero is empty. */
struct texts {
    struct argument_block *first, *last;
    uint64_t count, bytes;
};

struct arguments {
    struct texts values, environment;
    uint64_t limit; /* bytes, pointers included */
    uint64_t used;
};

/* From the kernel's memory. Errors: -ENOMEM, -E2BIG. */
K42_MUST_CHECK
k42_result texts_add(struct arguments *arguments, struct texts *texts, const char *text);
/* Puts texts before the others, instead of the first one. */
K42_MUST_CHECK
k42_result texts_replace_first(struct arguments *arguments, const char *const *texts,
                               unsigned count);

/* From the program's memory: arrays of addresses of texts. Errors: -EFAULT, -E2BIG, -ENOMEM. */
K42_MUST_CHECK
k42_result arguments_read(struct arguments *arguments, uintptr_t values, uintptr_t environment);

void arguments_free(struct arguments *arguments);

#endif
