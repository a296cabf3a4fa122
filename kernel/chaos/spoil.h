/*
 * What a storm does besides swapping: calls that take longer, calls that fail, memory that is not
 * there.
 */
#ifndef KERNEL_CHAOS_SPOIL_H
#define KERNEL_CHAOS_SPOIL_H

#include "chaos.h"

/*
 * A round: takes away the hooks of earlier rounds that have done their work, and places so many new
 * ones. The caller has called draw_all() and is active. Only the storm's thread, as for all here.
 */
void spoil_round(unsigned delays, unsigned failures);

/* One allocation among the next few of the runtime's workers, which swap, finds no memory. */
void spoil_memory(unsigned among);

/* Takes everything away, and waits until it is gone. Inactive. */
void spoil_end(void);

/* Adds what came of it. */
void spoil_read(struct chaos_counts *counts);

#endif
