/* Names of sockets: bind, listen, connect, accept, and whose they are. */
#include "abi.h"

#include <sys/socket.h>
#include <sys/un.h>

static struct sockaddr_un address;

static long to(const char *path) {
    address = (struct sockaddr_un){.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    return sizeof address;
}

int main(void) {
    int file = open("file", O_RDWR | O_CREAT, 0644), size = sizeof address, few_bytes = 4;
    int listener = works(socket, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int caller = works(socket, AF_UNIX, SOCK_STREAM, 0), datagrams, negative = -1;
    char byte;
    fails(EINVAL, listen, listener, 1);
    fails(EINVAL, accept, listener, NULL, NULL);
    fails(EINVAL, accept4, listener, NULL, NULL, 0);
    gives(0, bind, listener, &address, to("name"));
    fails(EINVAL, bind, listener, &address, to("other"));
    fails(ENOENT, connect, caller, &address, to("other"));
    fails(ECONNREFUSED, connect, caller, &address, to("name"));
    gives(0, listen, listener, 0);
    gives(0, connect, caller, &address, to("name"));
    int second = works(socket, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    fails(EAGAIN, connect, second, &address, to("name"));
    int accepted = works(accept, listener, &address, &size);
    is("unnamed", size, 2);
    fails(EISCONN, connect, caller, &address, to("name"));
    gives(0, connect, second, &address, to("name"));
    size = sizeof address;
    int other = works(accept4, listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    is("flags", fcntl(other, F_GETFL), O_RDWR | O_NONBLOCK);
    gives(0, getsockname, accepted, &address, &size);
    is("length", size, 7);
    say("%s", address.sun_path);
    size = sizeof address;
    gives(0, getpeername, caller, &address, &size);
    is("length", size, 7);
    fails(EISCONN, sendto, caller, "x", 1, 0, &address, to("name"));
    fails(EINVAL, accept, caller, NULL, NULL);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    fails(EAGAIN, accept, listener, NULL, NULL);
    fails(EAGAIN, accept4, listener, NULL, NULL, 0);
    fcntl(listener, F_SETFL, 0);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, accept, listener, NULL, NULL);
    alarm_in(20);
    fails(EINTR, accept4, listener, NULL, NULL, 0);
    fails(EINVAL, accept4, listener, NULL, NULL, 1);
    fails(EBADF, accept, 99, NULL, NULL);
    fails(EBADF, accept4, 99, NULL, NULL, 0);
    fails(ENOTSOCK, accept, file, NULL, NULL);
    fails(ENOTSOCK, accept4, file, NULL, NULL, 0);

    int third = works(socket, AF_UNIX, SOCK_STREAM, 0);
    fails(EINVAL, recvfrom, third, &byte, 1, 0, NULL, NULL);
    fails(ENOTCONN, sendto, third, "x", 1, MSG_NOSIGNAL, NULL, 0);
    fails(EOPNOTSUPP, sendto, third, "x", 1, 0, &address, to("name"));
    fails(EADDRINUSE, bind, third, &address, to("name"));
    fails(EADDRINUSE, bind, third, &address, to("file"));
    fails(ENOENT, bind, third, &address, to("missing/name"));
    fails(ENOTDIR, bind, third, &address, to("file/name"));
    fails(EINVAL, bind, third, &address, 1);
    fails(EINVAL, bind, third, &address, 200);
    fails(EFAULT, bind, third, BAD, sizeof address);
    fails(EBADF, bind, 99, &address, sizeof address);
    fails(ENOTSOCK, bind, file, &address, sizeof address);
    fails(ECONNREFUSED, connect, third, &address, to("file"));
    fails(ENOTDIR, connect, third, &address, to("file/name"));
    fails(EINVAL, connect, third, &address, 1);
    fails(EFAULT, connect, third, BAD, sizeof address);
    fails(EBADF, connect, 99, &address, sizeof address);
    fails(ENOTSOCK, connect, file, &address, sizeof address);
    symlink("loop", "loop");
    fails(ELOOP, connect, third, &address, to("loop"));
    fails(ELOOP, bind, third, &address, to("loop/name"));
    fails(EBADF, listen, 99, 1);
    fails(ENOTSOCK, listen, file, 1);
    fails(EBADF, getsockname, 99, &address, &size);
    fails(ENOTSOCK, getsockname, file, &address, &size);
    fails(EFAULT, getsockname, third, BAD, &size);
    fails(EFAULT, getsockname, third, &address, BAD);
    fails(EINVAL, getsockname, third, &address, &negative);
    fails(ENOTCONN, getpeername, third, &address, &size);
    fails(EBADF, getpeername, 99, &address, &size);
    fails(ENOTSOCK, getpeername, file, &address, &size);
    size = sizeof address;
    fails(EFAULT, getpeername, caller, BAD, &size);
    fails(EFAULT, getpeername, caller, &address, BAD);
    fails(EINVAL, getpeername, caller, &address, &negative);
    gives(0, getsockname, caller, &address, &few_bytes);
    is("unnamed", few_bytes, 2);

    datagrams = works(socket, AF_UNIX, SOCK_DGRAM, 0);
    fails(EPROTOTYPE, connect, datagrams, &address, to("name"));
    fails(EPROTOTYPE, sendto, datagrams, "x", 1, 0, &address, to("name"));
    fails(ENOENT, sendto, datagrams, "x", 1, 0, &address, to("other"));
    fails(EOPNOTSUPP, listen, datagrams, 1);
    fails(EOPNOTSUPP, accept, datagrams, NULL, NULL);
    fails(EOPNOTSUPP, accept4, datagrams, NULL, NULL, 0);
    gives(0, bind, datagrams, &address, to("datagrams"));
    gives(0, bind, datagrams, &address, sizeof address.sun_family);
    gives(0, connect, datagrams, &address, to("datagrams"));
    int outside = works(socket, AF_UNIX, SOCK_DGRAM, 0);
    fails(EPERM, sendto, outside, "x", 1, 0, &address, to("datagrams"));
    fails(EPERM, connect, outside, &address, to("datagrams"));
    fails(EINVAL, sendto, outside, "x", 1, 0, &address, 1);
    int packets = works(socket, AF_UNIX, SOCK_SEQPACKET, 0);
    fails(ENOTCONN, recvfrom, packets, &byte, 1, 0, NULL, NULL);

    connect(third, (struct sockaddr *)&address, to("name"));
    fails(EFAULT, accept, listener, BAD, &size);
    int fourth = socket(AF_UNIX, SOCK_STREAM, 0);
    connect(fourth, (struct sockaddr *)&address, to("name"));
    fails(EFAULT, accept4, listener, BAD, &size, 0);
    connect(fourth = socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&address, to("name"));
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, connect, works(socket, AF_UNIX, SOCK_STREAM, 0), &address, to("name"));
    chmod("name", 0600);
    mkdir("closed", 0700);
    int last = works(socket, AF_UNIX, SOCK_STREAM, 0);
    with_rights_of(SOMEBODY);
    fails(EACCES, connect, last, &address, to("name"));
    fails(EACCES, bind, last, &address, to("closed/name"));
    with_rights_of(0);
    gives(0, shutdown, listener, SHUT_RD);
    while (accept4(listener, NULL, NULL, 0) >= 0)
        ;
    fails(EINVAL, accept4, listener, NULL, NULL, 0);
    fcntl(listener, F_SETFL, O_NONBLOCK);
    fails(EAGAIN, accept4, listener, NULL, NULL, 0);
    struct rlimit few = {file, file};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, accept, listener, NULL, NULL);
    fails(EMFILE, accept4, listener, NULL, NULL, 0);
    fails(EAFNOSUPPORT, socket, 77, SOCK_STREAM, 0);
    fails(EINVAL, socket, AF_UNIX, SOCK_STREAM | 0x100, 0);
    fails(EPROTONOSUPPORT, socket, AF_UNIX, SOCK_STREAM, 5);
    fails(ESOCKTNOSUPPORT, socket, AF_UNIX, 9, 0);
}
