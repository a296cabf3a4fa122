/*
 * Which objects are swapped next: draws among all that live.
 */
#ifndef KERNEL_CHAOS_DRAW_H
#define KERNEL_CHAOS_DRAW_H

#include <k42/object.h>
#include <stdbool.h>

/* Begins the draws of a storm. Only the storm's thread; as for all here. */
void draw_seed(uint64_t seed);
uint64_t draw_random(void);

/*
 * Looks at all objects and draws some of each class. The caller is active, and stays so as long as
 * it uses what draw_next() gave it.
 */
void draw_all(void);

/*
 * The next object drawn, and its class; false: there is none. `busy`: rather one that calls came to
 * while it was last swapped, or one that was called since.
 */
bool draw_next(bool busy, k42_id *id, struct k42_class **class_);

/* One of a class that was called of late, if there is one among those drawn. */
bool draw_of(const char *class_name, k42_id *id);

/* Calls came to it while it was swapped. */
void draw_note_busy(k42_id id);

#endif
