/* signalfd: who takes a signal, what is told, and changing the set. */
#include "abi.h"

#include <sys/signalfd.h>

int main(void) {
    sigset_t set;
    struct signalfd_siginfo info[3];
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int fd = works(signalfd4, -1, &set, 8, SFD_NONBLOCK);
    fails(EAGAIN, read, fd, info, sizeof info);
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 5});
    sigqueue(getpid(), SIGRTMIN, (union sigval){.sival_int = 6});
    kill(getpid(), SIGUSR1);
    gives(3 * 128, read, fd, info, sizeof info);
    for (int i = 0; i < 3; i++)
        say("%d code %d value %d own %d", info[i].ssi_signo, info[i].ssi_code, info[i].ssi_int,
            info[i].ssi_pid == getpid());
    fails(EAGAIN, read, fd, info, sizeof info);
    fails(EINVAL, read, fd, info, 127);
    sigdelset(&set, SIGUSR1);
    gives(fd, signalfd4, fd, &set, 8, 0);
    raise(SIGUSR1);
    fails(EAGAIN, read, fd, info, sizeof info);
    fails(EINVAL, signalfd4, 0, &set, 8, 0);
    fails(EINVAL, signalfd4, -1, &set, 7, 0);
    fails(EINVAL, signalfd4, -1, &set, 8, 1);
    fails(EINVAL, write, fd, info, 128);
}
