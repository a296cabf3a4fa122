/* SA_RESETHAND, and what exec leaves of actions and masks. */
#include "abi.h"

int main(void) {
    for (int i = 1; i < 32; i++)
        signal(i, SIG_DFL);
    handle(SIGUSR1, SA_RESETHAND);
    raise(SIGUSR1);
    is("caught", caught, 1);
    struct sigaction now;
    sigaction(SIGUSR1, NULL, &now);
    is("as at first", now.sa_handler == SIG_DFL, 1);
    signal(SIGUSR2, SIG_IGN);
    handle(SIGALRM, 0);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int child = fork();
    if (!child) {
        int fd = open("status", O_CREAT | O_RDWR, 0600);
        dup2(fd, 1);
        execl("/bin/grep", "grep", "-E", "^Sig(Blk|Ign|Cgt)", "/proc/self/status", NULL);
        _exit(99);
    }
    waitpid(child, NULL, 0);
    say("%s", get("status"));
}
