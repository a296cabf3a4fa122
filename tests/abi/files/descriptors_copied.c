/* dup, dup2, dup3 and F_DUPFD: which number, which flags, what is refused. */
#include "abi.h"

int main(void) {
    int next = dup(0);
    close(next);
    gives(next, dup, 0);
    gives(next + 5, fcntl, 0, F_DUPFD, next + 5);
    gives(next + 6, fcntl, 0, F_DUPFD_CLOEXEC, next + 5);
    gives(1, fcntl, next + 6, F_GETFD);
    gives(0, fcntl, next + 5, F_GETFD);
    gives(next + 6, dup2, 0, next + 6);
    gives(0, fcntl, next + 6, F_GETFD);
    gives(next + 6, dup3, 0, next + 6, O_CLOEXEC);
    gives(1, fcntl, next + 6, F_GETFD);
    gives(next + 6, dup2, next + 6, next + 6);
    gives(1, fcntl, next + 6, F_GETFD);
    fails(EINVAL, dup3, 0, 0, 0);
    fails(EINVAL, dup3, 0, next, 1);
    fails(EBADF, dup2, 99, next);
    fails(EBADF, dup2, 99, 99);
    fails(EBADF, dup2, 0, -1);
    fails(EINVAL, fcntl, 0, F_DUPFD, -1);
}
