/* Which children wait4 and waitid mean: by group, by number, any; stops and goings on once each. */
#include "abi.h"

static void sleeps(void) {
    for (;;)
        pause();
}

static int child(int group) {
    int made = fork();
    if (!made) {
        setpgid(0, group);
        sleeps();
    }
    setpgid(made, group);
    return made;
}

static void told(const siginfo_t *info) {
    say("  signal %d code %d status %d", info->si_signo, info->si_code, info->si_status);
}

int main(void) {
    siginfo_t info;
    int status, own = child(getpid()), other = child(0), third = child(other);
    fails(ECHILD, wait4, -getpid() - 100000, &status, 0, NULL);
    kill(third, SIGKILL);
    is("it", works(wait4, -other, &status, 0, NULL) == third, 1);
    gives(0, wait4, 0, &status, WNOHANG, NULL);
    kill(own, SIGTERM);
    is("it", works(wait4, 0, &status, 0, NULL) == own, 1);
    fails(ECHILD, wait4, 0, &status, WNOHANG, NULL);
    fails(ECHILD, wait4, getpid(), &status, WNOHANG, NULL);
    fails(ECHILD, wait4, 1, &status, WNOHANG, NULL);
    gives(0, wait4, -1, &status, WNOHANG, NULL);
    /* A stop is told of once, to those who ask. */
    kill(other, SIGSTOP);
    memset(&info, 0, sizeof info);
    gives(0, waitid, P_PGID, other, &info, WSTOPPED | WNOWAIT, NULL);
    told(&info);
    gives(0, wait4, other, &status, WNOHANG, NULL);
    is("it", works(wait4, other, &status, WNOHANG | WUNTRACED, NULL) == other, 1);
    say("  %x: stopped %d by %d", status, WIFSTOPPED(status), WSTOPSIG(status));
    gives(0, wait4, other, &status, WNOHANG | WUNTRACED, NULL);
    kill(other, SIGCONT);
    gives(0, wait4, other, &status, WNOHANG | WUNTRACED, NULL);
    gives(0, waitid, P_ALL, 0, &info, WCONTINUED | WNOWAIT, NULL);
    told(&info);
    is("it", works(wait4, -1, &status, WCONTINUED, NULL) == other, 1);
    say("  %x: goes on %d", status, WIFCONTINUED(status));
    gives(0, wait4, -1, &status, WCONTINUED | WNOHANG, NULL);
    /* A stop that nobody asked about is forgotten when it goes on. */
    kill(other, SIGTSTP);
    gives(0, waitid, P_PID, other, &info, WSTOPPED | WNOWAIT, NULL);
    told(&info);
    kill(other, SIGCONT);
    gives(0, waitid, P_PID, other, &info, WCONTINUED | WNOWAIT, NULL);
    gives(0, wait4, other, &status, WNOHANG | WUNTRACED, NULL);
    kill(other, SIGKILL);
    gives(0, waitid, P_PID, other, &info, WEXITED | WNOWAIT, NULL);
    told(&info);
    is("it", works(wait4, other, &status, WNOHANG, NULL) == other, 1);
    memset(&info, 0x55, sizeof info);
    fails(ECHILD, waitid, P_ALL, 0, &info, WEXITED, NULL);
    say("  %x", info.si_signo);
    /* Children of one who ignores SIGCHLD, or says so, are waited for and not told of. */
    signal(SIGCHLD, SIG_IGN);
    if (!fork())
        _exit(3);
    fails(ECHILD, wait4, -1, &status, 0, NULL);
    struct sigaction action = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDWAIT};
    sigaction(SIGCHLD, &action, NULL);
    if (!fork())
        _exit(3);
    fails(ECHILD, waitid, P_ALL, 0, &info, WEXITED, NULL);
    /* Signals of a clone: only __WALL and __WCLONE know it. */
    signal(SIGCHLD, SIG_DFL);
    int clone = syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (!clone)
        _exit(4);
    fails(ECHILD, wait4, clone, &status, 0, NULL);
    is("it", works(wait4, clone, &status, __WCLONE, NULL) == clone, 1);
    handle(SIGUSR1, SA_RESTART);
    clone = syscall(SYS_clone, SIGUSR1, 0, 0, 0, 0);
    if (!clone)
        sleeps();
    fails(ECHILD, wait4, -1, &status, WNOHANG, NULL);
    kill(clone, SIGKILL);
    is("it", works(wait4, -1, &status, __WALL, NULL) == clone, 1);
    is("its own signal", caught, 1);
}
