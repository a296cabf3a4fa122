/* shutdown and close of each kind of local socket: what its ends give, and how they poll. */
#include "abi.h"

#include <poll.h>
#include <sys/socket.h>

static int a, b;
static char data[64];

static void ready(const char *what) {
    struct pollfd both[2] = {{a, POLLIN | POLLOUT | POLLRDHUP}, {b, POLLIN | POLLOUT | POLLRDHUP}};
    poll(both, 2, 0);
    say("%s: %x %x", what, both[0].revents, both[1].revents);
}

static void told(const char *what, long result) {
    if (result < 0)
        say("  %s: %s", what, strerrorname_np(errno));
    else
        say("  %s: %ld", what, result);
}

static void all(void) {
    told("a sends", send(a, "x", 1, MSG_NOSIGNAL));
    told("b sends", send(b, "x", 1, MSG_NOSIGNAL));
    told("a receives", recv(a, data, 64, 0));
    told("a receives", recv(a, data, 64, 0));
    told("b receives", recv(b, data, 64, 0));
    told("b receives", recv(b, data, 64, 0));
}

static void pair(int type) {
    int two[2];
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, two);
    a = two[0];
    b = two[1];
}

static void kind(const char *name, int type) {
    say("%s", name);
    pair(type);
    ready("new");
    all();
    told("a writes no more", shutdown(a, SHUT_WR));
    ready("a writes no more");
    all();
    told("again", shutdown(a, SHUT_WR));
    told("nor reads", shutdown(a, SHUT_RD));
    ready("nor reads");
    all();
    pair(type);
    send(b, "left", 4, 0);
    told("a reads no more", shutdown(a, SHUT_RD));
    ready("a reads no more");
    all();
    pair(type);
    send(a, "left", 4, 0);
    told("both", shutdown(a, SHUT_RDWR));
    ready("both");
    all();
    pair(type);
    send(a, "left", 4, 0);
    close(a);
    a = -1;
    ready("a is closed");
    told("b receives", recv(b, data, 64, 0));
    told("b receives", recv(b, data, 64, 0));
    told("b sends", send(b, "x", 1, MSG_NOSIGNAL));
    told("b sends", send(b, "x", 1, MSG_NOSIGNAL));
    ready("a is closed");
    pair(type);
    send(b, "unread", 6, 0);
    close(a);
    a = -1;
    ready("a is closed unread");
    told("b receives", recv(b, data, 64, 0));
    told("b receives", recv(b, data, 64, 0));
}

int main(void) {
    kind("streams", SOCK_STREAM);
    kind("packets", SOCK_SEQPACKET);
    kind("datagrams", SOCK_DGRAM);
    int alone = socket(AF_UNIX, SOCK_STREAM, 0);
    gives(0, shutdown, alone, SHUT_RD);
    fails(EINVAL, shutdown, b, 3);
    fails(EBADF, shutdown, 99, SHUT_RD);
    fails(ENOTSOCK, shutdown, 0, SHUT_RD);
}
