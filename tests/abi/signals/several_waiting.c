/* Which of several signals is taken first, and how often each. */
#include "abi.h"

int main(void) {
    sigset_t set;
    siginfo_t info;
    struct timespec none = {};
    sigemptyset(&set);
    const int all[] = {SIGUSR2, SIGRTMIN + 2, SIGUSR1, SIGRTMIN, SIGTERM, SIGRTMIN, SIGUSR1};
    for (int i = 0; i < 7; i++)
        sigaddset(&set, all[i]);
    sigprocmask(SIG_BLOCK, &set, NULL);
    for (int i = 0; i < 7; i++)
        sigqueue(getpid(), all[i], (union sigval){.sival_int = i});
    for (int i = 0; i < 8; i++) {
        long got = abi_call(rt_sigtimedwait, &set, &info, &none, 8);
        say("%ld: %d", got, got > 0 ? info.si_value.sival_int : 0);
    }
    fails(EAGAIN, rt_sigtimedwait, &set, &info, &none, 8);
}
