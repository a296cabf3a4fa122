/* SO_PEEK_OFF: peeking goes on where it ended; taking moves that back. */
#include "abi.h"

#include <sys/socket.h>

static int ends[2];

static int offset(void) {
    int got = 99, size = sizeof got;
    getsockopt(ends[1], SOL_SOCKET, SO_PEEK_OFF, &got, &size);
    return got;
}

static void got(const char *what, int size, int flags) {
    char data[64] = "";
    long result = recv(ends[1], data, size, flags | MSG_DONTWAIT);
    say("%s: %ld '%s' %s, offset %d", what, result, data, result < 0 ? strerrorname_np(errno) : "",
        offset());
}

static void kind(const char *name, int type) {
    say("%s", name);
    socketpair(AF_UNIX, type, 0, ends);
    is("off", offset(), -1);
    send(ends[0], "abcdef", 6, 0);
    send(ends[0], "ghij", 4, 0);
    got("from the beginning", 3, MSG_PEEK);
    gives(0, setsockopt, ends[1], SOL_SOCKET, SO_PEEK_OFF, &(int){2}, sizeof(int));
    got("from two", 3, MSG_PEEK);
    got("on", 3, MSG_PEEK);
    got("on", 60, MSG_PEEK);
    got("at the end", 60, MSG_PEEK);
    got("taken", 4, 0);
    got("peeked", 60, MSG_PEEK);
    got("taken", 60, 0);
    got("nothing", 60, MSG_PEEK);
    send(ends[0], "klm", 3, 0);
    got("new", 60, MSG_PEEK);
    gives(0, setsockopt, ends[1], SOL_SOCKET, SO_PEEK_OFF, &(int){-1}, sizeof(int));
    got("off", 60, MSG_PEEK);
}

int main(void) {
    kind("stream", SOCK_STREAM);
    kind("packets", SOCK_SEQPACKET);
    kind("datagrams", SOCK_DGRAM);
}
