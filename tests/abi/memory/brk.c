/* brk: where it is, up, down, and not below its start. */
#include "abi.h"

int main(void) {
    long start = works(brk, 0);
    is("up", abi_call(brk, start + 10000) - start, 10000);
    char *at = (char *)((start + 4095) & ~4095l);
    at[0] = 7;
    is("zero", ((char *)start)[9999], 0);
    is("down", abi_call(brk, start) - start, 0);
    is("up", abi_call(brk, start + 20000) - start, 20000);
    is("zero again", at[4096], 0);
    is("not that far", abi_call(brk, -1l) - start, 20000);
    is("not below", abi_call(brk, 4096) - start, 20000);
    struct rlimit limit = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_DATA, &limit);
    is("not beyond the limit", abi_call(brk, start + (64 << 20)) - start, 20000);
}
