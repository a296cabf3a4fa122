/* waitpid and waitid: without waiting, without taking, by group; of none. */
#include "abi.h"

int main(void) {
    int status, child = fork();
    siginfo_t info = {};
    if (!child) {
        pause();
        _exit(0);
    }
    gives(0, wait4, child, &status, WNOHANG, NULL);
    gives(0, waitid, P_PID, child, &info, WEXITED | WNOHANG, NULL);
    is("none", info.si_pid, 0);
    kill(child, SIGTERM);
    gives(0, waitid, P_PID, child, &info, WEXITED | WNOWAIT, NULL);
    is("killed", info.si_code == CLD_KILLED && info.si_status == SIGTERM, 1);
    gives(0, kill, child, 0);
    is("waited", waitpid(-getpgrp(), &status, 0) == child, 1);
    fails(ESRCH, kill, child, 0);
    fails(ECHILD, wait4, child, &status, 0, NULL);
    fails(ECHILD, wait4, -1, &status, WNOHANG, NULL);
    fails(ECHILD, waitid, P_ALL, 0, &info, WEXITED, NULL);
    fails(EINVAL, waitid, P_ALL, 0, &info, 0, NULL);
    fails(EINVAL, waitid, 9, 0, &info, WEXITED, NULL);
    fails(EINVAL, wait4, -1, &status, 0x100, NULL);
    fails(ESRCH, wait4, 0x80000000, &status, 0, NULL);
    child = fork();
    if (!child)
        _exit(0x1234);
    fails(EFAULT, wait4, child, BAD, 0, NULL);
}
