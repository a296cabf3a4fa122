/* timer_create: signals with a value, overruns, and timers that are deleted. */
#include "abi.h"

int main(void) {
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 42};
    struct itimerspec soon = {.it_value = {0, 1000000}}, often = {{0, 1000000}, {0, 1000000}}, now;
    sigset_t set;
    siginfo_t info;
    int timer;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    gives(0, timer_create, CLOCK_MONOTONIC, &event, &timer);
    gives(0, timer_settime, timer, 0, &soon, NULL);
    gives(SIGRTMIN, rt_sigtimedwait, &set, &info, NULL, 8);
    is("value", info.si_value.sival_int, 42);
    is("code", info.si_code, SI_TIMER);
    gives(0, timer_gettime, timer, &now);
    is("over", now.it_value.tv_nsec, 0);
    gives(0, timer_settime, timer, 0, &often, NULL);
    doze(30);
    gives(SIGRTMIN, rt_sigtimedwait, &set, &info, NULL, 8);
    gives(0, timer_delete, timer);
    fails(EINVAL, timer_delete, timer);
    fails(EINVAL, timer_getoverrun, timer);
    fails(EINVAL, timer_settime, timer, 0, &soon, NULL);
    event.sigev_signo = 99;
    fails(EINVAL, timer_create, CLOCK_MONOTONIC, &event, &timer);
    event.sigev_signo = SIGUSR1;
    fails(EINVAL, timer_create, 77, &event, &timer);
    fails(EFAULT, timer_create, CLOCK_MONOTONIC, BAD, &timer);
    fails(EFAULT, timer_create, CLOCK_MONOTONIC, &event, BAD);
}
