/* A stream that nobody reads: how it fills, is ready again, and ends. */
#include "abi.h"

#include <poll.h>
#include <sys/socket.h>

int main(void) {
    int ends[2];
    static char page[4096];
    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
    long sent = 0, got;
    for (long now; (now = write(ends[0], page, sizeof page)) > 0; sent += now)
        ;
    is("EAGAIN", errno, EAGAIN);
    is("some", sent > 50000, 1);
    struct pollfd one = {ends[0], POLLOUT};
    gives(0, poll, &one, 1, 0);
    fails(EAGAIN, sendto, ends[0], page, 1, MSG_DONTWAIT, NULL, 0);
    long taken = 0;
    while (taken < sent && (got = read(ends[1], page, sizeof page)) > 0)
        taken += got;
    is("all of it", taken == sent, 1);
    gives(1, poll, &one, 1, 0);
    gives(1, write, ends[0], "x", 1);
    close(ends[0]);
    gives(1, read, ends[1], page, 4096);
    gives(0, read, ends[1], page, 4096);
}
