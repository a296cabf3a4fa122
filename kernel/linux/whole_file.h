/*
 * A program's file, read into the kernel as a whole: a component, another kernel.
 */
#ifndef KERNEL_LINUX_WHOLE_FILE_H
#define KERNEL_LINUX_WHOLE_FILE_H

#include <k42/base.h>

/* In one piece, in frames that stay where they are; all zero: none. */
struct whole_file {
    struct frame *frame;
    unsigned order;
    size_t size;
};

/*
 * Reads the file of a descriptor. The caller is active and may wait. Afterwards
 * whole_file_discard(), also when it failed. Errors: -EBADF, -ENOEXEC (it is empty), -EFBIG, -EIO
 * (it became shorter meanwhile), -ENOMEM, what reading says.
 */
K42_MUST_CHECK
k42_result whole_file_read(int descriptor, struct whole_file *file);
/* The same from the caller's memory. Errors: -EFAULT, -ENOEXEC, -EFBIG, -ENOMEM. */
K42_MUST_CHECK
k42_result whole_file_copy(uintptr_t from, size_t size, struct whole_file *file);
void whole_file_discard(struct whole_file *file);

/* The bytes; frames are reached by the same address from everywhere in the kernel. */
void *whole_file_bytes(const struct whole_file *file);

#endif
