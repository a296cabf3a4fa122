/*
 * A machine for the tests of file systems: memory is where it is, interrupts do not exist.
 */
#ifndef K42_TESTS_FILES_MACHINE_H
#define K42_TESTS_FILES_MACHINE_H

#include <string.h>

static inline void *machine_memory(uint64_t physical) {
    return (void *)(uintptr_t)physical;
}

static inline uint64_t machine_physical(const void *memory) {
    return (uintptr_t)memory;
}

#endif
