/* setsid and setpgid: leaders, members, children before and after exec. */
#include "abi.h"

static char path[64];

static void member(void) {
    while (!caught)
        doze(2);
}

static void leads(void) {
    is("its own", setsid() == getpid(), 1);
    is("its own", getsid(0) == getpid(), 1);
    is("its own", getpgid(0) == getpid(), 1);
    fails(EPERM, setsid);
    fails(EPERM, setpgid, 0, getppid());
    fails(ESRCH, getsid, 99999999);
    fails(ESRCH, getpgid, 99999999);
}

int main(void) {
    fails(EPERM, setsid);
    fails(EPERM, setpgid, 0, 0);
    handle(SIGUSR1, 0); /* which the child inherits */
    int child = start(member);
    gives(0, setpgid, child, child);
    is("its own", getpgid(child) == child, 1);
    gives(0, setpgid, child, getpgrp());
    fails(EPERM, setpgid, child, 1);
    fails(EINVAL, setpgid, child, -1);
    fails(ESRCH, setpgid, 1, 1);
    kill(child, SIGUSR1);
    ended("member", child);
    in_child("new session", leads);
    child = fork();
    if (!child) {
        execl("/bin/sleep", "sleep", "100", NULL);
        _exit(99);
    }
    while (!strstr(get((snprintf(path, sizeof path, "/proc/%d/comm", child), path)), "sleep"))
        doze(1);
    fails(EACCES, setpgid, child, child);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}
