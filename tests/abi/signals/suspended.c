/* rt_sigsuspend: with another mask for as long as it waits. */
#include "abi.h"

static void sends(void) {
    until_asleep(getppid());
    kill(getppid(), SIGUSR1);
}

int main(void) {
    sigset_t set, none;
    unsigned long nothing = 0;
    sigemptyset(&none);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    handle(SIGUSR1, SA_RESTART);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    is("not yet", caught, 0);
    fails(EINTR, rt_sigsuspend, &nothing, 8);
    is("now", caught, 1);
    sigprocmask(SIG_BLOCK, NULL, &none);
    is("blocked again", sigismember(&none, SIGUSR1), 1);
    int child = start(sends);
    fails(EINTR, rt_sigsuspend, &nothing, 8);
    is("from the child", caught, 2);
    ended("child", child);
    fails(EINVAL, rt_sigsuspend, &nothing, 4);
    fails(EFAULT, rt_sigsuspend, BAD, 8);
}
