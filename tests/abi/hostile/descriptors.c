/* Descriptors that are none: never opened, closed, negative, far too large, opened for a path
 * alone. */
#include "abi.h"

#include <sys/file.h>

int main(void) {
    char data[256];
    put("file", "x");
    int closed = open("file", O_RDWR);
    close(closed);
    int path = open("file", O_PATH);
    const int bad[] = {-1, 100, closed + 50, INT_MAX, INT_MIN, path};
    for (unsigned i = 0; i < sizeof bad / sizeof *bad; i++) {
        int fd = bad[i];
        say("%u", i);
        fails(EBADF, read, fd, data, 1);
        fails(EBADF, write, fd, data, 1);
        fails(EBADF, pread64, fd, data, 1, 0);
        fails(EBADF, lseek, fd, 0, SEEK_SET);
        fails(EBADF, fsync, fd);
        fails(EBADF, ftruncate, fd, 0);
        fails(EBADF, fallocate, fd, 0, 0, 1);
        fails(EBADF, flock, fd, LOCK_SH);
        fails(EBADF, getdents64, fd, data, sizeof data);
        fails(EBADF, ioctl, fd, 0x541b, data);
        fails(EBADF, fchmod, fd, 0);
        fails(EBADF, mmap, 0, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
        fails(EBADF, sendfile, fd, 0, NULL, 1);
        fails(EBADF, fcntl, fd, F_GETLK, data);
        fails(EBADF, syncfs, fd);
        fails(EBADF, fadvise64, fd, 0, 0, 0);
        if (fd == path)
            continue;
        fails(EBADF, close, fd);
        fails(EBADF, dup, fd);
        fails(EBADF, fstat, fd, data);
        fails(EBADF, fcntl, fd, F_GETFD);
        fails(EBADF, fchdir, fd);
        fails(EBADF, openat, fd, "x", O_RDONLY);
    }
}
