/* kill, tkill, tgkill: who may send what to whom. */
#include "abi.h"

static void sleeps(void) {
    for (;;)
        pause();
}

static void as_somebody(void) {
    be(SOMEBODY);
    fails(EPERM, kill, getppid(), 0);
    fails(EPERM, kill, 1, SIGTERM);
    fails(EPERM, tkill, getppid(), 0);
    fails(EPERM, tgkill, getppid(), getppid(), SIGTERM);
    gives(0, kill, getpid(), 0);
}

int main(void) {
    int gone = start(sleeps);
    gives(0, kill, gone, 0);
    gives(0, kill, gone, SIGKILL);
    ended("child", gone);
    fails(ESRCH, kill, gone, 0);
    fails(ESRCH, kill, gone, SIGTERM);
    fails(EINVAL, kill, getpid(), 65);
    fails(EINVAL, kill, getpid(), -1);
    fails(ESRCH, kill, gone, 65);
    fails(ESRCH, kill, INT_MIN, 0);
    fails(ESRCH, kill, -gone, 0);
    handle(SIGUSR1, 0);
    gives(0, tkill, gettid(), SIGUSR1);
    gives(0, tgkill, getpid(), gettid(), SIGUSR1);
    gives(0, kill, 0, SIGUSR1);
    is("caught", caught, 3);
    fails(EINVAL, tkill, 0, 0);
    fails(EINVAL, tkill, -1, 0);
    fails(ESRCH, tkill, gone, 0);
    fails(EINVAL, tgkill, 0, gettid(), 0);
    fails(EINVAL, tgkill, getpid(), 0, 0);
    fails(EINVAL, tgkill, getpid(), gettid(), 65);
    fails(EINVAL, tkill, gettid(), 65);
    fails(ESRCH, tgkill, getpid(), gone, 0);
    in_child("somebody", as_somebody);
}
