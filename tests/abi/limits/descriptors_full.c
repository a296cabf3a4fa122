/* Every call that makes a descriptor, when there may be no more; and with room for one of two. */
#include "abi.h"

#include <sys/socket.h>
#include <sys/un.h>

int main(void) {
    struct sockaddr_un at = {AF_UNIX, "name"};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), caller = socket(AF_UNIX, SOCK_STREAM, 0);
    bind(listener, (void *)&at, sizeof at);
    listen(listener, 5);
    connect(caller, (void *)&at, sizeof at);
    put("file", "text");
    unsigned long set = 1;
    int next = dup(0), ends[2] = {7, 7};
    struct rlimit few = {next, 100};
    close(next);
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, open, "file", O_RDONLY);
    fails(EMFILE, openat, AT_FDCWD, "file", O_RDONLY);
    fails(EMFILE, open, "made", O_RDWR | O_CREAT, 0600);
    is("not made", access("made", F_OK), -1);
    fails(EMFILE, creat, "made", 0600);
    fails(EMFILE, dup, 0);
    fails(EBADF, dup2, 0, next);
    fails(EBADF, dup3, 0, next, O_CLOEXEC);
    fails(EINVAL, fcntl, 0, F_DUPFD, next);
    fails(EMFILE, fcntl, 0, F_DUPFD, 0);
    fails(EINVAL, fcntl, 0, F_DUPFD_CLOEXEC, next);
    fails(EMFILE, pipe2, ends, 0);
    is("untouched", ends[0] + ends[1], 14);
    fails(EMFILE, socket, AF_UNIX, SOCK_STREAM, 0);
    fails(EMFILE, socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
    fails(EMFILE, accept, listener, NULL, NULL);
    fails(EMFILE, accept4, listener, NULL, NULL, SOCK_NONBLOCK);
    fails(EMFILE, eventfd2, 0, 0);
    fails(EMFILE, timerfd_create, CLOCK_MONOTONIC, 0);
    fails(EMFILE, signalfd4, -1, &set, 8, 0);
    fails(EMFILE, epoll_create1, 0);
    fails(EMFILE, inotify_init1, 0);
    fails(EMFILE, memfd_create, "name", 0);
    fails(EMFILE, pidfd_open, getpid(), 0);
    few.rlim_cur = next + 1;
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, pipe2, ends, 0);
    fails(EMFILE, socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
    gives(next, dup, 0);
    close(next);
    gives(next, accept, listener, NULL, NULL);
}
