/* What is left to read when a peer has gone, of each kind of socket. */
#include "abi.h"

#include <poll.h>
#include <sys/socket.h>

static void kind(const char *name, int type) {
    int ends[2];
    char bytes[16];
    say("%s", name);
    socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, ends);
    send(ends[0], "one", 3, 0);
    send(ends[0], "two", 3, 0);
    struct pollfd poll_of = {ends[1], POLLIN | POLLOUT | POLLRDHUP};
    poll(&poll_of, 1, 0);
    say("ready %x", poll_of.revents);
    close(ends[0]);
    poll(&poll_of, 1, 0);
    say("alone %x", poll_of.revents);
    for (int i = 0; i < 3; i++) {
        long got = recv(ends[1], bytes, 16, 0);
        say("%ld %s", got, got < 0 ? strerrorname_np(errno) : "");
    }
    long sent = send(ends[1], "x", 1, MSG_NOSIGNAL);
    say("sent %ld %s", sent, sent < 0 ? strerrorname_np(errno) : "");
}

int main(void) {
    kind("stream", SOCK_STREAM);
    kind("packets", SOCK_SEQPACKET);
    kind("datagrams", SOCK_DGRAM);
}
