/* msync: flags, ranges with holes, places that are none. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    ftruncate(fd, 4 * 4096);
    char *at = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    at[5000] = 'x';
    gives(0, msync, at, 4 * 4096, MS_ASYNC);
    gives(0, msync, at, 4 * 4096, MS_SYNC);
    gives(0, msync, at, 4 * 4096, MS_INVALIDATE);
    gives(0, msync, at, 0, MS_SYNC);
    gives(0, msync, at, 4096, 0);
    fails(EINVAL, msync, at, 4096, MS_SYNC | MS_ASYNC);
    fails(EINVAL, msync, at, 4096, 16);
    fails(EINVAL, msync, at + 1, 4096, MS_SYNC);
    munmap(at + 4096, 4096);
    fails(ENOMEM, msync, at, 4 * 4096, MS_SYNC);
    fails(ENOMEM, msync, at + 4096, 4096, MS_SYNC);
}
