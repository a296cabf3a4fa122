/* setpgid, getpgid, setsid, getsid: groups, and everything refused. */
#include "abi.h"

static int ends_of[2];

static void waits(void) {
    char byte;
    read(ends_of[0], &byte, 1);
}

static void leads(void) {
    gives(0, setpgid, 0, 0);
    is("own group", getpgrp() == getpid(), 1);
    fails(EPERM, setsid);
}

static void new_session(void) {
    is("session", works(setsid) == getpid(), 1);
    is("group", abi_call(getpgid, 0) == getpid(), 1);
    is("session again", abi_call(getsid, 0) == getpid(), 1);
    fails(EPERM, setpgid, 0, 0);
    fails(EPERM, setsid);
}

static void other_session(void) {
    setsid();
    fails(EPERM, setpgid, 0, getppid());
}

static void executes(void) {
    char *words[] = {"cat", NULL};
    dup2(ends_of[0], 0);
    execv("/bin/cat", words);
}

int main(void) {
    pipe2(ends_of, O_CLOEXEC);
    is("leader", getpgrp() == getpid() && getsid(0) == getpid(), 1);
    is("getpgrp", works(getpgrp) == getpid(), 1);
    works(getppid);
    works(getpid);
    works(gettid);
    works(getpgid, 0);
    works(getsid, 0);
    int child = start(waits);
    gives(0, setpgid, child, child);
    is("its group", getpgid(child) == child, 1);
    gives(0, setpgid, child, getpgrp());
    fails(EINVAL, setpgid, child, -1);
    fails(EPERM, setpgid, child, 99999);
    fails(ESRCH, setpgid, 1, 0);
    fails(ESRCH, setpgid, 99999, 0);
    fails(ESRCH, getpgid, 99999);
    fails(ESRCH, getpgid, -1);
    fails(ESRCH, getsid, 99999);
    int other = start(executes);
    char name[64], text[64] = "";
    snprintf(name, sizeof name, "/proc/%d/comm", other);
    while (strcmp(get(name), "cat\n"))
        doze(1);
    fails(EACCES, setpgid, other, other);
    kill(other, SIGKILL);
    ended("other", other);
    write(ends_of[1], "x", 1);
    ended("child", child);
    in_child("leads", leads);
    in_child("new session", new_session);
    in_child("other session", other_session);
    in_child("its group is another session's", leads);
}
