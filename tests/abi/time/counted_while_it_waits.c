/* timer_getoverrun: what the signal taken last stood for, whatever has come since. */
#include "abi.h"

#include <sys/signalfd.h>

static int timer;

static void same_as(const char *what, int overrun) {
    is(what, syscall(SYS_timer_getoverrun, timer) == overrun && overrun >= 5, 1);
}

int main(void) {
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN};
    struct itimerspec often = {{0, 2000000}, {0, 2000000}}, never = {{0}, {0}};
    struct signalfd_siginfo told;
    sigset_t set;
    siginfo_t info;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int file = signalfd(-1, &set, 0);
    gives(0, timer_create, CLOCK_MONOTONIC, &event, &timer);
    gives(0, timer_getoverrun, timer);
    gives(0, timer_settime, timer, 0, &often, NULL);
    doze(40);
    gives(0, timer_getoverrun, timer);
    gives(SIGRTMIN, rt_sigtimedwait, &set, &info, NULL, 8);
    doze(40);
    same_as("taken by waiting", info.si_overrun);
    gives(sizeof told, read, file, &told, sizeof told);
    doze(20);
    same_as("taken by reading", (int)told.ssi_overrun);
    gives(0, timer_settime, timer, 0, &never, NULL);
    gives(0, timer_getoverrun, timer);
    gives(0, timer_delete, timer);
}
