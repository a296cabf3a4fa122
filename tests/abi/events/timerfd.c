/* timerfd: a timer that is a file. */
#include "abi.h"

#include <poll.h>
#include <sys/timerfd.h>

int main(void) {
    struct itimerspec soon = {{0, 1000000}, {0, 1000000}}, far = {{5, 0}, {1000, 0}}, seen,
                      none = {};
    struct itimerspec past = {{0, 0}, {1, 0}}, wrong = {{0, -1}, {1, 0}};
    uint64_t times = 0;
    int fd = works(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    fails(EAGAIN, read, fd, &times, 8);
    gives(0, timerfd_settime, fd, 0, &far, NULL);
    gives(0, timerfd_gettime, fd, &seen);
    say("%ld %ld", seen.it_value.tv_sec / 100, seen.it_interval.tv_sec);
    gives(0, timerfd_settime, fd, 0, &soon, &seen);
    say("%ld %ld", seen.it_value.tv_sec / 100, seen.it_interval.tv_sec);
    struct pollfd one = {fd, POLLIN};
    gives(1, poll, &one, 1, -1);
    gives(8, read, fd, &times, 8);
    is("some", times >= 1, 1);
    gives(0, timerfd_settime, fd, 0, &none, NULL);
    gives(0, timerfd_gettime, fd, &seen);
    say("%ld %ld", seen.it_value.tv_sec, seen.it_interval.tv_sec);
    fails(EAGAIN, read, fd, &times, 8);
    gives(0, timerfd_settime, fd, TFD_TIMER_ABSTIME, &past, NULL);
    gives(1, poll, &one, 1, -1);
    gives(8, read, fd, &times, 8);
    is("once", times, 1);
    fails(EINVAL, read, fd, &times, 4);
    fails(EINVAL, timerfd_create, 99, 0);
    fails(EINVAL, timerfd_create, CLOCK_PROCESS_CPUTIME_ID, 0);
    fails(EINVAL, timerfd_create, CLOCK_MONOTONIC, 1);
    fails(EINVAL, timerfd_settime, fd, 64, &soon, NULL);
    fails(EINVAL, timerfd_settime, fd, 0, &wrong, NULL);
    fails(EFAULT, timerfd_settime, fd, 0, BAD, NULL);
    fails(EFAULT, timerfd_settime, fd, 0, &none, BAD);
    fails(EFAULT, timerfd_gettime, fd, BAD);
    fails(EBADF, timerfd_settime, -1, 0, &none, NULL);
    fails(EBADF, timerfd_gettime, -1, &seen);
    fails(EINVAL, timerfd_settime, 0, 0, &none, NULL);
    fails(EINVAL, timerfd_gettime, 0, &seen);
    works(timerfd_create, CLOCK_REALTIME, 0);
    works(timerfd_create, CLOCK_BOOTTIME, 0);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, timerfd_create, CLOCK_MONOTONIC, 0);
}
