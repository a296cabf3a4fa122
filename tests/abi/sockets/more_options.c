/* Options of local sockets: sizes, times, kinds, errors; short and long answers. */
#include "abi.h"

#include <sys/socket.h>

static int fd;

static void option(const char *what, int name) {
    char bytes[64];
    memset(bytes, 0x55, sizeof bytes);
    socklen_t length = sizeof bytes;
    if (abi_call(getsockopt, fd, SOL_SOCKET, name, bytes, &length))
        say("%s: %s", what, strerrorname_np(errno));
    else
        say("%s: %d bytes, %d", what, length, *(int *)bytes);
}

int main(void) {
    int value = 1, got;
    socklen_t length;
    struct timeval time = {1, 500000}, none = {}, wrong = {0, 1000000};
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    option("kind", SO_TYPE);
    option("family", SO_DOMAIN);
    option("protocol", SO_PROTOCOL);
    option("error", SO_ERROR);
    option("listens", SO_ACCEPTCONN);
    option("reuse", SO_REUSEADDR);
    option("keep", SO_KEEPALIVE);
    option("broadcast", SO_BROADCAST);
    option("credentials", SO_PASSCRED);
    option("linger", SO_LINGER);
    option("time to receive", SO_RCVTIMEO);
    option("time to send", SO_SNDTIMEO);
    gives(0, setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value, 4);
    option("reuse", SO_REUSEADDR);
    value = 700;
    gives(0, setsockopt, fd, SOL_SOCKET, SO_KEEPALIVE, &value, 4);
    option("keep", SO_KEEPALIVE);
    gives(0, setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    option("time to receive", SO_RCVTIMEO);
    fails(EDOM, setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &wrong, sizeof wrong);
    fails(EINVAL, setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &time, 8);
    gives(0, setsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof none);
    fails(EINVAL, setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, &value, 3);
    fails(ENOPROTOOPT, setsockopt, fd, SOL_SOCKET, SO_TYPE, &value, 4);
    fails(ENOPROTOOPT, setsockopt, fd, SOL_SOCKET, SO_ERROR, &value, 4);
    fails(ENOPROTOOPT, setsockopt, fd, SOL_SOCKET, 9999, &value, 4);
    fails(EOPNOTSUPP, setsockopt, fd, 77, 1, &value, 4);
    fails(EFAULT, setsockopt, fd, SOL_SOCKET, SO_REUSEADDR, BAD, 4);
    length = 2;
    got = 0x55555555;
    gives(0, getsockopt, fd, SOL_SOCKET, SO_TYPE, &got, &length);
    say("%d bytes, %x", length, got);
    length = -1;
    fails(EINVAL, getsockopt, fd, SOL_SOCKET, SO_TYPE, &got, &length);
    fails(EFAULT, getsockopt, fd, SOL_SOCKET, SO_TYPE, &got, BAD);
    length = 4;
    fails(EFAULT, getsockopt, fd, SOL_SOCKET, SO_TYPE, BAD, &length);
    fails(ENOPROTOOPT, getsockopt, fd, SOL_SOCKET, 9999, &got, &length);
    fails(ENOTSOCK, getsockopt, 0, SOL_SOCKET, SO_TYPE, &got, &length);
    fails(EBADF, setsockopt, 99, SOL_SOCKET, SO_REUSEADDR, &value, 4);
    /* An error is told once. */
    int ends[2];
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    write(ends[0], "unread", 6);
    close(ends[1]);
    fd = ends[0];
    option("reset", SO_ERROR);
    option("told", SO_ERROR);
    option("listens", SO_ACCEPTCONN);
    /* Time runs out. */
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    struct timeval small = {0, 5000};
    setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &small, sizeof small);
    setsockopt(ends[0], SOL_SOCKET, SO_SNDTIMEO, &small, sizeof small);
    fails(EAGAIN, read, ends[0], &got, 4);
    fails(EAGAIN, recvfrom, ends[0], &got, 4, 0, NULL, NULL);
    while (write(ends[0], (char[4096]){}, 4096) > 0)
        ;
    is("EAGAIN", errno, EAGAIN);
    fails(EPROTONOSUPPORT, socket, AF_UNIX, SOCK_STREAM, 99);
    works(socket, AF_UNIX, SOCK_STREAM, 1);
    fails(ESOCKTNOSUPPORT, socket, AF_UNIX, 4, 0);
    fails(EINVAL, socket, AF_UNIX, SOCK_STREAM | 0x100, 0);
    fails(EAFNOSUPPORT, socket, 9999, SOCK_STREAM, 0);
    fd = works(socket, AF_UNIX, SOCK_RAW, 0);
    option("raw is of datagrams", SO_TYPE);
}
