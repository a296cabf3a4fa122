/* eventfd: a counter that is a file. */
#include "abi.h"

#include <poll.h>
#include <sys/eventfd.h>

int main(void) {
    uint64_t value = 5, huge = -2;
    int fd = works(eventfd2, 3, EFD_NONBLOCK | EFD_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, fd, F_GETFD);
    gives(8, write, fd, &value, 8);
    gives(8, read, fd, &value, 8);
    is("sum", value, 8);
    fails(EAGAIN, read, fd, &value, 8);
    fails(EINVAL, read, fd, &value, 4);
    fails(EINVAL, write, fd, &value, 4);
    gives(8, write, fd, &huge, 8);
    fails(EAGAIN, write, fd, &value, 8);
    huge = -1;
    fails(EINVAL, write, fd, &huge, 8);
    gives(8, read, fd, &value, 16);
    is("almost all", value, -2);
    fails(EFAULT, write, fd, BAD, 8);
    fails(ESPIPE, pread64, fd, &value, 8, 0);
    int counted = works(eventfd2, 2, EFD_SEMAPHORE | EFD_NONBLOCK);
    gives(8, read, counted, &value, 8);
    is("one", value, 1);
    gives(8, read, counted, &value, 8);
    fails(EAGAIN, read, counted, &value, 8);
    int plain = works(eventfd, 0);
    struct pollfd one = {plain, POLLIN | POLLOUT};
    gives(1, poll, &one, 1, 0);
    say("%x", one.revents);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, read, plain, &value, 8);
    fails(EINVAL, eventfd2, 0, 64);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, eventfd, 0);
    fails(EMFILE, eventfd2, 0, 0);
}
