/* MSG_PEEK, MSG_TRUNC, MSG_WAITALL, MSG_DONTWAIT; records and how they are cut. */
#include "abi.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

static char data[64];

static void got(const char *what, int fd, size_t size, int flags) {
    struct iovec vector = {data, size};
    struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
    memset(data, 0, sizeof data);
    long result = recvmsg(fd, &message, flags);
    say("%s: %ld '%s' flags %x%s", what, result, data, message.msg_flags,
        result < 0 ? strerrorname_np(errno) : "");
}

static int waiting(int fd) {
    int count = -1;
    ioctl(fd, FIONREAD, &count);
    return count;
}

static void kind(const char *name, int type) {
    int ends[2];
    say("%s", name);
    socketpair(AF_UNIX, type, 0, ends);
    got("nothing", ends[1], 10, MSG_DONTWAIT);
    send(ends[0], "first", 5, 0);
    send(ends[0], "second", 6, 0);
    is("waiting", waiting(ends[1]), type == SOCK_DGRAM ? 5 : 11);
    got("peeked", ends[1], 3, MSG_PEEK);
    got("peeked", ends[1], 60, MSG_PEEK);
    got("peeked with its length", ends[1], 2, MSG_PEEK | (type == SOCK_STREAM ? 0 : MSG_TRUNC));
    got("cut", ends[1], 3, 0);
    got("rest", ends[1], 60, MSG_DONTWAIT);
    got("none", ends[1], 60, MSG_DONTWAIT);
    send(ends[0], "", 0, 0);
    got("empty", ends[1], 60, MSG_DONTWAIT);
    send(ends[0], "abcdef", 6, 0);
    got("length", ends[1], 2, type == SOCK_STREAM ? 0 : MSG_TRUNC);
    got("what is left", ends[1], 60, MSG_DONTWAIT);
    send(ends[0], "one", 3, 0);
    send(ends[0], "two", 3, 0);
    got("all of six", ends[1], 6, MSG_WAITALL);
    got("again", ends[1], 6, MSG_DONTWAIT);
    is("read() of nothing", recv(ends[1], data, 0, MSG_DONTWAIT), -1);
    send(ends[0], "x", 1, MSG_EOR);
    got("end of a record", ends[1], 6, 0);
}

int main(void) {
    kind("streams", SOCK_STREAM);
    kind("packets", SOCK_SEQPACKET);
    kind("datagrams", SOCK_DGRAM);
}
