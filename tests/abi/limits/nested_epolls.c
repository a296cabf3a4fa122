/* Sets of files in sets of files: how deep, and not in a ring. */
#include "abi.h"

#include <sys/epoll.h>

static struct epoll_event event = {EPOLLIN};

int main(void) {
    int sets[8], ends[2];
    pipe(ends);
    for (int i = 0; i < 8; i++)
        sets[i] = epoll_create1(0);
    gives(0, epoll_ctl, sets[0], EPOLL_CTL_ADD, ends[0], &event);
    for (int i = 1; i < 5; i++)
        gives(0, epoll_ctl, sets[i], EPOLL_CTL_ADD, sets[i - 1], &event);
    fails(ELOOP, epoll_ctl, sets[5], EPOLL_CTL_ADD, sets[4], &event);
    fails(ELOOP, epoll_ctl, sets[0], EPOLL_CTL_ADD, sets[4], &event);
    fails(EINVAL, epoll_ctl, sets[0], EPOLL_CTL_ADD, sets[0], &event);
    gives(0, epoll_ctl, sets[6], EPOLL_CTL_ADD, sets[7], &event);
    fails(ELOOP, epoll_ctl, sets[7], EPOLL_CTL_ADD, sets[6], &event);
    gives(0, epoll_wait, sets[4], &event, 1, 0);
    write(ends[1], "x", 1);
    gives(1, epoll_wait, sets[4], &event, 1, 1000);
    gives(1, epoll_wait, sets[0], &event, 1, 0);
    char byte;
    read(ends[0], &byte, 1);
    gives(0, epoll_wait, sets[4], &event, 1, 0);
}
