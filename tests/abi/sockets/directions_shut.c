/* shutdown(): each direction by itself, both, twice, and of what is not connected. */
#include "abi.h"

#include <sys/socket.h>

int main(void) {
    int ends[2];
    char byte;
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
    write(ends[0], "x", 1);
    gives(0, shutdown, ends[0], SHUT_WR);
    fails(EPIPE, sendto, ends[0], "y", 1, MSG_NOSIGNAL, NULL, 0);
    gives(1, read, ends[1], &byte, 1);
    gives(0, read, ends[1], &byte, 1);
    gives(1, write, ends[1], "z", 1);
    gives(1, read, ends[0], &byte, 1);
    fails(EAGAIN, read, ends[0], &byte, 1);
    gives(0, shutdown, ends[0], SHUT_WR);
    gives(0, shutdown, ends[1], SHUT_RD);
    gives(0, shutdown, ends[0], SHUT_RD);
    fails(EPIPE, sendto, ends[1], "y", 1, MSG_NOSIGNAL, NULL, 0);
    gives(0, read, ends[0], &byte, 1);
    gives(0, shutdown, ends[0], SHUT_RDWR);
    fails(EINVAL, shutdown, ends[0], 7);
    int alone = socket(AF_UNIX, SOCK_STREAM, 0);
    works(shutdown, socket(AF_UNIX, SOCK_DGRAM, 0), SHUT_RDWR);
    fails(ENOTSOCK, shutdown, 0, SHUT_RD);
}
