/*
 * Small pieces of the calling thread's program's memory: arguments that are structures and texts.
 * For data that a method copies there is struct copy.
 *
 * The caller is active, holds no lock, and is not inside a method: these wait for pages. 0 or
 * -EFAULT, also when the thread is killed meanwhile.
 */
#ifndef KERNEL_PROGRAM_H
#define KERNEL_PROGRAM_H

#include <k42/base.h>

K42_MUST_CHECK
k42_result program_read(void *to, uintptr_t from, size_t size);
K42_MUST_CHECK
k42_result program_write(uintptr_t to, const void *from, size_t size);

/* A text with its terminating zero: its length. -ENAMETOOLONG: none among `size` bytes. */
K42_MUST_CHECK
k42_result program_read_text(char *to, uintptr_t from, size_t size);

/* Brings a page in. `access`: enum space_access. Errors: those of space.fault. */
K42_MUST_CHECK
k42_result program_fault(uintptr_t address, unsigned access);

#endif
