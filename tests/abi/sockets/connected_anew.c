/* A socket of datagrams that is connected anew: what its peer had sent is lost, and the peer is
 * told. */
#include "abi.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un named(const char *name) {
    struct sockaddr_un made = {AF_UNIX};
    strcpy(made.sun_path, name);
    return made;
}

static int bound(const char *name) {
    struct sockaddr_un at = named(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (void *)&at, sizeof at))
        give_up("bind");
    return fd;
}

int main(void) {
    struct sockaddr_un a_at = named("a"), b_at = named("b"), c_at = named("c");
    struct sockaddr nobody = {AF_UNSPEC};
    int a = bound("a"), b = bound("b"), c = bound("c"), error, size = sizeof error;
    char data[16];
    gives(0, connect, a, &b_at, sizeof b_at);
    gives(0, connect, b, &a_at, sizeof a_at);
    gives(3, write, b, "one", 3);
    gives(3, write, b, "two", 3);
    gives(0, connect, a, &c_at, sizeof c_at);
    fails(EAGAIN, read, a, data, 16);
    gives(0, getsockopt, b, SOL_SOCKET, SO_ERROR, &error, &size);
    is("told", error, ECONNRESET);
    fails(EPERM, write, b, "x", 1);
    /* To the same again: nothing is lost. */
    gives(0, connect, c, &a_at, sizeof a_at);
    gives(4, write, c, "kept", 4);
    gives(0, connect, a, &c_at, sizeof c_at);
    gives(4, read, a, data, 16);
    /* To nobody; the peer is told when it reads. */
    gives(4, write, c, "lost", 4);
    gives(0, connect, a, &nobody, sizeof nobody);
    fails(EAGAIN, read, a, data, 16);
    fails(ECONNRESET, read, c, data, 16);
    fails(EAGAIN, read, c, data, 16);
    /* And when it writes, once. */
    gives(0, connect, a, &c_at, sizeof c_at);
    gives(1, write, c, "x", 1);
    gives(0, connect, a, &nobody, sizeof nobody);
    fails(ECONNRESET, write, c, "x", 1);
    gives(1, write, c, "y", 1);
    gives(1, read, a, data, 16);
    /* One whose peer has gone keeps nothing of what it had sent. */
    gives(0, connect, a, &c_at, sizeof c_at);
    gives(1, write, c, "z", 1);
    close(c);
    fails(ECONNREFUSED, write, a, "x", 1);
    fails(EAGAIN, read, a, data, 16);
}
