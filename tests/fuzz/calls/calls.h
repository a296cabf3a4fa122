/*
 * What sequences of calls are given: descriptors, paths, pointers and sizes, good and bad ones.
 */
#ifndef TESTS_FUZZ_CALLS_H
#define TESTS_FUZZ_CALLS_H

#include <stdbool.h>
#include <stdint.h>

/* Makes files in the working folder, and the memory; once, in the parent. */
void calls_set_up(void);

/* A value of its kind for each byte there is. */
long calls_descriptor(uint8_t choice);
long calls_path(uint8_t choice, bool privileged);
long calls_pointer(uint8_t choice);
long calls_size(uint8_t choice);

/* Puts some of the input into the memory. */
void calls_poke(uint8_t where, const uint8_t **at, const uint8_t *end);

#endif
