/* epoll: edges of pipes and counters, once, exclusive, copies and closed files, fairness. */
#include "abi.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

static int polls;

static void add(int fd, unsigned events, int name) {
    struct epoll_event event = {.events = events, .data.u32 = name};
    if (epoll_ctl(polls, EPOLL_CTL_ADD, fd, &event))
        say("  not added: %s", strerrorname_np(errno));
}

static int compare(const void *a, const void *b) {
    return (int)((struct epoll_event *)a)->data.u32 - (int)((struct epoll_event *)b)->data.u32;
}

static void told(const char *what) {
    struct epoll_event some[8];
    char line[200] = "";
    long count = abi_call(epoll_wait, polls, some, 8, 0);
    if (count > 0)
        qsort(some, count, sizeof *some, compare);
    for (int i = 0; i < count; i++)
        sprintf(line + strlen(line), " %d:%x", some[i].data.u32, some[i].events);
    say("%s: %ld%s", what, count, line);
}

int main(void) {
    int ends[2];
    char data[16];
    uint64_t value = 1;
    polls = epoll_create1(0);
    pipe2(ends, O_NONBLOCK);
    add(ends[0], EPOLLIN | EPOLLET, 1);
    add(ends[1], EPOLLOUT | EPOLLET, 2);
    told("new");
    told("again");
    write(ends[1], "ab", 2);
    told("written");
    told("again");
    read(ends[0], data, 1);
    told("partly read");
    write(ends[1], "c", 1);
    told("written again");
    read(ends[0], data, 16);
    told("emptied");
    while (write(ends[1], (char[4096]){}, 4096) > 0)
        ;
    told("filled");
    read(ends[0], (char[4096]){}, 4096);
    told("a page is free");
    int counter = eventfd(0, EFD_NONBLOCK);
    add(counter, EPOLLIN | EPOLLET, 3);
    told("a counter");
    write(counter, &value, 8);
    told("counted");
    write(counter, &value, 8);
    told("counted again, unread");
    read(counter, &value, 8);
    told("read");
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = 3};
    gives(0, epoll_ctl, polls, EPOLL_CTL_MOD, counter, &event);
    write(counter, &(uint64_t){1}, 8);
    told("once");
    write(counter, &(uint64_t){1}, 8);
    told("no more");
    gives(0, epoll_ctl, polls, EPOLL_CTL_MOD, counter, &event);
    told("armed while it is ready");
    /* Entries are of open files: a copy keeps one alive, and is another entry itself. */
    close(epoll_create1(0));
    int copy = dup(counter);
    event.events = EPOLLIN;
    gives(0, epoll_ctl, polls, EPOLL_CTL_MOD, counter, &event);
    add(copy, EPOLLIN, 4);
    told("a copy");
    close(counter);
    told("the first is closed");
    fails(EBADF, epoll_ctl, polls, EPOLL_CTL_DEL, counter, NULL);
    close(copy);
    told("both are closed");
    close(ends[1]);
    told("no writer");
    close(ends[0]);
    /* Exclusive ones are not changed, and of few events. */
    counter = eventfd(1, 0);
    add(counter, EPOLLIN | EPOLLEXCLUSIVE, 5);
    told("exclusive");
    event = (struct epoll_event){.events = EPOLLIN};
    fails(EINVAL, epoll_ctl, polls, EPOLL_CTL_MOD, counter, &event);
    gives(0, epoll_ctl, polls, EPOLL_CTL_DEL, counter, NULL);
    add(counter, EPOLLIN | EPOLLEXCLUSIVE | EPOLLONESHOT, 5);
    event.events = EPOLLIN | EPOLLEXCLUSIVE;
    fails(EINVAL, epoll_ctl, polls, EPOLL_CTL_MOD, counter, &event);
    /* Each of several that stay ready has its turn. */
    int counters[4], seen = 0;
    for (int i = 0; i < 4; i++)
        add(counters[i] = eventfd(1, 0), EPOLLIN, 10 + i);
    for (int i = 0; i < 4; i++) {
        epoll_wait(polls, &event, 1, 0);
        seen |= 1 << (event.data.u32 - 10);
    }
    is("all four", seen, 15);
    /* One epoll in another, and in a third. */
    int outer = epoll_create1(0), inner = polls;
    struct epoll_event in = {.events = EPOLLIN, .data.u32 = 20};
    gives(0, epoll_ctl, outer, EPOLL_CTL_ADD, inner, &in);
    polls = outer;
    told("outer");
    for (int i = 0; i < 4; i++)
        read(counters[i], &value, 8);
    told("nothing within");
    add(open("/dev/null", O_RDONLY), EPOLLIN, 1);
    add(open(".", O_RDONLY), EPOLLIN, 1);
}
