/* getpriority and setpriority: of processes, groups and users; bounds; who may. */
#include "abi.h"

static void waits(void) {
    for (;;)
        pause();
}

static void somebody(void) {
    be(SOMEBODY);
    gives(0, setpriority, PRIO_PROCESS, 0, 5);
    fails(EACCES, setpriority, PRIO_PROCESS, 0, 4);
    gives(0, setpriority, PRIO_PROCESS, 0, 5);
    gives(0, setpriority, PRIO_USER, SOMEBODY, 7);
    gives(13, getpriority, PRIO_USER, SOMEBODY);
    fails(EPERM, setpriority, PRIO_PROCESS, getppid(), 10);
    gives(0, setpriority, PRIO_PROCESS, 0, 100);
    gives(1, getpriority, PRIO_PROCESS, 0);
    gives(20, getpriority, PRIO_PROCESS, getppid());
}

static void nice_child(void) {
    gives(10, getpriority, PRIO_PROCESS, 0);
}

static void group(void) {
    setpgid(0, 0);
    int one = fork();
    if (!one)
        waits();
    gives(0, setpriority, PRIO_PROCESS, one, 3);
    gives(17, getpriority, PRIO_PROCESS, one);
    gives(20, getpriority, PRIO_PGRP, 0);
    gives(0, setpriority, PRIO_PGRP, getpid(), 9);
    gives(11, getpriority, PRIO_PROCESS, one);
    gives(11, getpriority, PRIO_PROCESS, 0);
    gives(0, setpriority, PRIO_PROCESS, one, 12);
    gives(11, getpriority, PRIO_PGRP, 0);
    kill(one, SIGKILL);
    waitpid(one, NULL, 0);
    fails(ESRCH, getpriority, PRIO_PROCESS, one);
    fails(ESRCH, setpriority, PRIO_PROCESS, one, 3);
}

static void high(void) {
    gives(0, setpriority, PRIO_PROCESS, 0, -7);
    gives(27, getpriority, PRIO_PROCESS, 0);
    gives(0, setpriority, PRIO_PROCESS, 0, -100);
    gives(40, getpriority, PRIO_PROCESS, 0);
}

int main(void) {
    setpriority(PRIO_PROCESS, 0, 0); /* whatever it was started with */
    gives(20, getpriority, PRIO_PROCESS, 0);
    works(getpriority, PRIO_USER, 0);
    in_child("somebody", somebody);
    in_child("group", group);
    in_child("high", high);
    fails(EINVAL, getpriority, 3, 0);
    fails(EINVAL, getpriority, -1, 0);
    fails(EINVAL, setpriority, 3, 0, 0);
    fails(ESRCH, getpriority, PRIO_PROCESS, 0x3ffffff);
    fails(ESRCH, getpriority, PRIO_PGRP, 0x3ffffff);
    fails(ESRCH, getpriority, PRIO_USER, 987654);
    fails(ESRCH, setpriority, PRIO_USER, 987654, 1);
    gives(0, setpriority, PRIO_PROCESS, 0, 10);
    in_child("child", nice_child);
}
