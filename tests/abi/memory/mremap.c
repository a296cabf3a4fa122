/* mremap: grown, shrunk, moved, refused. */
#include "abi.h"

#define PAGE 4096

int main(void) {
    char *at = pages(4), *to = pages(8);
    strcpy(at, "first");
    strcpy(at + 3 * PAGE, "last");
    is("shrunk", works(mremap, at, 4 * PAGE, 2 * PAGE, 0) == (long)at, 1);
    is("gone", abi_call(mincore, at + 2 * PAGE, PAGE, to), -1);
    mmap(at + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fails(ENOMEM, mremap, at, 2 * PAGE, 4 * PAGE, 0);
    char *moved = (char *)works(mremap, at, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
    say("%s", moved);
    munmap(to, 8 * PAGE);
    is("where it is told",
       works(mremap, moved, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == (long)to, 1);
    say("%s", to);
    fails(EFAULT, mremap, moved, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    fails(EINVAL, mremap, to + 1, PAGE, 2 * PAGE, 0);
    fails(EINVAL, mremap, to, PAGE, 0, 0);
    fails(EINVAL, mremap, to, PAGE, 2 * PAGE, 64);
    fails(EINVAL, mremap, to, PAGE, 2 * PAGE, MREMAP_FIXED, at);
    fails(EINVAL, mremap, to, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at + 1);
    fails(EINVAL, mremap, to, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + PAGE);
    fails(EINVAL, mremap, to, 0, PAGE, MREMAP_MAYMOVE);
    fails(ENOMEM, mremap, to, PAGE, 1ul << 46, 0);
}
