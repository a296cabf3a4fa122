/*
 * What the compiler calls instead of writing it out, and a library would have. No state, any
 * context.
 */
#include <stdint.h>

int __popcountdi2(int64_t word);

int __popcountdi2(int64_t word) {
    int count = 0;
    for (uint64_t rest = (uint64_t)word; rest; rest &= rest - 1)
        count++;
    return count;
}
