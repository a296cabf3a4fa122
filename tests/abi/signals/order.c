/* In which order handlers run, and what they block meanwhile. */
#include "abi.h"

static int seen[32], count, depth, deepest;

static void handler(int signal) {
    seen[count++] = signal;
    if (++depth > deepest)
        deepest = depth;
    if (signal == SIGUSR1 && count < 3)
        kill(getpid(), SIGUSR1);
    if (signal == SIGUSR2)
        kill(getpid(), SIGHUP);
    depth--;
}

static void set(int signal, int flags, int also) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    if (also)
        sigaddset(&action.sa_mask, also);
    sigaction(signal, &action, NULL);
}

static void reset(void) {
    for (int i = 0; i < count; i++)
        say("%d", seen[i]);
    say("depth %d", deepest);
    count = deepest = 0;
}

int main(void) {
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    set(SIGUSR1, 0, 0);
    kill(getpid(), SIGUSR1);
    reset();
    set(SIGUSR1, SA_NODEFER, 0);
    kill(getpid(), SIGUSR1);
    reset();
    set(SIGUSR2, 0, SIGHUP);
    set(SIGHUP, 0, 0);
    kill(getpid(), SIGUSR2);
    reset();
    set(SIGUSR2, 0, 0);
    kill(getpid(), SIGUSR2);
    reset();
    set(SIGRTMIN, 0, SIGRTMIN + 1);
    set(SIGRTMIN + 1, 0, SIGRTMIN);
    sigprocmask(SIG_SETMASK, &all, NULL);
    kill(getpid(), SIGRTMIN + 1);
    kill(getpid(), SIGRTMIN);
    kill(getpid(), SIGRTMIN + 1);
    sigprocmask(SIG_SETMASK, &none, NULL);
    say("%d of three", count);
    count = deepest = 0;
    set(SIGHUP, SA_RESETHAND, 0);
    kill(getpid(), SIGHUP);
    struct sigaction now;
    sigaction(SIGHUP, NULL, &now);
    is("default again", now.sa_handler == SIG_DFL, 1);
}
