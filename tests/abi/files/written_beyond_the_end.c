/* A file that is written to beyond its end: zeros in between, and what fstat says. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    char bytes[16];
    struct stat seen;
    gives(3, pwrite64, fd, "end", 3, 10000);
    fstat(fd, &seen);
    is("size", seen.st_size, 10003);
    memset(bytes, 7, 16);
    gives(16, pread64, fd, bytes, 16, 5000);
    is("zeros", bytes[0] | bytes[15], 0);
    gives(3, pread64, fd, bytes, 16, 10000);
    gives(0, pread64, fd, bytes, 16, 10003);
    gives(0, pread64, fd, bytes, 16, 1l << 40);
    gives(20000, lseek, fd, 20000, SEEK_SET);
    gives(0, read, fd, bytes, 1);
    gives(10003, lseek, fd, 0, SEEK_END);
    gives(0, write, fd, "", 0);
    gives(10003, lseek, fd, 0, SEEK_CUR);
    gives(30000, lseek, fd, 30000, SEEK_SET);
    gives(0, write, fd, "", 0);
    fstat(fd, &seen);
    is("size", seen.st_size, 10003);
    gives(1, write, fd, "x", 1);
    fstat(fd, &seen);
    is("size", seen.st_size, 30001);
    fails(EINVAL, pwrite64, fd, "x", 1, -1);
    fails(EINVAL, pread64, fd, bytes, 1, -5);
}
