/* What a handler blocks while it runs: its own signal, its mask, and neither with SA_NODEFER. */
#include "abi.h"

static volatile int others;

static void handler(int signal) {
    sigset_t now;
    sigprocmask(SIG_BLOCK, NULL, &now);
    say("in %s: own %d, other %d", signal == SIGUSR1 ? "one" : "two", sigismember(&now, signal),
        sigismember(&now, signal == SIGUSR1 ? SIGUSR2 : SIGUSR1));
    if (signal == SIGUSR1 && others++ < 2)
        raise(SIGUSR1);
    if (signal == SIGUSR1 && others == 1)
        raise(SIGUSR2);
}

static void with(int flags, int mask) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    if (mask)
        sigaddset(&action.sa_mask, SIGUSR2);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    others = 0;
    raise(SIGUSR1);
}

int main(void) {
    with(0, 0);
    with(0, 1);
    with(SA_NODEFER, 0);
}
