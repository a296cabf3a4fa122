/* pause: it ends by a handler alone, and not by what is ignored or stops and goes on. */
#include "abi.h"

static void waits(void) {
    handle(SIGUSR1, SA_RESTART);
    signal(SIGUSR2, SIG_IGN);
    fails(EINTR, pause);
    is("caught", caught, 1);
}

int main(void) {
    int child = start(waits), status;
    until_asleep(child);
    kill(child, SIGUSR2);
    doze(10);
    until_asleep(child);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    is("stopped", WIFSTOPPED(status), 1);
    kill(child, SIGCONT);
    until_asleep(child);
    kill(child, SIGUSR1);
    ended("waits", child);
    handle(SIGALRM, 0);
    alarm_in(10);
    fails(EINTR, pause);
}
