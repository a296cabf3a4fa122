/* A peer that closes with something unread: packets tell the error before what came earlier. */
#include "abi.h"

#include <poll.h>
#include <sys/socket.h>

static void kind(const char *name, int type) {
    int ends[2];
    char data[8];
    say("%s", name);
    socketpair(AF_UNIX, type, 0, ends);
    write(ends[0], "mine", 4);
    write(ends[1], "unread", 6);
    close(ends[0]);
    struct pollfd one = {ends[1], POLLIN | POLLOUT};
    poll(&one, 1, 0);
    say("ready %x", one.revents);
    for (int i = 0; i < 3; i++) {
        long got = recv(ends[1], data, 8, MSG_DONTWAIT);
        say("%ld %s", got, got < 0 ? strerrorname_np(errno) : "");
    }
}

int main(void) {
    kind("stream", SOCK_STREAM);
    kind("packets", SOCK_SEQPACKET);
}
