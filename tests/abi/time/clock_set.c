/* Setting the time of day, to what it is; and timers that are to be told of it. */
#include "abi.h"

#include <sys/timerfd.h>

static void set(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    gives(0, clock_settime, CLOCK_REALTIME, &now);
}

static int timer;

static void set_later(void) {
    until_asleep(getppid());
    set();
}

int main(void) {
    struct itimerspec far = {.it_value = {1}}, soon = {.it_value = {0, 1000000}};
    struct timespec now;
    uint64_t times;
    clock_gettime(CLOCK_REALTIME, &now);
    far.it_value.tv_sec = now.tv_sec + 1000;
    timer = works(timerfd_create, CLOCK_REALTIME, TFD_NONBLOCK);
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;
    gives(0, timerfd_settime, timer, flags, &far, NULL);
    fails(EAGAIN, read, timer, &times, 8);
    set();
    fails(ECANCELED, read, timer, &times, 8);
    fails(EAGAIN, read, timer, &times, 8);
    set();
    fails(ECANCELED, timerfd_settime, timer, flags, &far, NULL);
    gives(0, timerfd_settime, timer, flags, &far, NULL);
    gives(0, timerfd_settime, timer, TFD_TIMER_ABSTIME, &far, NULL);
    set();
    fails(EAGAIN, read, timer, &times, 8);
    gives(0, timerfd_settime, timer, flags, &far, NULL);
    fcntl(timer, F_SETFL, 0);
    int child = start(set_later);
    fails(ECANCELED, read, timer, &times, 8);
    ended("child", child);
    /* What counts from now on is not concerned. */
    gives(0, timerfd_settime, timer, 0, &soon, NULL);
    set();
    gives(8, read, timer, &times, 8);
}
