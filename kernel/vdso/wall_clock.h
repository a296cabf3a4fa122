/*
 * The time of day, and the vDSO by which programs read clocks without entering the kernel.
 *
 * All functions may be called in any context; none waits or fails.
 */
#ifndef KERNEL_WALL_CLOCK_H
#define KERNEL_WALL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Reads the machine's own clock. Once, at boot, when all CPUs run. */
void wall_clock_open(void);

/* Nanoseconds since 1970 began, in UTC. */
uint64_t wall_clock_ns(void);
/* The same for a moment of time_ns(), and the way back (for deadlines). */
uint64_t wall_clock_at(uint64_t monotonic);
uint64_t wall_clock_to_monotonic(uint64_t wall);
/* Sets it; a correction that is being made is given up. */
void wall_clock_set(uint64_t ns);
/*
 * Corrects it by so much, from now on bit by bit: 0.05 %, so it never jumps. Replaces a correction
 * that is being made; returns what was left of that.
 */
int64_t wall_clock_adjust(int64_t ns);
/* How much of a correction is still to be made. */
int64_t wall_clock_left(void);
/* From now on it runs faster than the processor's counter says, or slower: times 2^40. */
void wall_clock_set_rate(int64_t rate);
/* Seconds that CLOCK_TAI is ahead. */
int64_t wall_clock_tai(void);
void wall_clock_set_tai(int64_t seconds);

/*
 * What to map into a program: the page of clocks, readable, and from the next page on the image,
 * readable and executable; AT_SYSINFO_EHDR is where the image begins. Frames of the kernel's own,
 * which stay.
 */
uint64_t vdso_data_frame(void);
size_t vdso_image_pages(void);
uint64_t vdso_image_frame(size_t page);

#endif
