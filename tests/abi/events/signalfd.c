/* signalfd: signals that are read. */
#include "abi.h"

#include <poll.h>
#include <sys/signalfd.h>

int main(void) {
    uint64_t usr1 = 1ul << (SIGUSR1 - 1), both = usr1 | 1ul << (SIGUSR2 - 1);
    struct signalfd_siginfo info[2];
    gives(0, rt_sigprocmask, SIG_BLOCK, &both, NULL, 8);
    int fd = works(signalfd4, -1, &usr1, 8, SFD_NONBLOCK | SFD_CLOEXEC);
    fails(EAGAIN, read, fd, info, sizeof info);
    kill(getpid(), SIGUSR1);
    struct pollfd one = {fd, POLLIN};
    gives(1, poll, &one, 1, 0);
    gives(128, read, fd, info, sizeof info);
    say("%d %d, own: %d", info[0].ssi_signo, info[0].ssi_code, info[0].ssi_pid == getpid());
    kill(getpid(), SIGUSR2);
    fails(EAGAIN, read, fd, info, sizeof info);
    gives(fd, signalfd4, fd, &both, 8, 0);
    union sigval value = {.sival_int = 5};
    sigqueue(getpid(), SIGUSR1, value);
    gives(256, read, fd, info, sizeof info);
    say("%d %d %d", info[0].ssi_signo, info[0].ssi_int, info[1].ssi_signo);
    fails(EINVAL, read, fd, info, 100);
    fails(EINVAL, write, fd, info, 128);
    fails(EINVAL, signalfd4, -1, &usr1, 8, 64);
    fails(EINVAL, signalfd4, -1, &usr1, 4, 0);
    fails(EINVAL, signalfd, 0, &usr1, 8);
    fails(EINVAL, signalfd4, 0, &usr1, 8, 0);
    fails(EINVAL, signalfd, -1, &usr1, 16);
    fails(EBADF, signalfd4, 99, &usr1, 8, 0);
    fails(EBADF, signalfd, 99, &usr1, 8);
    fails(EFAULT, signalfd4, -1, BAD, 8, 0);
    fails(EFAULT, signalfd, -1, BAD, 8);
    works(signalfd, -1, &usr1, 8);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, signalfd4, -1, &usr1, 8, 0);
    fails(EMFILE, signalfd, -1, &usr1, 8);
}
