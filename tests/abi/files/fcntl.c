/* fcntl: flags, owners, sizes of pipes, and everything refused; locks have cases of their own. */
#include "abi.h"

int main(void) {
    int fd = open("file", O_RDWR | O_CREAT | O_APPEND, 0644), ends[2];
    pipe(ends);
    gives(0, fcntl, fd, F_GETFD);
    gives(0, fcntl, fd, F_SETFD, FD_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, fd, F_GETFD);
    gives(0, fcntl, fd, F_SETFD, 0xfe);
    gives(0, fcntl, fd, F_GETFD);
    gives(O_RDWR | O_APPEND | 0100000, fcntl, fd, F_GETFL);
    gives(0, fcntl, fd, F_SETFL, O_NONBLOCK | O_WRONLY | O_CREAT);
    gives(O_RDWR | O_NONBLOCK | 0100000, fcntl, fd, F_GETFL);
    fails(EBADF, fcntl, -1, F_GETFD);
    fails(EBADF, fcntl, 77, F_SETFL, 0);
    fails(EINVAL, fcntl, fd, 9999, 0);
    fails(EBADF, fcntl, fd, F_GETPIPE_SZ);
    fails(EBADF, fcntl, fd, F_SETPIPE_SZ, 4096);
    gives(65536, fcntl, ends[0], F_GETPIPE_SZ);
    gives(8192, fcntl, ends[0], F_SETPIPE_SZ, 5000);
    gives(4096, fcntl, ends[1], F_SETPIPE_SZ, 1);
    gives(131072, fcntl, ends[1], F_SETPIPE_SZ, 131072);
    static char data[10000];
    write(ends[1], data, sizeof data);
    fails(EBUSY, fcntl, ends[1], F_SETPIPE_SZ, 4096);
    int path = open("file", O_PATH);
    fails(EBADF, fcntl, path, F_SETFL, 0);
    gives(O_PATH, fcntl, path, F_GETFL);
    works(fcntl, path, F_DUPFD, 0);
    int folder = open(".", O_RDONLY);
    fails(EINVAL, fcntl, fd, F_SETLEASE, 99);
    fails(EFAULT, fcntl, fd, F_GETLK, BAD);
    fails(EFAULT, fcntl, fd, F_SETLK, BAD);
    be(SOMEBODY);
    fails(EPERM, fcntl, ends[1], F_SETPIPE_SZ, 4 << 20);
    gives(1 << 20, fcntl, ends[1], F_SETPIPE_SZ, 1 << 20);
    gives(0, fcntl, 0, F_SETFL, O_RDONLY);
}
