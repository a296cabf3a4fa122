/* pidfd: signals, waiting, readiness, and files of the other. */
#include "abi.h"

#include <poll.h>

int main(void) {
    int ends[2];
    pipe(ends);
    int child = fork();
    if (!child)
        for (;;)
            pause();
    int fd = works(pidfd_open, child, 0);
    struct pollfd one = {fd, POLLIN};
    gives(0, poll, &one, 1, 0);
    gives(0, pidfd_send_signal, fd, 0, NULL, 0);
    int copy = works(pidfd_getfd, fd, ends[1], 0);
    gives(1, write, copy, "x", 1);
    fails(EBADF, pidfd_getfd, fd, 99, 0);
    fails(EINVAL, pidfd_getfd, fd, 0, 1);
    gives(0, pidfd_send_signal, fd, SIGKILL, NULL, 0);
    gives(1, poll, &one, 1, 5000);
    siginfo_t info = {};
    gives(0, waitid, P_PIDFD, fd, &info, WEXITED);
    is("killed", info.si_status, SIGKILL);
    fails(ESRCH, pidfd_send_signal, fd, 0, NULL, 0);
    fails(ECHILD, waitid, P_PIDFD, fd, &info, WEXITED);
    fails(EBADF, pidfd_send_signal, 0, 0, NULL, 0);
    fails(EINVAL, pidfd_open, 0, 0);
    fails(EINVAL, pidfd_open, getpid(), 1);
}
