/* How many calls wait for a listener, and what becomes of them when it closes. */
#include "abi.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un at = {AF_UNIX, "name"};

static int call(void) {
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    long result = connect(fd, (void *)&at, sizeof at);
    say("call: %s", result ? strerrorname_np(errno) : "connected");
    return fd;
}

int main(void) {
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    char byte;
    bind(listener, (void *)&at, sizeof at);
    call();
    gives(0, listen, listener, 1);
    fails(EAGAIN, accept, listener, NULL, NULL);
    int first = call(), second = call(), third = call();
    struct pollfd one = {listener, POLLIN};
    gives(1, poll, &one, 1, 0);
    int accepted = works(accept, listener, NULL, NULL);
    int fourth = call();
    gives(1, write, accepted, "x", 1);
    gives(1, read, first, &byte, 1);
    gives(1, write, second, "y", 1);
    close(listener);
    fails(ECONNRESET, read, second, &byte, 1);
    fails(EPIPE, sendto, fourth, "z", 1, MSG_NOSIGNAL, NULL, 0);
    fails(EAGAIN, read, first, &byte, 1);
    call();
    unlink("name");
    call();
}
