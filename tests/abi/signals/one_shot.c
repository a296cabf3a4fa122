/* sigaction: flags one by one, what is given back, what cannot be set, mask of the handler. */
#include "abi.h"

static volatile int depth, most, calls;

static void nests(int signal) {
    depth++;
    most = depth > most ? depth : most;
    if (++calls < 3)
        kill(getpid(), signal);
    depth--;
}

static void told(int signal, siginfo_t *info, void *context) {
    say("  signal %d, info for %d, context %d", signal, info->si_signo, context != NULL);
}

struct kernel_action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

static void child(void) {
    struct kernel_action now;
    abi_call(rt_sigaction, SIGUSR1, NULL, &now, 8);
    say("inherited: flags %lx, mask %lx, handler %d", now.flags & ~0x4000000ul, now.mask,
        now.handler != NULL);
}

int main(void) {
    struct sigaction action = {.sa_handler = nests}, old;
    struct kernel_action now = {};
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    is("one after another", most, 1);
    depth = most = calls = 0;
    action.sa_flags = SA_NODEFER;
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    is("nested", most, 3);
    action.sa_flags = SA_RESETHAND | SA_SIGINFO;
    action.sa_sigaction = told;
    sigaction(SIGUSR1, &action, NULL);
    kill(getpid(), SIGUSR1);
    sigaction(SIGUSR1, NULL, &old);
    say("then: handler %d, flags %x", old.sa_handler != SIG_DFL, old.sa_flags & ~0x4000000);
    action.sa_flags =
        SA_NOCLDSTOP | SA_NOCLDWAIT | SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_NODEFER;
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    gives(0, rt_sigaction, SIGUSR1, NULL, &now, 8);
    say("flags %lx, mask %lx", now.flags & ~0x4000000ul, now.mask);
    in_child("child", child);
    /* Of flags that nobody knows none comes back. */
    now.flags |= 0x00080000;
    gives(0, rt_sigaction, SIGUSR1, &now, NULL, 8);
    gives(0, rt_sigaction, SIGUSR1, NULL, &now, 8);
    say("flags %lx", now.flags & ~0x4000000ul);
    fails(EINVAL, rt_sigaction, SIGKILL, &now, NULL, 8);
    fails(EINVAL, rt_sigaction, SIGSTOP, &now, NULL, 8);
    gives(0, rt_sigaction, SIGKILL, NULL, &now, 8);
    fails(EINVAL, rt_sigaction, 0, NULL, &now, 8);
    fails(EINVAL, rt_sigaction, 65, NULL, &now, 8);
    fails(EINVAL, rt_sigaction, -1, NULL, &now, 8);
    fails(EINVAL, rt_sigaction, SIGUSR1, NULL, &now, 4);
    fails(EFAULT, rt_sigaction, SIGUSR1, BAD, NULL, 8);
    fails(EFAULT, rt_sigaction, SIGUSR1, NULL, BAD, 8);
    /* To ignore one that waits forgets it; so does the default of one that does nothing. */
    uint64_t set = 1ul << (SIGUSR2 - 1) | 1ul << (SIGCHLD - 1), waits;
    handle(SIGUSR2, 0);
    handle(SIGCHLD, 0);
    abi_call(rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGCHLD);
    abi_call(rt_sigpending, &waits, 8);
    say("wait: %lx", waits);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    abi_call(rt_sigpending, &waits, 8);
    say("wait: %lx", waits);
    signal(SIGUSR2, SIG_DFL);
    kill(getpid(), SIGUSR2);
    abi_call(rt_sigpending, &waits, 8);
    say("blocked and fatal, it waits: %lx", waits);
}
