/* rt_sigtimedwait, rt_sigsuspend, pause. */
#include "abi.h"

int main(void) {
    uint64_t usr1 = 1ul << (SIGUSR1 - 1), none = 0;
    struct timespec zero = {0, 0}, bad = {0, -1}, soon = {0, 1000000}, long_time = {100, 0};
    siginfo_t info = {};
    gives(0, rt_sigprocmask, SIG_BLOCK, &usr1, NULL, 8);
    fails(EAGAIN, rt_sigtimedwait, &usr1, &info, &zero, 8);
    fails(EAGAIN, rt_sigtimedwait, &usr1, &info, &soon, 8);
    kill(getpid(), SIGUSR1);
    gives(SIGUSR1, rt_sigtimedwait, &usr1, &info, &zero, 8);
    say("%d %d, own: %d %d", info.si_signo, info.si_code, info.si_pid == getpid(), info.si_uid);
    union sigval value = {.sival_int = 77};
    sigqueue(getpid(), SIGUSR1, value);
    gives(SIGUSR1, rt_sigtimedwait, &usr1, &info, NULL, 8);
    say("%d %d", info.si_code, info.si_value.sival_int);
    fails(EINVAL, rt_sigtimedwait, &usr1, &info, &bad, 8);
    fails(EINVAL, rt_sigtimedwait, &usr1, &info, &zero, 4);
    fails(EFAULT, rt_sigtimedwait, BAD, &info, &zero, 8);
    fails(EFAULT, rt_sigtimedwait, &usr1, &info, BAD, 8);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, rt_sigtimedwait, &usr1, &info, &long_time, 8);
    fails(EINTR, rt_sigsuspend, &none, 8);
    fails(EINTR, pause);
    struct itimerval no = {0};
    setitimer(ITIMER_REAL, &no, NULL);
    fails(EINVAL, rt_sigsuspend, &none, 4);
    fails(EFAULT, rt_sigsuspend, BAD, 8);
    kill(getpid(), SIGUSR1);
    fails(EFAULT, rt_sigtimedwait, &usr1, BAD, &zero, 8);
    handle(SIGUSR1, 0);
    caught = 0;
    kill(getpid(), SIGUSR1);
    fails(EINTR, rt_sigsuspend, &none, 8);
    is("caught", caught, 1);
}
