/*
 * Another program in the calling process: execve().
 */
#ifndef KERNEL_EXEC_H
#define KERNEL_EXEC_H

#include "image.h"

struct trap_frame;

/*
 * Makes image->path, whose arguments are in the image, the calling task's program: its registers
 * in *frame are the new program's. A negative result is execve()'s error, and nothing has changed.
 * The image is zero but for path and arguments, and afterwards the caller's to free.
 */
K42_MUST_CHECK
k42_result exec_image(struct image *image, int directory, unsigned flags, struct trap_frame *frame);

#endif
