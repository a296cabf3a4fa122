/* Descriptors over execve: by every call that makes them, with and without the flag. */
#include "abi.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

static int last = 10;

static void keep(const char *what, int fd) {
    say("%d: %s", last, what);
    int flags = fcntl(fd, F_GETFD);
    fcntl(fd, flags ? F_DUPFD_CLOEXEC : F_DUPFD, last++);
    close(fd);
}

static void becomes(void) {
    char *words[] = {"sh", "-c",
                     "for i in `seq 10 40`; do [ -e /proc/self/fd/$i ] && echo $i; done; true",
                     NULL};
    execv("/bin/sh", words);
}

int main(void) {
    int ends[2];
    sigset_t set;
    sigemptyset(&set);
    put("file", "");
    keep("open", open("file", O_RDONLY));
    keep("open", open("file", O_RDONLY | O_CLOEXEC));
    keep("creat", creat("file", 0600));
    pipe(ends);
    keep("pipe", ends[0]);
    keep("pipe", ends[1]);
    pipe2(ends, O_CLOEXEC);
    keep("pipe2", ends[0]);
    keep("pipe2", ends[1]);
    keep("socket", socket(AF_UNIX, SOCK_STREAM, 0));
    keep("socket", socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends);
    keep("socketpair", ends[0]);
    close(ends[1]);
    keep("epoll", epoll_create(1));
    keep("epoll", epoll_create1(EPOLL_CLOEXEC));
    keep("eventfd", eventfd(0, 0));
    keep("eventfd", eventfd(0, EFD_CLOEXEC));
    keep("timerfd", timerfd_create(CLOCK_MONOTONIC, 0));
    keep("timerfd", timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    keep("signalfd", signalfd(-1, &set, 0));
    keep("signalfd", signalfd(-1, &set, SFD_CLOEXEC));
    keep("inotify", inotify_init1(IN_CLOEXEC));
    keep("memfd", memfd_create("x", 0));
    keep("memfd", memfd_create("x", MFD_CLOEXEC));
    keep("pidfd", abi_call(pidfd_open, getpid(), 0));
    int fd = open("file", O_RDONLY | O_CLOEXEC);
    keep("dup", dup(fd));
    dup2(fd, 60);
    keep("dup2", 60);
    dup3(fd, 60, O_CLOEXEC);
    keep("dup3", 60);
    keep("F_DUPFD", fcntl(fd, F_DUPFD, 50));
    keep("F_DUPFD_CLOEXEC", fcntl(fd, F_DUPFD_CLOEXEC, 50));
    gives(0, close_range, 36, 38, CLOSE_RANGE_CLOEXEC);
    in_child("those kept", becomes);
}
