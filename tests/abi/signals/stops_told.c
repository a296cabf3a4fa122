/* SIGCHLD for children that stop and go on, and SA_NOCLDSTOP; SA_NOCLDWAIT. */
#include "abi.h"

static volatile int told;

static void count(int signal) {
    told++;
}

static int all(int stops) {
    int child = fork(), status;
    told = 0;
    if (!child)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    while (waitpid(child, &status, WUNTRACED) != child || !WIFSTOPPED(status))
        ;
    kill(child, SIGCONT);
    while (waitpid(child, &status, WCONTINUED) != child || !WIFCONTINUED(status))
        ;
    while (stops && told < 2)
        doze(1); /* it tells of its going on itself */
    kill(child, SIGKILL);
    while (waitpid(child, &status, 0) != child)
        ;
    return told;
}

int main(void) {
    struct sigaction action = {.sa_handler = count};
    sigaction(SIGCHLD, &action, NULL);
    is("stopped, on, ended", all(1), 3);
    action.sa_flags = SA_NOCLDSTOP;
    sigaction(SIGCHLD, &action, NULL);
    is("ended", all(0), 1);
    action.sa_flags = SA_NOCLDWAIT;
    sigaction(SIGCHLD, &action, NULL);
    int child = fork();
    if (!child)
        _exit(0);
    while (waitpid(child, NULL, 0) >= 0 || errno == EINTR)
        ;
    is("nobody to wait for", errno, ECHILD);
}
