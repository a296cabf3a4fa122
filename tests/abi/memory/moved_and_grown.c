/* mremap: in place, elsewhere, to a place; what is there before and after. */
#include "abi.h"

int main(void) {
    char *at = pages(4);
    memset(at, 'x', 4 * 4096);
    is("there", abi_call(mremap, at, 4 * 4096, 2 * 4096, 0) == (long)at, 1);
    char *blocked =
        mmap(at + 2 * 4096, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    fails(ENOMEM, mremap, at, 2 * 4096, 8 * 4096, 0);
    char *moved = (char *)works(mremap, at, 2 * 4096, 8 * 4096, MREMAP_MAYMOVE);
    is("kept", moved[2 * 4096 - 1], 'x');
    is("new", moved[2 * 4096], 0);
    fails(EFAULT, mremap, at, 4096, 4096, MREMAP_MAYMOVE);
    char *place = pages(8);
    is("there", mremap(moved, 8 * 4096, 4 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place,
       1);
    is("kept", place[0], 'x');
    fails(EINVAL, mremap, place, 4096, 4096, MREMAP_FIXED, moved);
    fails(EINVAL, mremap, place + 1, 4096, 4096, 0);
    fails(EINVAL, mremap, place, 4096, 0, 0);
    fails(EINVAL, mremap, place, 2 * 4096, 2 * 4096, MREMAP_MAYMOVE | MREMAP_FIXED, place + 4096);
    fails(EINVAL, mremap, place, 4096, 4096, 16);
}
