/* Descriptors of processes. */
#include "abi.h"

#include <poll.h>

static void sleeps(void) {
    for (;;)
        pause();
}

/* Signals go by an open folder of /proc, too; nothing else does. */
static void by_folder(void) {
    char name[40];
    int child = start(sleeps);
    snprintf(name, sizeof name, "/proc/%d", child);
    int fd = open(name, O_RDONLY | O_DIRECTORY), path = open(name, O_PATH | O_DIRECTORY);
    snprintf(name, sizeof name, "/proc/%d/task/%d", child, child);
    int thread = open(name, O_RDONLY | O_DIRECTORY), proc = open("/proc", O_RDONLY);
    gives(0, pidfd_send_signal, fd, 0, NULL, 0);
    fails(EBADF, pidfd_send_signal, path, 0, NULL, 0);
    fails(EBADF, pidfd_send_signal, thread, 0, NULL, 0);
    fails(EBADF, pidfd_send_signal, proc, 0, NULL, 0);
    fails(EBADF, pidfd_getfd, fd, 0, 0);
    gives(0, pidfd_send_signal, fd, SIGTERM, NULL, 0);
    ended("child by folder", child);
    fails(ESRCH, pidfd_send_signal, fd, 0, NULL, 0);
    close(fd), close(path), close(thread), close(proc);
}

static void somebody(void) {
    be(SOMEBODY);
    int parent = abi_call(pidfd_open, getppid(), 0);
    fails(EPERM, pidfd_send_signal, parent, SIGUSR1, NULL, 0);
    fails(EPERM, pidfd_getfd, parent, 0, 0);
}

int main(void) {
    int file = open("file", O_RDWR | O_CREAT, 0644), child = start(sleeps);
    siginfo_t info = {};
    int fd = works(pidfd_open, child, 0);
    gives(FD_CLOEXEC, fcntl, fd, F_GETFD);
    struct pollfd one = {fd, POLLIN};
    gives(0, poll, &one, 1, 0);
    gives(0, pidfd_send_signal, fd, 0, NULL, 0);
    int copy = works(pidfd_getfd, fd, file, 0);
    gives(3, write, copy, "abc", 3);
    say("%s", get("file"));
    fails(EBADF, pidfd_getfd, fd, 99, 0);
    fails(EBADF, pidfd_getfd, file, 0, 0);
    fails(EBADF, pidfd_getfd, -1, 0, 0);
    fails(EINVAL, pidfd_getfd, fd, 0, 1);
    fails(EINVAL, pidfd_send_signal, fd, 65, NULL, 0);
    fails(EBADF, pidfd_send_signal, -1, SIGUSR1, NULL, 0);
    fails(EBADF, pidfd_send_signal, file, SIGUSR1, NULL, 0);
    fails(EFAULT, pidfd_send_signal, fd, SIGUSR1, BAD, 0);
    fails(EINVAL, pidfd_open, 0, 0);
    fails(EINVAL, pidfd_open, -1, 0);
    fails(ESRCH, pidfd_open, 99999, 0);
    in_child("somebody", somebody);
    by_folder();
    gives(0, pidfd_send_signal, fd, SIGTERM, NULL, 0);
    gives(1, poll, &one, 1, -1);
    gives(0, waitid, P_PIDFD, fd, &info, WEXITED | WNOWAIT, NULL);
    say("%d %d", info.si_code, info.si_status);
    ended("child", child);
    fails(ESRCH, pidfd_send_signal, fd, SIGTERM, NULL, 0);
    fails(ESRCH, pidfd_getfd, fd, 0, 0);
    int own = works(pidfd_open, getpid(), 0);
    struct rlimit few = {3, 3};
    setrlimit(RLIMIT_NOFILE, &few);
    fails(EMFILE, pidfd_open, getpid(), 0);
    fails(EMFILE, pidfd_getfd, own, 0, 0);
}
