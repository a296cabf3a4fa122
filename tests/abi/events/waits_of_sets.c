/* epoll_wait: how many it takes, the kinds of time, masks for as long as it waits. */
#include "abi.h"

#include <sys/epoll.h>

int main(void) {
    struct epoll_event events[4], one = {EPOLLIN, {.u32 = 1}};
    struct timespec soon = {0, 1000000}, wrong = {0, -1};
    int set = epoll_create1(0), first[2], second[2];
    pipe(first);
    pipe(second);
    epoll_ctl(set, EPOLL_CTL_ADD, first[0], &one);
    one.data.u32 = 2;
    epoll_ctl(set, EPOLL_CTL_ADD, second[0], &one);
    gives(0, epoll_wait, set, events, 4, 1);
    gives(0, epoll_pwait2, set, events, 4, &soon, NULL, 8);
    fails(EINVAL, epoll_pwait2, set, events, 4, &wrong, NULL, 8);
    write(first[1], "x", 1);
    write(second[1], "x", 1);
    gives(1, epoll_wait, set, events, 1, -1);
    int which = events[0].data.u32;
    gives(1, epoll_wait, set, events, 1, -1);
    is("turn by turn", events[0].data.u32 != which, 1);
    gives(2, epoll_wait, set, events, 4, -1);
    fails(EINVAL, epoll_wait, set, events, 0, 0);
    fails(EINVAL, epoll_wait, set, events, -1, 0);
    fails(EINVAL, epoll_wait, first[0], events, 1, 0);
    fails(EFAULT, epoll_wait, set, BAD, 1, 0);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    handle(SIGUSR1, 0);
    raise(SIGUSR1);
    unsigned long none = 0;
    int empty = epoll_create1(0);
    fails(EINTR, epoll_pwait, empty, events, 1, -1, &none, 8);
    is("caught", caught, 1);
    fails(EINVAL, epoll_pwait, empty, events, 1, 0, &none, 4);
}
