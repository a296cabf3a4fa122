/* setpgid, setsid, getsid: who may move whom, before and after exec, leaders, strangers. */
#include "abi.h"

static int ready[2];

static void waits(void) {
    for (;;)
        pause();
}

static int child(void) {
    int made = fork();
    if (!made)
        waits();
    return made;
}

static int of_another_session(void) {
    char byte;
    int made = fork();
    if (!made) {
        setsid();
        write(ready[1], "x", 1);
        waits();
    }
    read(ready[0], &byte, 1);
    return made;
}

static int executed(void) {
    char byte;
    int made = fork(), ends[2];
    if (!made) {
        char *words[] = {"sh", "-c", "echo; exec sleep 100", NULL};
        dup2(ready[1], 1);
        execv("/bin/sh", words);
    }
    read(ready[0], &byte, 1);
    return made;
}

static void orphaned_leader(void) {
    setsid();
    fails(EPERM, setsid);
    fails(EPERM, setpgid, 0, 0);
    int one = child();
    gives(0, setpgid, one, one);
    is("another's group", works(getpgid, one) == one, 1);
    fails(EPERM, setpgid, one, getppid());
    gives(0, setpgid, one, getpid());
    is("own group", works(getpgid, one) == getpid(), 1);
    is("session", works(getsid, one) == getpid(), 1);
    kill(one, SIGKILL);
    waitpid(one, NULL, 0);
    fails(ESRCH, setpgid, one, one);
    fails(ESRCH, getpgid, one);
    fails(ESRCH, getsid, one);
}

int main(void) {
    pipe(ready);
    fails(EINVAL, setpgid, 0, -1);
    fails(EINVAL, setpgid, -1, 0);
    fails(ESRCH, setpgid, 1, 0);
    fails(ESRCH, setpgid, 0x3ffffff, 0);
    in_child("a leader", orphaned_leader);
    int one = child(), two = child();
    gives(0, setpgid, one, 0);
    gives(0, setpgid, two, one);
    is("in it", works(getpgid, two) == one, 1);
    fails(EPERM, setpgid, two, two + 100000);
    kill(one, SIGKILL);
    waitpid(one, NULL, 0);
    is("the group outlives its first", works(getpgid, two) == one, 1);
    int three = child();
    gives(0, setpgid, three, one);
    gives(0, kill, -one, SIGTERM);
    waitpid(two, NULL, 0);
    waitpid(three, NULL, 0);
    fails(ESRCH, kill, -one, 0);
    fails(EPERM, setpgid, child(), one);
    int other = of_another_session();
    fails(EPERM, setpgid, other, other);
    fails(EPERM, setpgid, other, getpid());
    is("its session", works(getsid, other) == other, 1);
    kill(other, SIGKILL);
    int program = executed();
    fails(EACCES, setpgid, program, program);
    kill(program, SIGKILL);
    is("own session", works(getsid, 0) == getpid(), 1);
    is("own group", works(getpgid, 0) == getpgrp(), 1);
    fails(ESRCH, getsid, -1);
    fails(ESRCH, getpgid, -1);
    fails(ESRCH, getsid, 0x3ffffff);
}
