/* MAP_FIXED and MAP_FIXED_NOREPLACE: over, between and beside other mappings. */
#include "abi.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)

int main(void) {
    char *at = pages(8);
    memset(at, 'x', 8 * 4096);
    is("there",
       abi_call(mmap, at + 4096, 4096, PROT_READ, PRIVATE | MAP_FIXED, -1, 0) == (long)at + 4096,
       1);
    is("before", at[4095], 'x');
    is("new", at[4096], 0);
    is("behind", at[8192], 'x');
    fails(EINVAL, mmap, at + 1, 4096, PROT_READ, PRIVATE | MAP_FIXED, -1, 0);
    fails(EEXIST, mmap, at, 4096, PROT_READ, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
    fails(EEXIST, mmap, at + 7 * 4096, 3 * 4096, PROT_READ, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0);
    munmap(at + 3 * 4096, 4096);
    is("there",
       mmap(at + 3 * 4096, 4096, PROT_READ, PRIVATE | MAP_FIXED_NOREPLACE, -1, 0) == at + 3 * 4096,
       1);
    fails(EINVAL, mmap, 0, 0, PROT_READ, PRIVATE, -1, 0);
    fails(ENOMEM, mmap, 0, 1l << 47, PROT_READ, PRIVATE, -1, 0);
    fails(ENOMEM, mmap, 1l << 47, 4096, PROT_READ, PRIVATE | MAP_FIXED, -1, 0);
    fails(EINVAL, mmap, 0, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0);
    fails(EBADF, mmap, 0, 4096, PROT_READ, MAP_PRIVATE, -1, 0);
    gives(0, munmap, at, 8 * 4096);
    gives(0, munmap, at, 8 * 4096);
}
