/*
 * What fuzzers have in common (replay.c runs them over a corpus; with clang's -fsanitize=fuzzer
 * each is a libFuzzer target).
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program and says what is wrong, unless it holds. */
static inline void expect(int holds, const char *what) {
    if (holds)
        return;
    fprintf(stderr, "%s: %s\n", __BASE_FILE__, what);
    abort();
}

#endif
