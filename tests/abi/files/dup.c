/* dup, dup2, dup3 and fcntl's F_DUPFD: numbers, flags, and everything refused. */
#include "abi.h"

int main(void) {
    gives(3, dup, 0);
    gives(7, dup2, 0, 7);
    gives(7, dup2, 7, 7);
    fails(EBADF, dup, -1);
    fails(EBADF, dup, 100);
    fails(EBADF, dup2, 100, 5);
    fails(EBADF, dup2, 100, 100);
    fails(EBADF, dup2, 0, -1);
    fails(EINVAL, dup3, 0, 0, 0);
    fails(EINVAL, dup3, 0, 9, 1);
    fails(EBADF, dup3, 100, 9, 0);
    fails(EBADF, dup3, 0, -1, 0);
    gives(9, dup3, 0, 9, O_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, 9, F_GETFD);
    gives(10, fcntl, 0, F_DUPFD, 9);
    gives(0, fcntl, 10, F_GETFD);
    gives(11, fcntl, 0, F_DUPFD_CLOEXEC, 9);
    gives(FD_CLOEXEC, fcntl, 11, F_GETFD);
    gives(0, dup2, 1, 0);
    struct rlimit few = {13, 13};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EINVAL, fcntl, 0, F_DUPFD, 13);
    fails(EINVAL, fcntl, 0, F_DUPFD, -1);
    gives(12, fcntl, 0, F_DUPFD, 12);
    fails(EMFILE, fcntl, 0, F_DUPFD, 12);
    fails(EBADF, dup2, 0, 13);
    gives(4, dup, 0);
    gives(5, dup, 0);
    gives(6, dup, 0);
    gives(8, dup, 0);
    fails(EMFILE, dup, 0);
    int ends[2];
    fails(EMFILE, pipe, ends);
    fails(EMFILE, pipe2, ends, O_CLOEXEC);
    fails(EMFILE, memfd_create, "x", 0);
}
