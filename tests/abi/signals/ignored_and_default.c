/* What becomes of a signal that waits when its action changes. */
#include "abi.h"

static sigset_t set;

static int waits(int signal) {
    sigset_t pending;
    sigpending(&pending);
    return sigismember(&pending, signal);
}

static void dies(void) {
    raise(SIGUSR1);
    signal(SIGUSR1, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    say("survived");
}

int main(void) {
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGURG);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGUSR1);
    is("waits", waits(SIGUSR1), 1);
    signal(SIGUSR1, SIG_IGN);
    is("thrown away", waits(SIGUSR1), 0);
    raise(SIGUSR1);
    is("ignored, but blocked", waits(SIGUSR1), 1);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    is("gone", waits(SIGUSR1), 0);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGURG);
    is("ignored by default, but blocked", waits(SIGURG), 1);
    signal(SIGURG, SIG_DFL);
    is("thrown away", waits(SIGURG), 0);
    signal(SIGUSR1, SIG_DFL);
    in_child("dies", dies);
}
