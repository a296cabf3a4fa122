/* What a handler is told: by kill, sigqueue, tgkill, a child, an alarm. */
#include "abi.h"

static void handler(int signal, siginfo_t *info, void *context) {
    if (signal == SIGALRM && caught)
        return;
    say("%d: code %d, own %d, value %d, status %d", signal, info->si_code, info->si_pid == getpid(),
        info->si_code == SI_QUEUE ? info->si_value.sival_int : 0,
        signal == SIGCHLD ? info->si_status : 0);
    caught = signal == SIGALRM;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO};
    static const int all[] = {SIGUSR1, SIGALRM, SIGCHLD, SIGURG};
    for (int i = 0; i < 4; i++)
        sigaction(all[i], &action, NULL);
    kill(getpid(), SIGUSR1);
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 77});
    syscall(SYS_tgkill, getpid(), getpid(), SIGUSR1);
    alarm_in(5);
    while (!caught)
        doze(1);
    alarm_in(0);
    int child = fork();
    if (!child)
        _exit(5);
    while (waitpid(child, NULL, 0) != child)
        ;
}
