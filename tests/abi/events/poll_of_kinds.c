/* poll() of every kind of file: empty, full, half closed; masks, what is always told. */
#include "abi.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

enum {
    ALL = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP
};

static void ready(const char *what, int fd) {
    struct pollfd one[4] = {{fd, ALL}, {fd, 0}, {fd, POLLIN}, {fd, POLLOUT}};
    long count = abi_call(poll, one, 4, 0);
    say("%s: %ld of 4, %x %x %x %x", what, count, one[0].revents, one[1].revents, one[2].revents,
        one[3].revents);
}

int main(void) {
    int ends[2];
    uint64_t value = 1;
    sigset_t set;
    put("file", "");
    ready("file", open("file", O_RDONLY));
    ready("file to write", open("file", O_WRONLY));
    ready("folder", open(".", O_RDONLY));
    ready("null", open("/dev/null", O_RDWR));
    ready("zero", open("/dev/zero", O_RDONLY));
    ready("random", open("/dev/urandom", O_RDONLY));
    ready("closed", 99);
    ready("left out", -1);
    ready("path", open("file", O_PATH));
    pipe2(ends, O_NONBLOCK);
    ready("pipe", ends[0]);
    ready("its end", ends[1]);
    write(ends[1], "x", 1);
    ready("written", ends[0]);
    while (write(ends[1], (char[4096]){}, 4096) > 0)
        ;
    ready("full", ends[1]);
    read(ends[0], (char[4096]){}, 4095);
    ready("almost full", ends[1]);
    read(ends[0], (char[4096]){}, 4096);
    ready("a page is free", ends[1]);
    int copy = dup(ends[0]);
    close(ends[0]);
    ready("one reader left", ends[1]);
    close(copy);
    ready("no reader", ends[1]);
    pipe(ends);
    write(ends[1], "x", 1);
    close(ends[1]);
    ready("no writer", ends[0]);
    read(ends[0], &value, 1);
    ready("nor data", ends[0]);
    int counter = eventfd(0, EFD_NONBLOCK);
    ready("counter", counter);
    value = 5;
    write(counter, &value, 8);
    ready("5", counter);
    value = UINT64_MAX - 6;
    write(counter, &value, 8);
    ready("the most", counter);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    ready("timer", timer);
    struct itimerspec soon = {.it_value.tv_nsec = 1};
    timerfd_settime(timer, 0, &soon, NULL);
    poll(&(struct pollfd){timer, POLLIN}, 1, -1);
    ready("run out", timer);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int signals = signalfd(-1, &set, SFD_NONBLOCK);
    ready("signals", signals);
    kill(getpid(), SIGUSR1);
    ready("one waits", signals);
    int watch = inotify_init1(IN_NONBLOCK);
    inotify_add_watch(watch, ".", IN_CREATE);
    ready("watches", watch);
    put("new", "");
    ready("seen", watch);
    int polls = epoll_create1(0);
    ready("epoll", polls);
    struct epoll_event event = {.events = EPOLLIN};
    epoll_ctl(polls, EPOLL_CTL_ADD, signals, &event);
    ready("with an event", polls);
    int child = fork();
    if (!child)
        _exit(0);
    int process = abi_call(pidfd_open, child, 0);
    waitid(P_PID, child, NULL, WEXITED | WNOWAIT);
    ready("ended", process);
    waitpid(child, NULL, 0);
    ready("living", abi_call(pidfd_open, getpid(), 0));
    ready("stat", open("/proc/self/stat", O_RDONLY));
    ready("memory file", memfd_create("x", 0));
}
