/* lseek: every kind, at the ends, and what is none. */
#include "abi.h"

int main(void) {
    put("file", "0123456789");
    int fd = open("file", O_RDWR);
    gives(3, lseek, fd, 3, SEEK_SET);
    gives(5, lseek, fd, 2, SEEK_CUR);
    gives(8, lseek, fd, -2, SEEK_END);
    gives(20, lseek, fd, 10, SEEK_END);
    fails(EINVAL, lseek, fd, -11, SEEK_END);
    fails(EINVAL, lseek, fd, -21, SEEK_CUR);
    gives(20, lseek, fd, 0, SEEK_CUR);
    fails(EINVAL, lseek, fd, 0, 5);
    fails(EINVAL, lseek, fd, 0, -1);
    gives(0, lseek, fd, 0, SEEK_DATA);
    gives(10, lseek, fd, 0, SEEK_HOLE);
    fails(ENXIO, lseek, fd, 10, SEEK_DATA);
    fails(ENXIO, lseek, fd, 10, SEEK_HOLE);
    fails(ENXIO, lseek, fd, -1, SEEK_DATA);
    fails(EBADF, lseek, 99, 0, SEEK_SET);
}
