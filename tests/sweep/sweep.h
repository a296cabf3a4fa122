/*
 * The calls that are swept, from the kernel's sources (host/launcher/sweep.py writes the table).
 */
#ifndef SWEEP_H
#define SWEEP_H

#include <stdbool.h>

#define NO_BASE 0x7265637574l /* the argument is what is usual for its kind */

extern const struct swept {
    const char *name;
    long number;
    const char
        *kinds; /* a letter each: f descriptor, t path, p pointer, s size, n another number */
    bool changes_machine;
    long bases[6];
} swept_calls[];

#endif
