/* The stack grows as it is used, up to its limit, and not beyond. */
#include "abi.h"

static __attribute__((noinline)) int deep(int more) {
    volatile char room[4096];
    room[0] = 1;
    return more ? deep(more - 1) + room[0] : 0;
}

static void endless(void) {
    struct rlimit limit = {256 << 10, 256 << 10}, none = {};
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_STACK, &limit);
    deep(1000000);
}

int main(void) {
    struct rlimit limit = {1 << 20, 1 << 20};
    is("sum", deep(100), 100);
    in_child("not beyond", endless);
    setrlimit(RLIMIT_STACK, &limit);
    is("sum", deep(100), 100);
}
