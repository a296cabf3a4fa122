/*
 * Fuzzes the check of seccomp's filters: whatever it lets pass must be such that it can be run on
 * any call's data, ends, and reads and writes nothing else (AddressSanitizer and
 * UndefinedBehaviorSanitizer say so).
 */
#include "../../kernel/linux/seccomp/filter.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct seccomp_data call = {.nr = 1, .args = {1, 2, ~0ul}};
    size_t given = size < sizeof call ? size : sizeof call;
    memcpy(&call, data, given);
    unsigned length = (unsigned)((size - given) / sizeof(struct sock_filter));
    if (!length || length > FILTER_MOST)
        return 0;
    /* Of just that size, so that a step too far is seen. */
    struct sock_filter *program = malloc(length * sizeof *program);
    uint16_t *cells = malloc(length * sizeof *cells);
    memcpy(program, data + given, length * sizeof *program);
    if (filter_is_sound(program, length, cells))
        (void)filter_run(program, &call);
    free(program);
    free(cells);
    return 0;
}
