/*
 * A small machine with everything awkward, and the accounts of its frames at the ends of a test.
 */
#ifndef K42_TESTS_FRAMES_FIXTURE_H
#define K42_TESTS_FRAMES_FIXTURE_H

#include "../../kernel/mem/frame/frame.h"
#include "machine/machine.h"

#define KIB 1024ul
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* Odd ends, holes, a boot module, memory above 4 GiB; and the memory that is behind them. */
#define FRAMES_RANGES 6
extern const struct frame_range frames_ranges[FRAMES_RANGES];
void frames_add_banks(void);

/* NULL: there is none. */
struct frame *frames_get(unsigned order, struct frame_consumer *consumer);
/* When nothing is held back by a CPU. */
struct frame_statistics frames_statistics(void);
/* What can be had, wherever it is kept. */
uint64_t frames_available(void);

/* Set-up and tear-down: every test ends with the frames it began with, and with interrupts allowed.
 */
int frames_begin(void **state);
int frames_end(void **state);

#endif
