/* RLIMIT_FSIZE: writes are cut at it, then refused with SIGXFSZ. */
#include "abi.h"

int main(void) {
    struct rlimit limit = {10, 10};
    handle(SIGXFSZ, 0);
    gives(0, setrlimit, RLIMIT_FSIZE, &limit);
    int fd = works(open, "file", O_RDWR | O_CREAT, 0644);
    gives(8, write, fd, "01234567", 8);
    gives(2, write, fd, "01234567", 8);
    fails(EFBIG, write, fd, "x", 1);
    is("signals", caught, 1);
    fails(EFBIG, pwrite64, fd, "x", 1, 10);
    is("signals", caught, 2);
    fails(EFBIG, ftruncate, fd, 11);
    is("signals", caught, 3);
    gives(0, ftruncate, fd, 10);
    fails(EFBIG, truncate, "file", 11);
    fails(EFBIG, fallocate, fd, 0, 0, 11);
    is("signals", caught, 5);
}
