/* SIGCHLD: what it tells, and children that nobody need wait for. */
#include "abi.h"

static volatile int code, status_told, pid_told;

static void handler(int, siginfo_t *info, void *) {
    code = info->si_code;
    status_told = info->si_status;
    pid_told = info->si_pid;
    caught++;
}

static void seven(void) {
    _exit(7);
}

static void killed(void) {
    kill(getpid(), SIGKILL);
}

static int ends_after(void (*fn)(void)) {
    sigset_t set, none;
    sigemptyset(&set);
    sigemptyset(&none);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    caught = 0;
    int child = start(fn);
    while (!caught)
        sigsuspend(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    return child;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_NOCLDSTOP};
    sigaction(SIGCHLD, &action, NULL);
    int child = ends_after(seven);
    say("%d %d, the child: %d", code, status_told, pid_told == child);
    ended("seven", child);
    child = ends_after(killed);
    say("%d %d", code, status_told);
    ended("killed", child);
    action.sa_flags |= SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, NULL);
    start(seven);
    while (abi_call(wait4, -1, NULL, 0, NULL) != -1)
        ;
    is("nothing to wait for", errno, ECHILD);
    signal(SIGCHLD, SIG_IGN);
    start(seven);
    fails(ECHILD, wait4, -1, NULL, 0, NULL);
    signal(SIGCHLD, SIG_DFL);
    child = start(seven);
    ended("seven", child);
}
