/* timer_create, timer_settime, timer_gettime, timer_getoverrun, timer_delete. */
#include "abi.h"

static volatile int value, code;

static void handler(int, siginfo_t *info, void *) {
    value = info->si_value.sival_int;
    code = info->si_code;
    caught++;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    struct sigevent event = {
        .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN, .sigev_value.sival_int = 42};
    struct sigevent silent = {.sigev_notify = SIGEV_NONE}, bad = {.sigev_notify = 77},
                    bad2 = {.sigev_signo = 65};
    struct itimerspec soon = {.it_value = {0, 2000000}}, often = {{0, 1000000}, {0, 1000000}}, seen,
                      none = {};
    struct itimerspec wrong = {.it_value = {0, -1}}, past = {.it_value = {1, 0}},
                      far = {.it_value = {1000, 0}};
    int timer, other;
    sigaction(SIGRTMIN, &action, NULL);
    gives(0, timer_create, CLOCK_MONOTONIC, &event, &timer);
    gives(0, timer_create, CLOCK_REALTIME, &silent, &other);
    gives(0, timer_settime, timer, 0, &soon, NULL);
    while (!caught)
        doze(1);
    say("%d %d", value, code);
    gives(0, timer_gettime, timer, &seen);
    say("%ld.%ld", seen.it_value.tv_sec, seen.it_value.tv_nsec);
    caught = 0;
    gives(0, timer_settime, timer, TIMER_ABSTIME, &past, NULL);
    while (!caught)
        doze(1);
    sigset_t set, before;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, &before);
    gives(0, timer_settime, timer, 0, &often, NULL);
    doze(60);
    gives(0, timer_settime, timer, 0, &far, &seen);
    say("%ld", seen.it_interval.tv_nsec);
    caught = 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    is("at most one, for all", caught <= 1, 1);
    works(timer_getoverrun, timer);
    gives(0, timer_gettime, timer, &seen);
    say("%ld", seen.it_value.tv_sec / 100);
    gives(0, timer_settime, other, 0, &far, NULL);
    gives(0, timer_delete, other);
    fails(EINVAL, timer_delete, other);
    fails(EINVAL, timer_gettime, other, &seen);
    fails(EINVAL, timer_settime, other, 0, &none, NULL);
    fails(EINVAL, timer_getoverrun, other);
    fails(EINVAL, timer_settime, timer, 0, &wrong, NULL);
    fails(EINVAL, timer_settime, timer, 0, NULL, NULL);
    fails(EFAULT, timer_settime, timer, 0, BAD, NULL);
    fails(EFAULT, timer_settime, timer, 0, &none, BAD);
    fails(EFAULT, timer_gettime, timer, BAD);
    fails(EINVAL, timer_create, 99, &event, &other);
    fails(EINVAL, timer_create, CLOCK_REALTIME, &bad, &other);
    fails(EINVAL, timer_create, CLOCK_REALTIME, &bad2, &other);
    fails(EFAULT, timer_create, CLOCK_REALTIME, BAD, &other);
    fails(EFAULT, timer_create, CLOCK_REALTIME, &event, BAD);
    fails(EOPNOTSUPP, timer_create, CLOCK_MONOTONIC_RAW, &event, &other);
}
