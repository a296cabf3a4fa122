/* timer_create and its like: kinds of notice, overruns, over fork and exec, refused. */
#include "abi.h"

static struct itimerspec now;

static void child(void) {
    fails(EINVAL, timer_gettime, 0, &now);
    struct itimerval of_process;
    getitimer(ITIMER_REAL, &of_process);
    is("nor the alarm", of_process.it_value.tv_sec, 0);
}

int main(void) {
    int one, two, three;
    siginfo_t info;
    sigset_t set;
    struct itimerspec ages = {{7, 8}, {1000, 0}}, none = {}, soon = {.it_value.tv_nsec = 1}, old,
                      often = {{0, 1000000}, {0, 1}}, wrong = {.it_value.tv_nsec = -1},
                      past = {.it_value = {1, 0}};
    struct sigevent silent = {.sigev_notify = SIGEV_NONE},
                    signal = {.sigev_notify = SIGEV_SIGNAL,
                              .sigev_signo = SIGRTMIN,
                              .sigev_value.sival_int = 42},
                    odd = {.sigev_notify = 77}, big = {.sigev_signo = 65};
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    gives(0, timer_create, CLOCK_MONOTONIC, &silent, &one);
    gives(0, timer_create, CLOCK_REALTIME, &signal, &two);
    gives(0, timer_create, CLOCK_MONOTONIC, NULL, &three);
    say("%d %d %d", one, two - one, three - one);
    gives(0, timer_gettime, one, &now);
    is("not armed", now.it_value.tv_sec, 0);
    gives(0, timer_settime, one, 0, &ages, &old);
    gives(0, timer_settime, one, 0, &none, &old);
    say("%ld.%ld, %d", (long)old.it_interval.tv_sec, old.it_interval.tv_nsec,
        old.it_value.tv_sec >= 990);
    gives(0, timer_settime, two, 0, &soon, NULL);
    gives(SIGRTMIN, rt_sigtimedwait, &set, &info, NULL, 8);
    say("code %d, value %d, overrun %d, timer %d", info.si_code, info.si_value.sival_int,
        info.si_overrun, info.si_timerid == two);
    gives(0, timer_gettime, two, &now);
    is("once", now.it_value.tv_nsec, 0);
    gives(0, timer_getoverrun, two);
    gives(0, timer_settime, two, 0, &often, NULL);
    doze(30);
    gives(SIGRTMIN, rt_sigtimedwait, &set, &info, NULL, 8);
    is("those that found one waiting", info.si_overrun >= 10, 1);
    gives(0, timer_settime, two, 0, &none, NULL);
    struct timespec zero = {0, 0};
    abi_call(rt_sigtimedwait, &set, &info, &zero, 8);
    fails(EAGAIN, rt_sigtimedwait, &set, &info, &zero, 8);
    gives(0, timer_settime, three, TIMER_ABSTIME, &past, NULL);
    gives(SIGALRM, rt_sigtimedwait, &set, &info, NULL, 8);
    is("its number as value", info.si_value.sival_int == three, 1);
    gives(0, timer_settime, three, 0, &ages, NULL);
    in_child("child", child);
    gives(0, timer_delete, one);
    fails(EINVAL, timer_delete, one);
    fails(EINVAL, timer_gettime, one, &now);
    fails(EINVAL, timer_settime, one, 0, &ages, NULL);
    fails(EINVAL, timer_getoverrun, one);
    fails(EINVAL, timer_settime, two, 0, &wrong, NULL);
    fails(EINVAL, timer_settime, two, 0, NULL, NULL);
    fails(EFAULT, timer_settime, two, 0, BAD, NULL);
    fails(EFAULT, timer_gettime, two, BAD);
    fails(EINVAL, timer_create, CLOCK_MONOTONIC, &odd, &one);
    fails(EINVAL, timer_create, CLOCK_MONOTONIC, &big, &one);
    fails(EINVAL, timer_create, 77, NULL, &one);
    fails(EFAULT, timer_create, CLOCK_MONOTONIC, BAD, &one);
    fails(EFAULT, timer_create, CLOCK_MONOTONIC, NULL, BAD);
    works(timer_create, CLOCK_PROCESS_CPUTIME_ID, &silent, &one);
    works(timer_create, CLOCK_THREAD_CPUTIME_ID, &silent, &one);
    works(timer_create, CLOCK_BOOTTIME, &silent, &one);
    works(timer_create, CLOCK_TAI, &silent, &one);
}
