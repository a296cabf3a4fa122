/* epoll: EPOLLONESHOT, EPOLLET, changing and asking again. */
#include "abi.h"

#include <sys/epoll.h>

static int set, ends[2];
static struct epoll_event event;

static void arm(int what, unsigned events) {
    event = (struct epoll_event){events, {.u32 = 9}};
    gives(0, epoll_ctl, set, what, ends[0], &event);
}

int main(void) {
    char byte;
    pipe(ends);
    set = epoll_create1(0);
    arm(EPOLL_CTL_ADD, EPOLLIN | EPOLLONESHOT);
    write(ends[1], "a", 1);
    gives(1, epoll_wait, set, &event, 1, 1000);
    gives(0, epoll_wait, set, &event, 1, 0);
    arm(EPOLL_CTL_MOD, EPOLLIN | EPOLLONESHOT);
    gives(1, epoll_wait, set, &event, 1, 1000);
    gives(0, epoll_wait, set, &event, 1, 0);
    arm(EPOLL_CTL_MOD, EPOLLIN | EPOLLET);
    gives(1, epoll_wait, set, &event, 1, 1000);
    gives(0, epoll_wait, set, &event, 1, 0);
    write(ends[1], "b", 1);
    gives(1, epoll_wait, set, &event, 1, 1000);
    gives(0, epoll_wait, set, &event, 1, 0);
    arm(EPOLL_CTL_MOD, EPOLLIN);
    gives(1, epoll_wait, set, &event, 1, 0);
    gives(1, epoll_wait, set, &event, 1, 0);
    read(ends[0], &byte, 1);
    read(ends[0], &byte, 1);
    gives(0, epoll_wait, set, &event, 1, 0);
    close(ends[1]);
    gives(1, epoll_wait, set, &event, 1, 0);
    is("hung up", event.events, EPOLLHUP);
    close(ends[0]);
    gives(0, epoll_wait, set, &event, 1, 0);
}
