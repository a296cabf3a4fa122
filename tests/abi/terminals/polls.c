/* poll and epoll on both sides, O_NONBLOCK, and what is full. */
#include "pair.h"

#include <sys/epoll.h>

static char bytes[65536];

static int waited(int epoll) {
    struct epoll_event event = {0};
    int count = epoll_wait(epoll, &event, 1, 5000);
    return count == 1 ? (int)event.events : -count;
}

static int watch(int fd, unsigned events) {
    int epoll = epoll_create1(0);
    struct epoll_event event = {.events = events};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    return epoll;
}

static void full(int from, int to) {
    int count;
    fcntl(from, F_SETFL, O_RDWR | O_NONBLOCK);
    while ((count = (int)write(from, bytes, sizeof bytes)) > 0)
        doze(20);
    is("full", count < 0 && errno == EAGAIN, 1);
    is("not writable", ready(from, POLLOUT, 0) & POLLOUT, 0);
    int epoll = watch(from, EPOLLOUT);
    while (read(to, bytes, sizeof bytes) > 0)
        doze(5);
    is("writable", ready(from, POLLOUT, 5000) & POLLOUT, POLLOUT);
    is("says epoll", waited(epoll), EPOLLOUT);
    close(epoll);
    fcntl(from, F_SETFL, O_RDWR);
}

int main(void) {
    char text[16];
    open_pair();
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
    fails(EAGAIN, read, master, text, sizeof text);
    fails(EAGAIN, read, terminal, text, sizeof text);
    is("writable", ready(master, POLLIN | POLLOUT, 0), POLLOUT);
    is("writable", ready(terminal, POLLIN | POLLOUT, 0), POLLOUT);
    int both = watch(terminal, EPOLLIN | EPOLLET), device = watch(master, EPOLLIN);
    type("part");
    is("shown", waited(device), EPOLLIN);
    comes(master, "part");
    is("no line", ready(terminal, POLLIN, 20), 0);
    type("\n");
    is("a line", waited(both), EPOLLIN);
    is("a line", ready(terminal, POLLIN, 0), POLLIN);
    comes(terminal, "part\n");
    comes(master, "\r\n");
    type("\004");
    is("an end", ready(terminal, POLLIN, 5000), POLLIN);
    gives(0, read, terminal, text, sizeof text);
    set_raw(4, 0);
    type("abc");
    is("too few", ready(terminal, POLLIN, 20), 0);
    type("d");
    is("enough", ready(terminal, POLLIN, 5000), POLLIN);
    comes(terminal, "abcd");
    set_raw(1, 0);
    full(terminal, master);
    fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK);
    full(master, terminal);
    close(terminal);
    is("hung up", waited(device), EPOLLHUP);
    return 0;
}
