/* socketpair, and what its ends carry and refuse. */
#include "abi.h"

#include <sys/ioctl.h>
#include <sys/socket.h>

int main(void) {
    int ends[2], count, file = open("file", O_RDWR | O_CREAT, 0600);
    char data[16];
    gives(0, socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends);
    gives(5, sendto, ends[0], "hello", 5, 0, NULL, 0);
    gives(0, ioctl, ends[1], FIONREAD, &count);
    is("count", count, 5);
    gives(3, recvfrom, ends[1], data, 3, MSG_PEEK, NULL, NULL);
    gives(5, recvfrom, ends[1], data, 16, 0, NULL, NULL);
    fails(EAGAIN, recvfrom, ends[1], data, 16, 0, NULL, NULL);
    gives(3, write, ends[1], "abc", 3);
    gives(2, read, ends[0], data, 2);
    fails(EFAULT, sendto, ends[0], BAD, 5, 0, NULL, 0);
    fails(EFAULT, recvfrom, ends[0], BAD, 5, 0, NULL, NULL);
    gives(0, shutdown, ends[0], SHUT_WR);
    fails(EPIPE, sendto, ends[0], "x", 1, MSG_NOSIGNAL, NULL, 0);
    gives(0, recvfrom, ends[1], data, 16, 0, NULL, NULL);
    fails(EINVAL, shutdown, ends[0], 3);
    fails(EBADF, shutdown, 99, 0);
    fails(ENOTSOCK, shutdown, file, 0);
    gives(1, sendto, ends[1], "x", 1, 0, NULL, 0);
    close(ends[0]);
    fails(ECONNRESET, recvfrom, ends[1], data, 16, 0, NULL, NULL);
    gives(0, recvfrom, ends[1], data, 16, 0, NULL, NULL);

    gives(0, socketpair, AF_UNIX, SOCK_SEQPACKET, 0, ends);
    gives(3, sendto, ends[0], "one", 3, 0, NULL, 0);
    gives(0, sendto, ends[0], "", 0, 0, NULL, 0);
    gives(3, recvfrom, ends[1], data, 2, MSG_TRUNC, NULL, NULL);
    gives(0, recvfrom, ends[1], data, 16, 0, NULL, NULL);
    struct timeval soon = {0, 20000};
    gives(0, setsockopt, ends[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    fails(EAGAIN, recvfrom, ends[1], data, 16, 0, NULL, NULL);
    fails(EAGAIN, read, ends[1], data, 16);
    soon.tv_usec = 0;
    gives(0, setsockopt, ends[1], SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
    handle(SIGPIPE, 0);
    gives(3, write, ends[1], "two", 3);
    gives(0, shutdown, ends[0], SHUT_RD);
    fails(EPIPE, write, ends[1], "x", 1);
    is("signals", caught, 0);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, recvfrom, ends[1], data, 16, 0, NULL, NULL);
    gives(0, socketpair, AF_UNIX, SOCK_DGRAM, 0, ends);
    fails(EMSGSIZE, sendto, ends[0], calloc(1, 1000000), 1000000, 0, NULL, 0);
    while (send(ends[0], data, sizeof data, MSG_DONTWAIT) > 0)
        ;
    fails(EAGAIN, sendto, ends[0], data, 16, MSG_DONTWAIT, NULL, 0);
    alarm_in(20);
    fails(EINTR, sendto, ends[0], data, 16, 0, NULL, 0);
    gives(0, shutdown, ends[0], SHUT_RD);
    fails(EAGAIN, recvfrom, ends[0], data, 16, MSG_DONTWAIT, NULL, NULL);
    gives(0, recvfrom, ends[0], data, 16, 0, NULL, NULL);
    gives(0, read, ends[0], data, 16);
    close(ends[1]);
    fails(ECONNREFUSED, sendto, ends[0], data, 16, 0, NULL, 0);
    fails(ENOTCONN, sendto, ends[0], data, 16, 0, NULL, 0);

    fails(EAFNOSUPPORT, socketpair, 77, SOCK_STREAM, 0, ends);
    fails(EINVAL, socketpair, AF_UNIX, SOCK_STREAM | 0x100, 0, ends);
    fails(EPROTONOSUPPORT, socketpair, AF_UNIX, SOCK_STREAM, 5, ends);
    fails(ESOCKTNOSUPPORT, socketpair, AF_UNIX, 9, 0, ends);
    fails(EFAULT, socketpair, AF_UNIX, SOCK_STREAM, 0, BAD);
    fails(EBADF, sendto, 99, data, 1, 0, NULL, 0);
    fails(ENOTSOCK, sendto, file, data, 1, 0, NULL, 0);
    fails(EBADF, recvfrom, 99, data, 1, 0, NULL, NULL);
    fails(ENOTSOCK, recvfrom, file, data, 1, 0, NULL, NULL);
    struct rlimit few = {file, file};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
    fails(EMFILE, socket, AF_UNIX, SOCK_STREAM, 0);
}
