/* rt_sigaction, rt_sigprocmask, rt_sigpending: what they keep, and everything refused. */
#include "abi.h"

struct action {
    void *handler;
    unsigned long flags;
    void *restorer;
    uint64_t mask;
};

int main(void) {
    struct action new = {.handler = SIG_IGN, .mask = 1ul << (SIGUSR2 - 1)}, old = {};
    uint64_t set = 1ul << (SIGUSR1 - 1), before = 9;
    gives(0, rt_sigaction, SIGUSR1, &new, NULL, 8);
    gives(0, rt_sigaction, SIGUSR1, NULL, &old, 8);
    is("ignored", old.handler == SIG_IGN, 1);
    is("mask", old.mask, new.mask);
    fails(EINVAL, rt_sigaction, SIGUSR1, &new, NULL, 16);
    fails(EINVAL, rt_sigaction, SIGKILL, &new, NULL, 8);
    fails(EINVAL, rt_sigaction, SIGSTOP, &new, NULL, 8);
    gives(0, rt_sigaction, SIGKILL, NULL, &old, 8);
    fails(EINVAL, rt_sigaction, 0, &new, NULL, 8);
    fails(EINVAL, rt_sigaction, 65, &new, NULL, 8);
    gives(0, rt_sigaction, 64, NULL, &old, 8);
    fails(EFAULT, rt_sigaction, SIGUSR1, BAD, NULL, 8);
    fails(EFAULT, rt_sigaction, SIGUSR1, NULL, BAD, 8);
    gives(0, rt_sigprocmask, SIG_BLOCK, &set, &before, 8);
    is("before", before, 0);
    set = ~0ul;
    gives(0, rt_sigprocmask, SIG_SETMASK, &set, &before, 8);
    is("before", before, 1ul << (SIGUSR1 - 1));
    gives(0, rt_sigprocmask, SIG_UNBLOCK, NULL, &before, 8);
    is("all but two", ~before, 1ul << (SIGKILL - 1) | 1ul << (SIGSTOP - 1));
    fails(EINVAL, rt_sigprocmask, 9, &set, NULL, 8);
    gives(0, rt_sigprocmask, 9, NULL, NULL, 8);
    fails(EINVAL, rt_sigprocmask, SIG_BLOCK, &set, NULL, 4);
    fails(EFAULT, rt_sigprocmask, SIG_BLOCK, BAD, NULL, 8);
    fails(EFAULT, rt_sigprocmask, SIG_BLOCK, NULL, BAD, 8);
    gives(0, rt_sigpending, &set, 8);
    is("pending", set, 0);
    kill(getpid(), SIGUSR2);
    kill(getpid(), SIGUSR1);
    gives(0, rt_sigpending, &set, 8);
    is("pending, not what is ignored", set, 1ul << (SIGUSR2 - 1) | 1ul << (SIGUSR1 - 1));
    gives(0, rt_sigpending, &set, 4);
    fails(EINVAL, rt_sigpending, &set, 16);
    fails(EFAULT, rt_sigpending, BAD, 8);
}
