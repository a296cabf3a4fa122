/* timerfd: intervals that are counted, times that are left, and stopping. */
#include "abi.h"

#include <sys/timerfd.h>

int main(void) {
    struct itimerspec timer = {{0, 2000000}, {0, 2000000}}, now;
    uint64_t times = 0;
    int fd = works(timerfd_create, CLOCK_MONOTONIC, TFD_NONBLOCK);
    gives(0, timerfd_settime, fd, 0, &timer, NULL);
    doze(30);
    gives(8, read, fd, &times, 8);
    is("several", times >= 10, 1);
    gives(0, timerfd_gettime, fd, &now);
    is("interval", now.it_interval.tv_nsec, 2000000);
    is("left", now.it_value.tv_nsec > 0 && now.it_value.tv_nsec <= 2000000, 1);
    timer = (struct itimerspec){};
    gives(0, timerfd_settime, fd, 0, &timer, &now);
    is("interval", now.it_interval.tv_nsec, 2000000);
    gives(0, timerfd_gettime, fd, &now);
    is("stopped", now.it_value.tv_nsec | now.it_interval.tv_nsec, 0);
    fails(EAGAIN, read, fd, &times, 8);
    timer.it_value.tv_nsec = 1000000000;
    fails(EINVAL, timerfd_settime, fd, 0, &timer, NULL);
    timer.it_value.tv_nsec = 1;
    fails(EINVAL, timerfd_settime, fd, 4, &timer, NULL);
    gives(0, timerfd_settime, fd, TFD_TIMER_ABSTIME, &timer, NULL);
    gives(8, read, fd, &times, 8);
    is("long ago", times, 1);
}
