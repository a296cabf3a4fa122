/* setsockopt and getsockopt. */
#include "abi.h"

#include <sys/socket.h>

int main(void) {
    int ends[2], value = 0, size = sizeof value, file = open("file", O_RDWR | O_CREAT, 0600);
    int negative = -1, byte = 1;
    struct timeval time = {1, 500000}, wrong = {0, 1000000}, got;
    struct ucred who;
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    static const int asked[] = {SO_TYPE,     SO_ERROR,  SO_ACCEPTCONN, SO_DOMAIN,
                                SO_PROTOCOL, SO_SNDBUF, SO_RCVBUF,     SO_PASSCRED};
    for (int i = 0; i < 8; i++) {
        gives(0, getsockopt, ends[0], SOL_SOCKET, asked[i], &value, &size);
        say("%d: %d", asked[i], value);
    }
    value = 30000;
    gives(0, setsockopt, ends[0], SOL_SOCKET, SO_SNDBUF, &value, 4);
    gives(0, setsockopt, ends[0], SOL_SOCKET, SO_RCVBUF, &value, 4);
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_SNDBUF, &value, &size);
    is("twice", value, 60000);
    value = 1;
    gives(0, setsockopt, ends[0], SOL_SOCKET, SO_RCVBUF, &value, 4);
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_RCVBUF, &value, &size);
    is("least", value, 2304);
    gives(0, setsockopt, ends[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    size = sizeof got;
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_RCVTIMEO, &got, &size);
    is("time", got.tv_sec * 1000000 + got.tv_usec, 1500000);
    static const int kept[] = {SO_DEBUG,     SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST,
                               SO_KEEPALIVE, SO_OOBINLINE, SO_PRIORITY};
    for (int i = 0; i < 7; i++) {
        size = sizeof value;
        gives(0, setsockopt, ends[0], SOL_SOCKET, kept[i], &(int){5}, 4);
        gives(0, getsockopt, ends[0], SOL_SOCKET, kept[i], &value, &size);
        say("%d: %d", kept[i], value);
    }
    struct linger linger = {1, 7};
    gives(0, setsockopt, ends[0], SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
    memset(&linger, 0, size = sizeof linger);
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_LINGER, &linger, &size);
    is("linger", linger.l_onoff * 10 + linger.l_linger, 17);
    fails(EINVAL, setsockopt, ends[0], SOL_SOCKET, SO_LINGER, &linger, 4);
    size = sizeof who;
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_PEERCRED, &who, &size);
    is("own", who.pid == getpid(), 1);
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_TYPE, &byte, &(int){1});
    fails(EDOM, setsockopt, ends[0], SOL_SOCKET, SO_SNDTIMEO, &wrong, sizeof wrong);
    fails(EINVAL, setsockopt, ends[0], SOL_SOCKET, SO_SNDTIMEO, &time, 4);
    fails(EINVAL, setsockopt, ends[0], SOL_SOCKET, SO_SNDBUF, &value, 2);
    fails(EINVAL, setsockopt, ends[0], SOL_SOCKET, SO_SNDBUF, &value, -1);
    fails(EFAULT, setsockopt, ends[0], SOL_SOCKET, SO_SNDBUF, BAD, 4);
    fails(ENOPROTOOPT, setsockopt, ends[0], SOL_SOCKET, 999, &value, 4);
    fails(EOPNOTSUPP, setsockopt, ends[0], 77, 1, &value, 4);
    fails(EBADF, setsockopt, 99, SOL_SOCKET, SO_SNDBUF, &value, 4);
    fails(ENOTSOCK, setsockopt, file, SOL_SOCKET, SO_SNDBUF, &value, 4);
    size = 4;
    fails(EINVAL, getsockopt, ends[0], SOL_SOCKET, SO_TYPE, &value, &negative);
    fails(EFAULT, getsockopt, ends[0], SOL_SOCKET, SO_TYPE, BAD, &size);
    fails(EFAULT, getsockopt, ends[0], SOL_SOCKET, SO_TYPE, &value, BAD);
    fails(ENOPROTOOPT, getsockopt, ends[0], SOL_SOCKET, 999, &value, &size);
    fails(EOPNOTSUPP, getsockopt, ends[0], 77, 1, &value, &size);
    fails(EBADF, getsockopt, 99, SOL_SOCKET, SO_TYPE, &value, &size);
    fails(ENOTSOCK, getsockopt, file, SOL_SOCKET, SO_TYPE, &value, &size);
}
