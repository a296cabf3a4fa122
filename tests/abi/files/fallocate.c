/* fallocate: space ahead, holes, and everything refused. */
#include "abi.h"

#include <linux/falloc.h>

int main(void) {
    struct stat seen;
    int fd = open("file", O_RDWR | O_CREAT, 0644), reads = open("file", O_RDONLY), ends[2];
    gives(0, fallocate, fd, 0, 0, 5000);
    fstat(fd, &seen);
    is("size", seen.st_size, 5000);
    gives(0, fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 20000);
    fstat(fd, &seen);
    is("size", seen.st_size, 5000);
    pwrite(fd, "x", 1, 100);
    gives(0, fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
    char byte = 'y';
    gives(1, pread64, fd, &byte, 1, 100);
    is("byte", byte, 0);
    fails(EINVAL, fallocate, fd, 0, -1, 10);
    fails(EINVAL, fallocate, fd, 0, 0, 0);
    fails(EINVAL, fallocate, fd, 0, 0, -5);
    fails(EOPNOTSUPP, fallocate, fd, 0x800, 0, 10);
    fails(EOPNOTSUPP, fallocate, fd, FALLOC_FL_PUNCH_HOLE, 0, 10);
    fails(EFBIG, fallocate, fd, 0, INT64_MAX - 5, 100);
    fails(EBADF, fallocate, -1, 0, 0, 10);
    fails(EBADF, fallocate, reads, 0, 0, 10);
    pipe(ends);
    fails(ESPIPE, fallocate, ends[1], 0, 0, 10);
    int null = open("/dev/null", O_RDWR);
    fails(ENODEV, fallocate, null, 0, 0, 10);
}
