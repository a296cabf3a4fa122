/* timerfd: expirations counted, absolute and relative, disarmed, read and polled, refused. */
#include "abi.h"

#include <poll.h>
#include <sys/timerfd.h>

int main(void) {
    uint64_t count = 77;
    struct itimerspec soon = {.it_value.tv_nsec = 1000000}, none = {}, old, now,
                      often = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1},
                      ages = {.it_value = {1000, 5}, .it_interval = {7, 8}},
                      past = {.it_value = {1, 0}}, wrong = {.it_value.tv_nsec = 1000000000},
                      odd = {.it_interval.tv_sec = -1};
    int fd = works(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);
    fails(EAGAIN, read, fd, &count, 8);
    gives(0, timerfd_gettime, fd, &now);
    is("not armed", now.it_value.tv_sec + now.it_value.tv_nsec, 0);
    gives(0, timerfd_settime, fd, 0, &ages, &old);
    is("before", old.it_value.tv_sec, 0);
    gives(0, timerfd_settime, fd, 0, &ages, &old);
    say("%ld.%ld, about %d", (long)old.it_interval.tv_sec, old.it_interval.tv_nsec,
        old.it_value.tv_sec >= 990);
    fails(EAGAIN, read, fd, &count, 8);
    gives(0, timerfd_settime, fd, 0, &soon, NULL);
    struct pollfd one = {fd, POLLIN};
    gives(1, poll, &one, 1, -1);
    gives(0, timerfd_gettime, fd, &now);
    is("once", now.it_value.tv_nsec, 0);
    gives(8, read, fd, &count, 8);
    is("count", count, 1);
    fails(EAGAIN, read, fd, &count, 8);
    gives(0, timerfd_settime, fd, TFD_TIMER_ABSTIME, &past, NULL);
    gives(1, poll, &one, 1, -1);
    /* Armed anew, what ran out is forgotten. */
    gives(0, timerfd_settime, fd, 0, &ages, NULL);
    fails(EAGAIN, read, fd, &count, 8);
    gives(0, timerfd_settime, fd, TFD_TIMER_ABSTIME, &past, NULL);
    gives(0, timerfd_settime, fd, 0, &none, NULL);
    fails(EAGAIN, read, fd, &count, 8);
    gives(0, timerfd_settime, fd, 0, &often, NULL);
    doze(20);
    gives(8, read, fd, &count, 8);
    is("several", count >= 10, 1);
    fcntl(fd, F_SETFL, 0);
    gives(8, read, fd, &count, 8);
    is("at least one", count >= 1, 1);
    fails(EINVAL, read, fd, &count, 7);
    fails(EINVAL, write, fd, &count, 8);
    fails(EINVAL, timerfd_settime, fd, 0, &wrong, NULL);
    fails(EINVAL, timerfd_settime, fd, 0, &odd, NULL);
    fails(EINVAL, timerfd_settime, fd, 8, &soon, NULL);
    fails(EFAULT, timerfd_settime, fd, 0, BAD, NULL);
    fails(EFAULT, timerfd_gettime, fd, BAD);
    fails(EINVAL, timerfd_settime, 0, 0, &soon, NULL);
    fails(EBADF, timerfd_settime, 99, 0, &soon, NULL);
    fails(EINVAL, timerfd_create, 99, 0);
    fails(EINVAL, timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0);
    fails(EINVAL, timerfd_create, CLOCK_MONOTONIC, 4);
    works(timerfd_create, CLOCK_BOOTTIME, 0);
    works(timerfd_create, CLOCK_REALTIME, TFD_CLOEXEC);
    /* A copy and a child have the same timer. */
    int copy = dup(fd);
    gives(0, timerfd_settime, copy, 0, &ages, NULL);
    gives(0, timerfd_gettime, fd, &now);
    is("the same", now.it_interval.tv_sec, 7);
}
