/* SO_MARK, SO_TIMESTAMPING, SO_PEERGROUPS: what is told, and to whom it is refused. */
#include "abi.h"

#include <grp.h>
#include <sys/socket.h>
#include <sys/un.h>

static int ends[2];

static void as_somebody(void) {
    be(SOMEBODY);
    fails(EPERM, setsockopt, ends[0], SOL_SOCKET, SO_MARK, &(int){3}, sizeof(int));
}

static void caller(void) {
    struct sockaddr_un at = {AF_UNIX, "listener"};
    gid_t groups[2] = {7, 9};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0), size = sizeof groups;
    setgroups(2, groups);
    gives(0, connect, fd, &at, sizeof at);
    gives(0, getsockopt, fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
    is("the listener's", size, 4);
    is("group", groups[0], 5);
    doze(100);
}

int main(void) {
    int got = -1, size = sizeof got;
    gid_t groups[3] = {3, 4, 5}, told[8] = {};
    setgroups(3, groups);
    socketpair(AF_UNIX, SOCK_STREAM, 0, ends);
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_MARK, &got, &size);
    is("no mark", got, 0);
    gives(0, setsockopt, ends[0], SOL_SOCKET, SO_MARK, &(int){77}, sizeof(int));
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_MARK, &got, &size);
    is("mark", got, 77);
    in_child("somebody", as_somebody);
    size = sizeof told;
    gives(0, getsockopt, ends[0], SOL_SOCKET, SO_PEERGROUPS, told, &size);
    is("size", size, 12);
    is("groups", told[0] * 100 + told[1] * 10 + told[2], 345);
    size = 8;
    fails(ERANGE, getsockopt, ends[0], SOL_SOCKET, SO_PEERGROUPS, told, &size);
    is("needed", size, 12);
    fails(EFAULT, getsockopt, ends[0], SOL_SOCKET, SO_PEERGROUPS, BAD, &size);
    struct sockaddr_un at = {AF_UNIX, "listener"};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    size = sizeof told;
    fails(ENODATA, getsockopt, fd, SOL_SOCKET, SO_PEERGROUPS, told, &size);
    bind(fd, (void *)&at, sizeof at);
    setgroups(1, &groups[2]);
    listen(fd, 1);
    int child = start(caller);
    int accepted = works(accept, fd, NULL, NULL);
    size = sizeof told;
    gives(0, getsockopt, accepted, SOL_SOCKET, SO_PEERGROUPS, told, &size);
    is("the caller's", size, 8);
    is("groups", told[0] * 10 + told[1], 79);
    ended("caller", child);
}
