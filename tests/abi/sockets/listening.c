/* listen, accept, connect: queues, what does not wait, ends before they are accepted, flags. */
#include "abi.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un at = {AF_UNIX, "name"};

static int client(int flags) {
    return socket(AF_UNIX, SOCK_STREAM | flags, 0);
}

static short ready(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP};
    poll(&one, 1, 0);
    return one.revents;
}

static void waits(void) {
    int fd = client(0);
    gives(0, connect, fd, &at, sizeof at);
    gives(1, write, fd, "w", 1);
}

int main(void) {
    char byte;
    int listener = client(0), one, two;
    fails(EINVAL, listen, listener, 5);
    fails(EINVAL, accept, listener, NULL, NULL);
    bind(listener, (void *)&at, sizeof at);
    fails(ECONNREFUSED, connect, client(0), &at, sizeof at);
    gives(0, listen, listener, 1);
    say("nobody: %x", ready(listener));
    fcntl(listener, F_SETFL, O_NONBLOCK);
    fails(EAGAIN, accept, listener, NULL, NULL);
    one = client(0);
    gives(0, connect, one, &at, sizeof at);
    say("one: %x, itself %x", ready(listener), ready(one));
    gives(3, write, one, "abc", 3);
    fails(EISCONN, connect, one, &at, sizeof at);
    two = client(SOCK_NONBLOCK);
    gives(0, connect, two, &at, sizeof at);
    int three = client(SOCK_NONBLOCK);
    fails(EAGAIN, connect, three, &at, sizeof at);
    close(one);
    int child = start(waits);
    until_asleep(child);
    /* Each of those who wait is accepted in turn; one that has gone is accepted all the same. */
    int served = works(accept4, listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    say("%o %d", fcntl(served, F_GETFL), fcntl(served, F_GETFD));
    gives(3, read, served, (char[8]){}, 8);
    gives(0, read, served, &byte, 1);
    int plain = works(accept, listener, NULL, NULL);
    say("%o %d", fcntl(plain, F_GETFL), fcntl(plain, F_GETFD));
    fcntl(listener, F_SETFL, 0);
    int third = works(accept, listener, NULL, NULL);
    gives(1, read, third, &byte, 1);
    ended("waits", child);
    gives(0, connect, three, &at, sizeof at);
    fails(EINVAL, accept4, listener, NULL, NULL, 1);
    /* The listener ends: those in its queue learn of it. */
    close(listener);
    say("left alone: %x", ready(three));
    fails(ECONNRESET, read, three, &byte, 1);
    gives(0, read, three, &byte, 1);
    fails(EPIPE, sendto, three, "x", 1, MSG_NOSIGNAL, NULL, 0);
    fails(ECONNREFUSED, connect, client(0), &at, sizeof at);
    struct sockaddr_un from;
    socklen_t length = sizeof from;
    unlink("name");
    listener = client(0);
    bind(listener, (void *)&at, sizeof at);
    listen(listener, 5);
    gives(0, listen, listener, 3);
    one = client(0);
    connect(one, (void *)&at, sizeof at);
    works(accept, listener, &from, &length);
    is("no name", length, 2);
    fails(EINVAL, connect, listener, &at, sizeof at);
    fails(ENOTCONN, sendto, listener, "x", 1, MSG_NOSIGNAL, NULL, 0);
    fails(EINVAL, recvfrom, listener, &byte, 1, 0, NULL, NULL);
    length = -1;
    connect(client(0), (void *)&at, sizeof at);
    fails(EINVAL, accept, listener, &from, &length);
    fails(EBADF, accept, 99, NULL, NULL);
    fails(ENOTSOCK, accept, 0, NULL, NULL);
    fails(EOPNOTSUPP, accept, socket(AF_UNIX, SOCK_DGRAM, 0), NULL, NULL);
}
