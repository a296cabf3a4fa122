/*
 * FRs that need nothing but memory.
 *
 *   fr_zero   nothing is behind the pages: they begin as zeros, and what is written back is gone
 */
#ifndef KERNEL_FR_ZERO_H
#define KERNEL_FR_ZERO_H

#include "fr.h"

#include <k42/class.h>

/* Made without arguments. One serves any number of FCMs. */
extern struct k42_class fr_zero;

#endif
