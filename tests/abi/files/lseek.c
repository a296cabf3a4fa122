/* lseek: each origin, holes, and everything refused. */
#include "abi.h"

int main(void) {
    int fd = works(open, "file", O_RDWR | O_CREAT, 0644), ends[2];
    works(write, fd, "0123456789", 10);
    gives(3, lseek, fd, 3, SEEK_SET);
    gives(5, lseek, fd, 2, SEEK_CUR);
    gives(8, lseek, fd, -2, SEEK_END);
    gives(110, lseek, fd, 100, SEEK_END);
    fails(EINVAL, lseek, fd, -1, SEEK_SET);
    fails(EINVAL, lseek, fd, -1000, SEEK_CUR);
    fails(EINVAL, lseek, fd, 0, 9);
    gives(110, lseek, fd, 0, SEEK_CUR);
    fails(EINVAL, lseek, fd, INT64_MAX, SEEK_CUR);
    gives(INT64_MAX, lseek, fd, INT64_MAX, SEEK_SET);
    fails(EBADF, lseek, -1, 0, SEEK_SET);
    works(pipe, ends);
    fails(ESPIPE, lseek, ends[0], 0, SEEK_SET);
    fails(EINVAL, lseek, ends[0], 0, 99);
    gives(0, lseek, fd, 0, SEEK_DATA);
    gives(10, lseek, fd, 0, SEEK_HOLE);
    fails(ENXIO, lseek, fd, 10, SEEK_DATA);
    fails(ENXIO, lseek, fd, 10, SEEK_HOLE);
    fails(ENXIO, lseek, fd, -1, SEEK_DATA);
    gives(0, ftruncate, fd, 1 << 20);
    works(pwrite64, fd, "x", 1, 1 << 20);
    gives(4096, lseek, fd, 0, SEEK_HOLE);
    gives(1 << 20, lseek, fd, 4096, SEEK_DATA);
}
