/* kill() to groups: each process of it, and those that one may not signal left out. */
#include "abi.h"

static void waiting(void) {
    handle(SIGUSR1, 0);
    while (!caught)
        pause();
    say("told");
}

static int in_group(int group) {
    int child = start(waiting);
    setpgid(child, group ? group : child);
    until_asleep(child);
    return child;
}

static void somebody(void) {
    be(SOMEBODY);
    fails(EPERM, kill, getppid(), SIGUSR1);
    gives(0, kill, -getpgid(getppid()), 0); /* it is in that group itself */
    fails(ESRCH, kill, -99999999, 0);
    fails(ESRCH, kill, 99999999, 0);
    gives(0, kill, getpid(), 0);
}

int main(void) {
    int first = in_group(0), second = in_group(first);
    gives(0, kill, -first, 0);
    gives(0, kill, -first, SIGUSR1);
    ended("first", first);
    ended("second", second);
    fails(ESRCH, kill, -first, 0);
    fails(EINVAL, kill, getpid(), 65);
    fails(EINVAL, kill, getpid(), -1);
    in_child("somebody", somebody);
}
