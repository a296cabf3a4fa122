/* poll, select and epoll agree on what is ready, of files of many kinds. */
#include "abi.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

int main(void) {
    int ends[2], pair[2], set = epoll_create1(0);
    pipe(ends);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    int fds[] = {ends[0], ends[1], pair[0], eventfd(0, 0), eventfd(1, 0), set};
    for (int i = 0; i < 6; i++) {
        struct pollfd one = {fds[i], POLLIN | POLLOUT};
        fd_set in, out;
        FD_ZERO(&in);
        FD_ZERO(&out);
        FD_SET(fds[i], &in);
        FD_SET(fds[i], &out);
        struct timeval none = {};
        struct epoll_event event = {EPOLLIN | EPOLLOUT}, got = {};
        int other = epoll_create1(0);
        poll(&one, 1, 0);
        select(fds[i] + 1, &in, &out, NULL, &none);
        epoll_ctl(other, EPOLL_CTL_ADD, fds[i], &event);
        epoll_wait(other, &got, 1, 0);
        say("%x %x %d%d", one.revents, got.events, !!FD_ISSET(fds[i], &in),
            !!FD_ISSET(fds[i], &out));
        close(other);
    }
}
