/* Statuses of ends: numbers, signals, stops, and what wait() says of each. */
#include "abi.h"

int main(void) {
    for (int i = 0; i < 5; i++) {
        static const int with[] = {0, 1, 255, 256, -1};
        int child = fork(), status;
        if (!child)
            _exit(with[i]);
        waitpid(child, &status, 0);
        say("%x", status);
    }
    for (int i = 0; i < 4; i++) {
        static const int by[] = {SIGKILL, SIGTERM, SIGUSR1, SIGALRM};
        int child = fork(), status;
        if (!child)
            for (;;)
                pause();
        kill(child, by[i]);
        waitpid(child, &status, 0);
        say("%x", status);
    }
    int child = fork(), status;
    if (!child)
        for (;;)
            pause();
    kill(child, SIGSTOP);
    waitpid(child, &status, WUNTRACED);
    say("%x", status);
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    say("%x", status);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    say("%x", status);
}
