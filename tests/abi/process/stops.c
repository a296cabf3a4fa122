/* Stops and goings on, as a parent sees them. */
#include "abi.h"

/* In a group of its own, which its parent keeps from being orphaned: else it would not stop. */
static void sleeps(void) {
    for (;;)
        pause();
}

static int seen[16], count;

static void changed(int, siginfo_t *info, void *) {
    seen[count++] = info->si_code;
}

int main(void) {
    struct sigaction action = {.sa_sigaction = changed, .sa_flags = SA_SIGINFO | SA_RESTART};
    int status, child = start(sleeps), stops[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
    setpgid(child, child);
    sigaction(SIGCHLD, &action, NULL);
    for (int i = 0; i < 4; i++) {
        kill(child, stops[i]);
        waitpid(child, &status, WUNTRACED);
        say("stopped %d by %d", WIFSTOPPED(status), WSTOPSIG(status));
        gives(0, wait4, child, &status, WUNTRACED | WNOHANG, NULL);
        kill(child, SIGCONT);
        waitpid(child, &status, WCONTINUED);
        say("goes on %d", WIFCONTINUED(status));
    }
    /* What comes while it is stopped waits until it goes on. */
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGTERM);
    usleep(20000);
    gives(0, wait4, child, &status, WNOHANG, NULL);
    kill(child, SIGCONT);
    waitpid(child, &status, 0);
    say("ended by %d", WTERMSIG(status));
    /* SIGKILL does not wait. */
    child = start(sleeps);
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    say("ended by %d", WTERMSIG(status));
    is("first told of a stop", seen[0], CLD_STOPPED);
}
