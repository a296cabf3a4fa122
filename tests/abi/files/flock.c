/* flock: whole files, by open file. */
#include "abi.h"

#include <sys/file.h>

static int fd;

static void waits(void) {
    int own = open("file", O_RDONLY);
    gives(0, flock, own, LOCK_EX);
}

int main(void) {
    fd = open("file", O_RDWR | O_CREAT, 0644);
    int other = open("file", O_RDONLY);
    gives(0, flock, fd, LOCK_SH);
    gives(0, flock, other, LOCK_SH | LOCK_NB);
    fails(EAGAIN, flock, other, LOCK_EX | LOCK_NB);
    gives(0, flock, other, LOCK_UN);
    gives(0, flock, fd, LOCK_EX);
    fails(EAGAIN, flock, other, LOCK_SH | LOCK_NB);
    gives(0, flock, dup(fd), LOCK_SH | LOCK_NB);
    gives(0, flock, other, LOCK_SH | LOCK_NB);
    gives(0, flock, other, LOCK_UN);
    gives(0, flock, fd, LOCK_EX);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, flock, other, LOCK_EX);
    struct itimerval none = {0};
    setitimer(ITIMER_REAL, &none, NULL);
    int child = start(waits);
    until_asleep(child);
    gives(0, flock, fd, LOCK_UN);
    ended("waits", child);
    fails(EINVAL, flock, fd, 0);
    fails(EINVAL, flock, fd, LOCK_SH | LOCK_EX);
    fails(EBADF, flock, -1, LOCK_SH);
    int path = open("file", O_PATH);
    fails(EBADF, flock, path, LOCK_SH);
}
