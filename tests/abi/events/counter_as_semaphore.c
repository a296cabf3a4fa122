/* eventfd: as a number and as a semaphore; the largest number, and who waits at either end. */
#include "abi.h"

#include <poll.h>
#include <sys/eventfd.h>

static int fd;

static short ready(void) {
    struct pollfd one = {fd, POLLIN | POLLOUT};
    poll(&one, 1, 0);
    return one.revents;
}

int main(void) {
    uint64_t value = 0;
    fd = works(eventfd2, 3, EFD_SEMAPHORE | EFD_NONBLOCK);
    for (int i = 0; i < 3; i++) {
        gives(8, read, fd, &value, 8);
        is("one at a time", value, 1);
    }
    fails(EAGAIN, read, fd, &value, 8);
    is("ready", ready(), POLLOUT);
    fd = works(eventfd2, 0, EFD_NONBLOCK);
    value = -2ul;
    gives(8, write, fd, &value, 8);
    is("ready", ready(), POLLIN);
    value = 1;
    fails(EAGAIN, write, fd, &value, 8);
    value = 0;
    gives(8, write, fd, &value, 8);
    value = -1ul;
    fails(EINVAL, write, fd, &value, 8);
    fails(EINVAL, write, fd, &value, 7);
    fails(EINVAL, read, fd, &value, 7);
    fails(EFAULT, write, fd, BAD, 8);
    gives(8, read, fd, &value, 8);
    is("all at once", value == -2ul, 1);
    is("ready", ready(), POLLOUT);
    fails(ESPIPE, pread64, fd, &value, 8, 0);
}
