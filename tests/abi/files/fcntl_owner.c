/* fcntl: who is told of what happens to a file, and by which signal. */
#include "abi.h"

#define NOBODY 0x7ffffff0
#ifndef F_GETOWNER_UIDS
#define F_GETOWNER_UIDS 17
#endif

static int fd;

static void show(const char *what, int number) {
    struct f_owner_ex owner = {-1, -1};
    gives(0, fcntl, fd, F_GETOWN_EX, &owner);
    say("%s: kind %d, as it was said: %d", what, owner.type, owner.pid == number);
}

static void set(int kind, int number) {
    struct f_owner_ex owner = {kind, number};
    gives(0, fcntl, fd, F_SETOWN_EX, &owner);
}

static void end(void) {
}

int main(void) {
    struct f_owner_ex wrong = {3, getpid()}, nobody = {F_OWNER_PID, NOBODY};
    unsigned users[2] = {7, 7};
    fd = open("file", O_RDWR | O_CREAT, 0644);
    gives(0, fcntl, fd, F_GETOWN);
    show("none", 0);
    gives(0, fcntl, fd, F_SETOWN, getpid());
    is("owner", abi_call(fcntl, fd, F_GETOWN) == getpid(), 1);
    is("a double's owner", abi_call(fcntl, dup(fd), F_GETOWN) == getpid(), 1);
    is("another file's", abi_call(fcntl, open("file", O_RDONLY), F_GETOWN), 0);
    show("process", getpid());
    gives(0, fcntl, fd, F_SETOWN, -getpgrp());
    show("group", getpgrp());
    set(F_OWNER_TID, gettid());
    show("thread", gettid());
    set(F_OWNER_PGRP, getpgrp());
    show("group", getpgrp());
    fails(EINVAL, fcntl, fd, F_SETOWN_EX, &wrong);
    fails(ESRCH, fcntl, fd, F_SETOWN_EX, &nobody);
    fails(ESRCH, fcntl, fd, F_SETOWN, NOBODY);
    fails(ESRCH, fcntl, fd, F_SETOWN, -NOBODY);
    fails(EINVAL, fcntl, fd, F_SETOWN, INT_MIN);
    fails(EFAULT, fcntl, fd, F_SETOWN_EX, BAD);
    fails(EFAULT, fcntl, fd, F_GETOWN_EX, BAD);
    show("still the group", getpgrp());
    gives(0, fcntl, fd, F_SETOWN, 0);
    gives(0, fcntl, fd, F_GETOWN);
    int child = start(end);
    waitid(P_PID, child, NULL, WEXITED | WNOWAIT);
    gives(0, fcntl, fd, F_SETOWN, child);
    waitpid(child, NULL, 0);
    gives(0, fcntl, fd, F_GETOWN);
    gives(0, fcntl, fd, F_GETSIG);
    gives(0, fcntl, fd, F_SETSIG, SIGUSR1);
    gives(SIGUSR1, fcntl, fd, F_GETSIG);
    fails(EINVAL, fcntl, fd, F_SETSIG, 65);
    fails(EINVAL, fcntl, fd, F_SETSIG, -1);
    gives(SIGUSR1, fcntl, fd, F_GETSIG);
    fails(EBADF, fcntl, open("file", O_PATH), F_SETOWN, getpid());
    fails(EFAULT, fcntl, fd, F_GETOWNER_UIDS, BAD);
    be(SOMEBODY);
    gives(0, fcntl, fd, F_SETOWN, getpid());
    gives(0, fcntl, fd, F_GETOWNER_UIDS, users);
    say("users %u and %u", users[0], users[1]);
}
