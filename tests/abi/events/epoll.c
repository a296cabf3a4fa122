/* epoll: levels, edges, once, nested, and everything refused. */
#include "abi.h"

#include <sys/epoll.h>

int main(void) {
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = 7}, some[4];
    struct timespec zero = {}, wrong = {0, -1};
    int ends[2], file = open("file", O_RDWR | O_CREAT, 0644);
    pipe(ends);
    int fd = works(epoll_create1, EPOLL_CLOEXEC);
    gives(FD_CLOEXEC, fcntl, fd, F_GETFD);
    gives(0, epoll_ctl, fd, EPOLL_CTL_ADD, ends[0], &event);
    gives(0, epoll_wait, fd, some, 4, 0);
    write(ends[1], "xy", 2);
    gives(1, epoll_wait, fd, some, 4, -1);
    say("%x %d", some[0].events, some[0].data.u32);
    gives(1, epoll_wait, fd, some, 4, 0);
    event.events = EPOLLIN | EPOLLET;
    gives(0, epoll_ctl, fd, EPOLL_CTL_MOD, ends[0], &event);
    gives(1, epoll_pwait, fd, some, 4, 0, NULL, 8);
    gives(0, epoll_pwait, fd, some, 4, 0, NULL, 8);
    write(ends[1], "z", 1);
    gives(1, epoll_pwait2, fd, some, 4, &zero, NULL, 8);
    event.events = EPOLLIN | EPOLLONESHOT;
    gives(0, epoll_ctl, fd, EPOLL_CTL_MOD, ends[0], &event);
    gives(1, epoll_wait, fd, some, 4, 0);
    gives(0, epoll_wait, fd, some, 4, 0);
    gives(0, epoll_ctl, fd, EPOLL_CTL_DEL, ends[0], NULL);
    fails(ENOENT, epoll_ctl, fd, EPOLL_CTL_DEL, ends[0], NULL);
    fails(ENOENT, epoll_ctl, fd, EPOLL_CTL_MOD, ends[0], &event);
    event.events = EPOLLOUT;
    gives(0, epoll_ctl, fd, EPOLL_CTL_ADD, ends[1], &event);
    fails(EEXIST, epoll_ctl, fd, EPOLL_CTL_ADD, ends[1], &event);
    fails(EPERM, epoll_ctl, fd, EPOLL_CTL_ADD, file, &event);
    fails(EINVAL, epoll_ctl, fd, EPOLL_CTL_ADD, fd, &event);
    fails(EINVAL, epoll_ctl, fd, 99, ends[1], &event);
    fails(EINVAL, epoll_ctl, ends[0], EPOLL_CTL_ADD, ends[1], &event);
    fails(EBADF, epoll_ctl, -1, EPOLL_CTL_ADD, ends[1], &event);
    fails(EBADF, epoll_ctl, fd, EPOLL_CTL_ADD, -1, &event);
    fails(EFAULT, epoll_ctl, fd, EPOLL_CTL_ADD, ends[0], BAD);
    fails(EINVAL, epoll_wait, fd, some, 0, 0);
    fails(EINVAL, epoll_wait, ends[0], some, 4, 0);
    fails(EINVAL, epoll_pwait, fd, some, -1, 0, NULL, 8);
    fails(EINVAL, epoll_pwait2, fd, some, 4, &wrong, NULL, 8);
    fails(EINVAL, epoll_pwait, fd, some, 4, 0, &(uint64_t){0}, 4);
    fails(EFAULT, epoll_wait, fd, BAD, 4, 0);
    fails(EFAULT, epoll_pwait, fd, BAD, 4, 0, NULL, 8);
    fails(EFAULT, epoll_pwait2, fd, BAD, 4, &zero, NULL, 8);
    fails(EFAULT, epoll_pwait2, fd, some, 4, BAD, NULL, 8);
    fails(EBADF, epoll_wait, -1, some, 4, 0);
    fails(EBADF, epoll_pwait, -1, some, 4, 0, NULL, 8);
    fails(EBADF, epoll_pwait2, -1, some, 4, &zero, NULL, 8);
    int inner = works(epoll_create, 1);
    event.events = EPOLLIN;
    gives(0, epoll_ctl, inner, EPOLL_CTL_ADD, fd, &event);
    fails(ELOOP, epoll_ctl, fd, EPOLL_CTL_ADD, inner, &event);
    gives(1, epoll_wait, inner, some, 4, 0);
    fails(EINVAL, epoll_create, 0);
    fails(EINVAL, epoll_create1, 1);
    int idle = works(epoll_create1, 0);
    handle(SIGALRM, 0);
    alarm_in(20);
    struct timespec long_time = {100, 0};
    fails(EINTR, epoll_wait, idle, some, 4, -1);
    fails(EINTR, epoll_pwait, idle, some, 4, -1, NULL, 8);
    fails(EINTR, epoll_pwait2, idle, some, 4, &long_time, NULL, 8);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, epoll_create, 1);
    fails(EMFILE, epoll_create1, 0);
}
