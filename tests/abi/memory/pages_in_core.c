/* mincore: which pages are there, of memory that is and is not used. */
#include "abi.h"

int main(void) {
    unsigned char there[8];
    char *at = pages(8);
    at[0] = at[3 * 4096] = 1;
    gives(0, mincore, at, 8 * 4096, there);
    for (int i = 0; i < 8; i++)
        say("%d", there[i] & 1);
    fails(EINVAL, mincore, at + 1, 4096, there);
    fails(EFAULT, mincore, at, 4096, BAD);
    gives(0, mincore, at, 0, there);
    munmap(at + 4096, 4096);
    fails(ENOMEM, mincore, at, 3 * 4096, there);
}
