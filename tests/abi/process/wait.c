/* wait4 and waitid: ends, stops, and everything refused. */
#include "abi.h"

static void three(void) {
    _exit(3);
}

static void sleeps(void) {
    for (;;)
        pause();
}

int main(void) {
    int status = 0, child;
    siginfo_t info;
    fails(ECHILD, wait4, -1, &status, 0, NULL);
    fails(ECHILD, waitid, P_ALL, 0, &info, WEXITED, NULL);
    child = start(three);
    is("same child", works(wait4, child, &status, 0, NULL) == child, 1);
    is("status", status, 3 << 8);
    fails(ECHILD, wait4, child, &status, 0, NULL);
    fails(EINVAL, wait4, -1, &status, 0x40000, NULL);
    fails(ESRCH, wait4, INT_MIN, &status, 0, NULL);
    child = start(three);
    memset(&info, 0, sizeof info);
    gives(0, waitid, P_PID, child, &info, WEXITED | WNOWAIT, NULL);
    say("%d %d %d", info.si_signo, info.si_code, info.si_status);
    fails(EFAULT, wait4, child, BAD, 0, NULL);
    child = start(sleeps);
    gives(0, wait4, child, &status, WNOHANG, NULL);
    gives(0, waitid, P_PID, child, &info, WEXITED | WNOHANG, NULL);
    is("no signal", info.si_signo, 0);
    fails(EINVAL, waitid, P_PID, child, &info, 0, NULL);
    fails(EINVAL, waitid, 99, child, &info, WEXITED, NULL);
    fails(EINVAL, waitid, P_PID, 0, &info, WEXITED, NULL);
    kill(child, SIGSTOP);
    gives(0, waitid, P_PID, child, &info, WSTOPPED, NULL);
    say("%d %d", info.si_code, info.si_status);
    kill(child, SIGCONT);
    works(wait4, child, &status, WCONTINUED, NULL);
    say("%x", status);
    handle(SIGALRM, 0);
    alarm_in(20);
    fails(EINTR, wait4, child, &status, 0, NULL);
    fails(EINTR, waitid, P_PID, child, &info, WEXITED, NULL);
    struct itimerval none = {0};
    setitimer(ITIMER_REAL, &none, NULL);
    kill(child, SIGKILL);
    fails(EFAULT, waitid, P_PID, child, BAD, WEXITED, NULL);
    child = start(sleeps);
    kill(child, SIGTERM);
    struct rusage usage;
    works(wait4, child, &status, 0, &usage);
    is("status", status, SIGTERM);
}
