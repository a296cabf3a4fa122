/*
 * The vDSO, as programs get it.
 */
#ifndef KERNEL_EXEC_VDSO_H
#define KERNEL_EXEC_VDSO_H

#include "image.h"

/* Once, before the first program; panics without memory. */
void vdso_open(void);

/* Maps it above image->stack_top and says where in image->vdso. Errors: those of space.map. */
K42_MUST_CHECK
k42_result image_map_vdso(struct image *image);

#endif
