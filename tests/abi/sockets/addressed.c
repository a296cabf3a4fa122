/* Datagrams between named sockets: from whom, to whom, connected and not, full, gone. */
#include "abi.h"

#include <poll.h>
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

static void received(int fd) {
    char data[16] = "";
    struct sockaddr_un from = {};
    socklen_t length = sizeof from;
    long got = recvfrom(fd, data, 15, 0, (void *)&from, &length);
    say("  %ld '%s' from '%s'%s", got, data, length > 2 ? from.sun_path : "nobody",
        got < 0 ? strerrorname_np(errno) : "");
}

int main(void) {
    struct sockaddr_un a_at = named("a"), b_at = named("b"), none = named("none");
    socklen_t size = sizeof a_at;
    int a = bound("a"), b = bound("b"), c = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    gives(3, sendto, a, "a b", 3, 0, &b_at, size);
    received(b);
    gives(3, sendto, c, "c b", 3, 0, &b_at, size);
    received(b);
    received(b);
    fails(ENOTCONN, sendto, c, "x", 1, 0, NULL, 0);
    fails(ENOTCONN, write, c, "x", 1);
    fails(ENOENT, sendto, c, "x", 1, 0, &none, size);
    gives(0, sendto, c, "", 0, 0, &b_at, size);
    received(b);
    gives(0, connect, c, &a_at, size);
    gives(3, write, c, "c a", 3);
    received(a);
    gives(3, sendto, c, "c b", 3, 0, &b_at, size);
    received(b);
    /* Who is connected takes from its peer alone. */
    gives(0, connect, a, &b_at, size);
    fails(EPERM, sendto, c, "x", 1, 0, &a_at, size);
    fails(EPERM, write, c, "x", 1);
    gives(3, sendto, b, "b a", 3, 0, &a_at, size);
    received(a);
    struct sockaddr nobody = {AF_UNSPEC};
    gives(0, connect, a, &nobody, sizeof nobody);
    gives(1, write, c, "x", 1);
    received(a);
    fails(ENOTCONN, getpeername, a, &none, &size);
    size = sizeof a_at;
    fails(EOPNOTSUPP, listen, a, 1);
    fails(EOPNOTSUPP, accept, a, NULL, NULL);
    fails(EINVAL, sendto, c, "x", 1, 0, &b_at, 1);
    fails(EFAULT, sendto, c, "x", 1, 0, BAD, size);
    fails(EFAULT, sendto, c, BAD, 1, 0, &b_at, size);
    /* Full, and what then waits; the peer's end. */
    int sent = 0;
    while (write(c, "x", 1) == 1)
        sent++;
    is("EAGAIN", errno, EAGAIN);
    is("some", sent > 5, 1);
    struct pollfd one = {c, POLLOUT};
    gives(0, poll, &one, 1, 0);
    received(a);
    gives(1, write, c, "y", 1);
    close(a);
    fails(ECONNREFUSED, write, c, "x", 1);
    fails(ECONNREFUSED, sendto, c, "x", 1, 0, &a_at, size);
    unlink("a");
    a = bound("a");
    gives(0, connect, c, &a_at, size);
    gives(5, write, c, "again", 5);
    received(a);
    char much[300000];
    fails(EMSGSIZE, sendto, c, much, sizeof much, 0, NULL, 0);
}
