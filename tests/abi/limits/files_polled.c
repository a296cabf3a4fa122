/* poll(): how many it may be asked of, and which numbers it takes. */
#include "abi.h"

#include <poll.h>

int main(void) {
    struct pollfd *many = calloc(64, sizeof *many);
    struct rlimit few = {20, 100};
    struct timespec none = {};
    for (int i = 0; i < 64; i++)
        many[i] = (struct pollfd){-1, POLLIN};
    gives(0, poll, many, 64, 0);
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EINVAL, poll, many, 64, 0);
    fails(EINVAL, ppoll, many, 21, &none, NULL, 8);
    gives(0, poll, many, 20, 0);
    gives(0, poll, NULL, 0, 0);
    fails(EFAULT, poll, NULL, 1, 0);
    many[0].fd = 19;
    gives(1, poll, many, 1, 0);
    is("no such", many[0].revents, POLLNVAL);
    many[0].fd = -7;
    gives(0, poll, many, 1, 0);
    is("ignored", many[0].revents, 0);
}
