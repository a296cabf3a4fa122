/*
 * Which class has become which, how often, and what an object of a class is to become next.
 *
 * Classes are known by name, so that a component whose classes were counted may go.
 */
#ifndef KERNEL_CHAOS_PAIRS_H
#define KERNEL_CHAOS_PAIRS_H

#include "chaos.h"

#include <stdbool.h>

/*
 * Of the classes that an object of `from` may become, the one it has become least often in all
 * storms; valid as long as the caller is active. NULL: there is none, or no memory. Only the
 * storm's thread.
 */
struct chaos_pair *chaos_next(const struct k42_class *from, struct k42_class **to);

/* How often an object of the class was made, or tried to be, what it has become least often so far.
 * Only the storm's thread. */
uint64_t chaos_least(const struct k42_class *class_);

/* Has all pairs there are now listed, so that what was never swapped is told, too. */
void chaos_list_pairs(void);

/* Whether one in eight swaps of the class's objects met calls, so far. Only the storm's thread. */
bool chaos_meets_calls(const struct k42_class *class_);

#endif
